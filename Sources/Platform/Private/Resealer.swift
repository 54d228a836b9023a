package import Store

/// How one column is sealed now.
package struct SealState: Sendable, Equatable {
    /// "users.email"
    package let column: String
    /// Values by key id.
    package var byKey: [String: Int] = [:]
    /// Values under keys that are not in the ring.
    package var unknown = 0
    /// Values from before there was a key.
    package var plain = 0

    /// Values that the current key does not seal.
    package func outstanding(current: String) -> Int {
        plain + unknown + byKey.filter { $0.key != current }.reduce(0) { $0 + $1.value }
    }
}

/// Seals what is plain, or sealed with an old key, with the current one; a batch at a time, beside a running service.
///
/// Nothing is remembered between runs: what is left to do is what another key's name stands before. So a run that is
/// killed is gone on with by the next, from wherever it was.
package struct Resealer: Sendable {
    package struct Report: Sendable, Equatable {
        package var resealed = 0
        /// Values that could not be opened and stay as they are, by column.
        package var unopened: [String: Int] = [:]

        package init() {}
    }

    private let database: any SQLDatabase
    private let sealer: ColumnSealer
    private let columns: [SealedColumn]
    private let batch: Int

    package init(_ database: any SQLDatabase, sealer: ColumnSealer, batch: Int = 200) {
        precondition(batch > 0, "a batch has a row")
        self.database = database
        self.sealer = sealer
        columns = PersonalData.sealedColumns
        self.batch = batch
    }

    /// How each column is sealed, by counting.
    package func state() async throws -> [SealState] {
        let ring = sealer.source.refreshed()
        return try await database.read { [columns] connection in
            let schema = try SchemaCatalogue.read(connection)
            return try columns.filter { schema.has($0.column, in: $0.table) }.map { column in
                try Self.state(of: column, ring, connection)
            }
        }
    }

    private static func state(
        of column: SealedColumn, _ ring: KeyRing, _ connection: any SQLConnection
    ) throws -> SealState {
        let prefixes = [SealedText.prefix] + ring.ids.map { SealedText.prefix + $0 + ":" }
        let sums = prefixes.enumerated().map { place, prefix in
            let begins = "substr(\(column.column), 1, \(prefix.utf8.count)) = ?"
            return "COALESCE(SUM(CASE WHEN \(begins) THEN 1 ELSE 0 END), 0) AS n\(place)"
        }.joined(separator: ", ")
        let row = try connection.first(
            "SELECT COUNT(\(column.column)) AS total, \(sums) FROM \(column.table)",
            prefixes.map { column.value($0) })
        var state = SealState(column: column.name)
        guard let row else { return state }
        let sealed = try row.int("n0")
        state.plain = try row.int("total") - sealed
        state.unknown = sealed
        for (place, id) in ring.ids.enumerated() {
            let found = try row.int("n\(place + 1)")
            if found > 0 { state.byKey[id] = found }
            state.unknown -= found
        }
        return state
    }

    /// Goes through every column once.
    ///
    /// - Parameter progress: called after each batch with the column and how many values were sealed so far in all.
    package func run(progress: (_ column: String, _ resealed: Int) -> Void = { _, _ in }) async throws -> Report {
        var report = Report()
        let schema = try await database.read { try SchemaCatalogue.read($0) }
        for column in columns where schema.has(column.column, in: column.table) {
            var last: [SQLValue]?
            while let step = try await step(column, after: last) {
                report.resealed += step.resealed
                if step.unopened > 0 { report.unopened[column.name, default: 0] += step.unopened }
                last = step.last
                progress(column.name, report.resealed)
            }
        }
        return report
    }

    /// What one batch did, and where it ended.
    package struct Step: Sendable {
        package let last: [SQLValue]
        package let resealed: Int
        package let unopened: Int
    }

    /// One batch: reads, seals, and writes what nobody changed meanwhile; what somebody did comes up in the next pass.
    ///
    /// - Returns: nil where nothing is left behind `last`.
    package func step(_ column: SealedColumn, after last: [SQLValue]?) async throws -> Step? {
        let prefix = SealedText.prefix + sealer.source.ring.currentID + ":"
        let keys = column.key.joined(separator: ", ")
        let marks = column.key.map { _ in "?" }.joined(separator: ", ")
        let beyond = last == nil ? "" : "AND (\(keys)) > (\(marks)) "
        let sql = """
            SELECT \(keys), \(column.column) AS sealed_value FROM \(column.table)
            WHERE \(column.column) IS NOT NULL AND substr(\(column.column), 1, \(prefix.utf8.count)) <> ? \(beyond)
            ORDER BY \(keys) LIMIT ?
            """
        let rows = try await database.read { [batch] connection in
            try connection.query(sql, [column.value(prefix)] + (last ?? []) + [.int(batch)])
        }
        guard let final = rows.last else { return nil }
        var changes: [[SQLValue]] = []
        var unopened = 0
        for row in rows {
            let old = try row.value("sealed_value")
            do {
                changes.append([try resealed(old, column)] + (try column.key.map { try row.value($0) }) + [old])
            } catch is ColumnCipherError {
                unopened += 1
            }
        }
        let condition = column.key.map { "\($0) = ?" }.joined(separator: " AND ")
        let update = "UPDATE \(column.table) SET \(column.column) = ? WHERE \(condition) AND \(column.column) = ?"
        let resealed = try await database.write { [changes] connection in
            try connection.executeMany(update, changes)
        }
        return Step(last: try column.key.map { try final.value($0) }, resealed: resealed, unopened: unopened)
    }

    private func resealed(_ value: SQLValue, _ column: SealedColumn) throws -> SQLValue {
        switch value {
        case .text(let text): .text(try sealer.seal(try sealer.open(text, column: column.name), column: column.name))
        case .blob(let bytes): .blob(try sealer.seal(try sealer.open(bytes, column: column.name), column: column.name))
        case .null, .integer, .real: value
        }
    }
}

extension SealedColumn {
    /// Text as the column holds it, to compare with.
    func value(_ text: String) -> SQLValue { isBytes ? .blob(Array(text.utf8)) : .text(text) }

    /// Whether any value is sealed with a key.
    func uses(_ keyID: String, _ connection: any SQLConnection) throws -> Bool {
        let prefix = SealedText.prefix + keyID + ":"
        let sql = "SELECT 1 AS found FROM \(table) WHERE substr(\(column), 1, \(prefix.utf8.count)) = ? LIMIT 1"
        return try connection.first(sql, [value(prefix)]) != nil
    }
}
