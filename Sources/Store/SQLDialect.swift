/// What differs between two databases in the SQL of this module: the names of types, and the form of arguments.
///
/// Everything else in a statement must mean the same on every driver (`INSERT … ON CONFLICT (…) DO UPDATE`,
/// `RETURNING`, standard joins and aggregates).
package struct SQLDialect: Sendable, Equatable {
    package enum Placeholders: Sendable {
        /// `?`, as repositories write them.
        case question
        /// `$1`, `$2`, …
        case numbered
    }

    package let name: String
    /// Text that sorts by its code points, so that every driver and replica gives one order.
    package let text: String
    /// 64-bit integer; also of truth values, 0 or 1.
    package let integer: String
    /// IEEE 754 double.
    package let double: String
    package let blob: String
    /// The whole type of a column whose increasing value the database gives, and which is the primary key.
    package let autoIdentity: String
    /// What follows the closing parenthesis of every CREATE TABLE.
    package let tableOptions: String
    package let placeholders: Placeholders
    /// A statement that makes other processes wait until the transaction ends, where opening one does not.
    package let migrationLock: String?
    /// What ends a SELECT whose rows are taken, so that two takers do not wait for each other; empty where rows are not
    /// locked one by one.
    package let skippingLockedRows: String
    /// Gives a row where there is a table of the name that is its argument.
    package let tableLookup: String

    /// `sql` with its placeholders in this dialect's form.
    package func statement(_ sql: String) -> String {
        switch placeholders {
        case .question: sql
        case .numbered: Self.numbered(sql)
        }
    }

    /// Replaces each `?` outside quotes and comments by `$1`, `$2`, … in order.
    ///
    /// - Complexity: O(length of `sql`).
    static func numbered(_ sql: String) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(sql.utf8.count + 8)
        var end: [UInt8]?
        var count = 0
        let bytes = Array(sql.utf8)
        var position = 0
        while position < bytes.count {
            let rest = bytes[position...]
            if let closing = end {
                if rest.starts(with: closing) {
                    // A doubled quote closes and opens again, which comes to the same.
                    end = nil
                    result += closing
                    position += closing.count
                    continue
                }
            } else if let (opening, closing) = Self.quotes.first(where: { rest.starts(with: $0.opening) }) {
                end = closing
                result += opening
                position += opening.count
                continue
            } else if bytes[position] == UInt8(ascii: "?") {
                count += 1
                result += Array("$\(count)".utf8)
                position += 1
                continue
            }
            result.append(bytes[position])
            position += 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static let quotes: [(opening: [UInt8], closing: [UInt8])] = [
        ("'", "'"), ("\"", "\""), ("--", "\n"), ("/*", "*/"),
    ].map { (Array($0.0.utf8), Array($0.1.utf8)) }
}
