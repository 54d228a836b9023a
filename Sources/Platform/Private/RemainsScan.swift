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
        // A career called as somebody's short id is no trace of them. What a table is of that the registry does not know,
        // nobody knows.
        let shorts = columns.map { column -> ShortNames? in
            if let table { return table.shortNames(in: column) }
            return PersonalData.withoutPersonalData.contains(name) ? nil : .all
        }
        let list = columns.map { "\"\($0)\"" }.joined(separator: ", ")
        return try await database.read { connection in
            var counts: [String: Int] = [:]
            var values = 0
            var unopened = 0
            try connection.forEachRow("SELECT \(list) FROM \"\(name)\"", []) { row in
                for ((column, short), value) in zip(zip(columns, shorts), row.values) {
                    guard let stored = ColumnOpener.bytes(value) else { continue }
                    values += 1
                    var isFound = search.matches(stored, short: short)
                    if !isFound, table?.kind(of: column)?.isSealed == true {
                        if let opened = try? opener.open(value, table: table, column: column),
                            let bytes = ColumnOpener.bytes(opened)
                        {
                            isFound = search.matches(bytes, short: short)
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

    /// Looks through a file as it lies on the disk, for what deleted rows leave in pages and logs. Blocks.
    ///
    /// - Returns: whether it holds a name.
    static func isFound(_ search: MarkSearch, in path: String, of database: SQLiteDatabase) throws -> Bool {
        var carried: [UInt8] = []
        var isFound = false
        try database.readBytes(of: path) { piece in
            // A name may lie across two pieces.
            let bytes = carried + piece
            isFound = search.matches(bytes, short: nil)
            carried = Array(bytes.suffix(1_024))
            return !isFound
        }
        return isFound
    }
}
