import Dispatch
package import Store

/// What erasing somebody did, and the proof.
package struct ErasureReport: Sendable {
    /// Rows that went or were cleared, by table, where there were any.
    package var removed: [String: Int] = [:]
    /// Where they are still found.
    package var remains: [Remains] = []
    /// Files of the database that still hold their name.
    package var files: [String] = []
    /// What the proof looked through.
    package var scannedTables = 0
    package var scannedValues = 0
    /// Sealed values that no key opens, so that nobody can say whom they name.
    package var unopened = 0
    /// Whether the file was rewritten to be rid of what lay in its free space.
    package var isRewritten = false

    package var isProven: Bool { remains.isEmpty && files.isEmpty && unopened == 0 }
}

/// Erases everything about one person in one transaction, then looks for what is left.
package struct PersonErasure: Sendable {
    /// A service may write about them while they are erased; what it wrote goes in another round.
    static let maximumRounds = 3

    private let database: any SQLDatabase
    private let opener: ColumnOpener

    package init(_ database: any SQLDatabase, cipher: any ColumnCipher) {
        self.database = database
        opener = ColumnOpener(cipher: cipher)
    }

    /// How many rows would go, by table; nothing changes.
    package func preview(_ id: String) async throws -> [String: Int] {
        let person = try await PersonFinder(database: database, opener: opener).find(id)
        return try await database.read { connection in
            let schema = try SchemaCatalogue.read(connection)
            var counts: [String: Int] = [:]
            for table in PersonalData.tables where schema.has(table.name) {
                var seen: Set<[SQLValue]> = []
                let key = table.key.joined(separator: ", ")
                for (sql, lists) in PersonFinder.conditions(table, person) {
                    for arguments in lists {
                        for row in try connection.query("SELECT \(key) FROM \(table.name) WHERE \(sql)", arguments) {
                            seen.insert(row.values)
                        }
                    }
                }
                if !seen.isEmpty { counts[table.name] = seen.count }
            }
            return counts
        }
    }

    /// Erases, proves, and where free space of the file still holds a name, rewrites the file.
    package func erase(_ id: String) async throws -> ErasureReport {
        var report = ErasureReport()
        var known: Person?
        for _ in 0..<Self.maximumRounds {
            let person = try await PersonFinder(database: database, opener: opener).find(id, known: known)
            known = person
            report.removed.merge(try await remove(person)) { $0 + $1 }
            let scan = try await RemainsScan(database: database, opener: opener).run(person.search)
            report.remains = scan.remains
            report.scannedTables = scan.tables
            report.scannedValues = scan.values
            report.unopened = scan.unopened
            if scan.remains.isEmpty { break }
        }
        if let person = known { try await cleanFiles(person.search, &report) }
        return report
    }

    private func remove(_ person: Person) async throws -> [String: Int] {
        try await database.write { connection in
            let schema = try SchemaCatalogue.read(connection)
            if connection.dialect == .sqlite {
                // What is deleted is overwritten in its page. Most builds of SQLite for Linux do so anyway.
                _ = try connection.query("PRAGMA secure_delete = ON")
            }
            var removed: [String: Int] = [:]
            for table in PersonalData.tables where schema.has(table.name) {
                let count = try Self.remove(person, from: table, connection)
                if count > 0 { removed[table.name] = count }
            }
            return removed
        }
    }

    private static func remove(
        _ person: Person, from table: PersonalTable, _ connection: any SQLConnection
    ) throws -> Int {
        var count = 0
        if case .fold(let sql) = table.erasing { try connection.execute(sql, [.text(person.id)]) }
        for (sql, lists) in PersonFinder.conditions(table, person) {
            let statement =
                switch table.erasing {
                case .delete, .fold: "DELETE FROM \(table.name) WHERE \(sql)"
                case .clear(let column): "UPDATE \(table.name) SET \(column) = NULL WHERE \(sql)"
                }
            count += try connection.executeMany(statement, lists)
        }
        return count
    }

    /// Deleted rows still lie in the write-ahead log until it begins anew, and rows that moved between pages in what
    /// they left. So the log is emptied and the files are read; a file that still names the person is rewritten.
    private func cleanFiles(_ search: MarkSearch, _ report: inout ErasureReport) async throws {
        guard let database = database as? SQLiteDatabase else { return }
        let paths = [database.location, database.location + "-wal", database.location + "-journal"]
        try await database.emptyLog()
        report.files = try await Self.onQueue { try RemainsScan.files(paths, search) }
        guard !report.files.isEmpty else { return }
        try await database.rewrite()
        report.isRewritten = true
        report.files = try await Self.onQueue { try RemainsScan.files(paths, search) }
    }

    /// Reading a whole file blocks; not on the cooperative pool.
    private static func onQueue<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result(catching: body)) }
        }
    }
}
