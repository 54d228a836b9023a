package import Foundation

/// One value that a database column holds or a statement takes: the types that every driver has.
///
/// Truth values are the integers 0 and 1, times are ISO 8601 text (`SQLTime`), JSON documents are text.
package enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    /// Infinities are kept; NaN is refused when it is bound, as SQLite would turn it into NULL unasked.
    case real(Double)
    /// Any Unicode but U+0000, which is refused when it is bound: PostgreSQL's text cannot hold it.
    case text(String)
    case blob([UInt8])

    /// The kind in words, for messages.
    package var kind: String {
        switch self {
        case .null: "null"
        case .integer: "integer"
        case .real: "real"
        case .text: "text"
        case .blob: "blob"
        }
    }
}

extension SQLValue {
    /// 1 for true, 0 for false.
    package static func bool(_ value: Bool) -> SQLValue { .integer(value ? 1 : 0) }

    package static func int(_ value: Int) -> SQLValue { .integer(Int64(value)) }

    /// ISO 8601 in UTC with milliseconds.
    package static func time(_ value: Date) -> SQLValue { .text(SQLTime.text(of: value)) }

    /// Text, or null for nil.
    package static func optionalText(_ value: String?) -> SQLValue { value.map(SQLValue.text) ?? .null }

    /// Refuses what no two drivers would store alike.
    ///
    /// - Throws: `StoreError` of code `invalidValue` for NaN and for text with U+0000.
    package func validate() throws {
        switch self {
        case .real(let value) where value.isNaN:
            throw StoreError(.invalidValue, "NaN cannot be stored")
        case .text(let value) where Self.hasNUL(value):
            throw StoreError(.invalidValue, "text with the character U+0000 cannot be stored")
        default:
            return
        }
    }

    private static func hasNUL(_ text: String) -> Bool {
        // Documents have thousands of bytes; one by one they take longer than SQLite's own copy.
        // SAFETY: the pointer is used inside the call alone, with its buffer's own length.
        let found = unsafe text.utf8.withContiguousStorageIfAvailable { bytes in
            guard let start = bytes.baseAddress else { return false }
            return unsafe memchr(start, 0, bytes.count) != nil
        }
        return found ?? text.utf8.contains(0)
    }
}

extension SQLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = .real(value) }
    package init(nilLiteral: ()) { self = .null }
}
