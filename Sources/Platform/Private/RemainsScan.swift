import Foundation
import Store

/// Where a name was still found.
package struct Remains: Sendable, Equatable {
    package let table: String
    package let column: String
    package let rows: Int
}

/// Looks for a person in every column of text or bytes of every table, by the schema's own account of them.
struct RemainsScan: Sendable {
    struct Result: Sendable {
        var remains: [Remains] = []
        /// Tables looked through.
        var tables = 0
        /// Values looked through.
        var values = 0
        /// Values that no key of the ring opens: what they hold is not known.
        var unopened = 0
    }

    let database: any SQLDatabase
    let opener: ColumnOpener

    /// - Complexity: O(bytes of the database), one table a transaction so that nobody waits for long.
    func run(_ search: MarkSearch) async throws -> Result {
        var result = Result()
        let schema = try await database.read { try SchemaCatalogue.read($0) }
        for (name, columns) in schema.tables.sorted(by: { $0.key < $1.key }) {
            let names = columns.filter(\.isTextOrBytes).map(\.name)
            result.tables += 1
            guard !names.isEmpty else { continue }
            let (counts, values, unopened) = try await scan(name, names, search)
            result.values += values
            result.unopened += unopened
            result.remains += names.compactMap { column in
                counts[column].map { Remains(table: name, column: column, rows: $0) }
            }
        }
        return result
    }

    private func scan(
        _ name: String, _ columns: [String], _ search: MarkSearch
    ) async throws -> (counts: [String: Int], values: Int, unopened: Int) {
        let table = PersonalData.table(name)
        // A career called as somebody's short id is no trace of them.
        let includesShort = !PersonalData.withoutPersonalData.contains(name)
        let list = columns.map { "\"\($0)\"" }.joined(separator: ", ")
        return try await database.read { connection in
            var counts: [String: Int] = [:]
            var values = 0
            var unopened = 0
            try connection.forEachRow("SELECT \(list) FROM \"\(name)\"", []) { row in
                for (column, value) in zip(columns, row.values) {
                    guard let stored = ColumnOpener.bytes(value) else { continue }
                    values += 1
                    var isFound = search.matches(stored, includesShort: includesShort)
                    if !isFound, table?.kind(of: column)?.isSealed == true {
                        if let opened = try? opener.open(value, table: table, column: column),
                            let bytes = ColumnOpener.bytes(opened)
                        {
                            isFound = search.matches(bytes, includesShort: includesShort)
                        } else {
                            unopened += 1
                        }
                    }
                    if isFound { counts[column, default: 0] += 1 }
                }
            }
            return (counts, values, unopened)
        }
    }

    /// Looks through files as they lie on the disk, for what deleted rows leave in pages and logs.
    ///
    /// - Returns: the files that still hold a name.
    static func files(_ paths: [String], _ search: MarkSearch) throws -> [String] {
        try paths.filter { path in
            guard let file = FileHandle(forReadingAtPath: path) else { return false }
            defer { try? file.close() }
            var carried: [UInt8] = []
            while let data = try file.read(upToCount: 1 << 20), !data.isEmpty {
                // A name may lie across two reads.
                let bytes = carried + Array(data)
                if search.matches(bytes, includesShort: false) { return true }
                carried = Array(bytes.suffix(1_024))
            }
            return false
        }
    }
}
