package import Store

/// What erasing somebody did, and the proof.
package struct ErasureReport: Sendable {
    /// Rows that went or were cleared, by table, where there were any.
    package var removed: [String: Int] = [:]
    /// Messages to them that lay in the folder for mail and went.
    package var removedMessages: [String] = []
    /// Where they are still found.
    package var remains: [Remains] = []
    /// Files that still hold their name: of the database, databases that a restore set aside, messages to others, files
    /// that are written of the tables.
    package var files: [String] = []
    /// Files, or the folder for mail, of which nobody can say whether they still hold their name, and why.
    package var doubts: [String: String] = [:]
    /// Files of others that were written anew, without them.
    package var writtenAnew: [String] = []
    /// What the proof looked through.
    package var scannedTables = 0
    package var scannedValues = 0
    /// Sealed values that no key opens, so that nobody can say whom they name.
    package var unopened = 0
    /// Whether the file was rewritten to be rid of what lay in its free space.
    package var isRewritten = false
    /// Whether there was no account, whose address could be looked for as well: it may have been erased before.
    package var isOfIDAlone = false
    /// Whether no row went, because a message that may be to them stays: the rows alone know the address by which to look
    /// for it again.
    package var isHeldBack = false

    package var isProven: Bool { remains.isEmpty && files.isEmpty && doubts.isEmpty && unopened == 0 }
}

/// Erases everything about one person in one transaction, then looks for what is left.
package struct PersonErasure: Sendable {
    /// A service may write about them while they are erased; what it wrote goes in another round.
    static let maximumRounds = 3

    let database: any SQLDatabase
    let files: PersonFiles
    /// What is written of the tables by others; nil for nothing.
    let written: WrittenFiles?
    private let opener: ColumnOpener

    /// - Parameters:
    ///   - mailFolder: where messages lie as files, if any do.
    ///   - written: files that others write of the tables.
    ///   - removing: what removes a message; nil for the system.
    package init(
        _ database: any SQLDatabase, cipher: any ColumnCipher, mailFolder: String? = nil,
        written: WrittenFiles? = nil, removing: (@Sendable (String) throws -> Void)? = nil
    ) {
        self.database = database
        self.written = written
        opener = ColumnOpener(cipher: cipher)
        var files = PersonFiles(database: database.location, mailFolder: mailFolder)
        if let removing { files.remove = removing }
        self.files = files
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
                for (sql, lists) in Self.conditions(table, person) {
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

    /// Erases, proves, and where free space of the file still holds a name, rewrites the file. What cannot be looked at
    /// once rows have gone is in the report and no error: the report is what says that they have.
    ///
    /// The messages to the person go first, and the rows only where all of these did: a message that stays is found by an
    /// address that nothing but the rows has, so that erasing again would not know of it.
    package func erase(_ id: String) async throws -> ErasureReport {
        var report = ErasureReport()
        let finder = PersonFinder(database: database, opener: opener)
        var person = try await finder.find(id)
        await removeMessages(person, &report)
        guard report.doubts.isEmpty else {
            report.isHeldBack = true
            return report
        }
        for round in 0..<Self.maximumRounds {
            if round > 0 { person = try await finder.find(id, known: person) }
            report.removed.merge(try await remove(person)) { $0 + $1 }
            let scan = try await RemainsScan(database: database, opener: opener).run(person.search)
            report.remains = scan.remains
            report.scannedTables = scan.tables
            report.scannedValues = scan.values
            report.unopened = scan.unopened
            if scan.remains.isEmpty { break }
        }
        report.isOfIDAlone = !person.hasAccount
        await cleanFiles(person, &report)
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
        for (sql, lists) in conditions(table, person) {
            let statement =
                switch table.erasing {
                case .delete, .fold, .deleteUnshared: "DELETE FROM \(table.name) WHERE \(sql)"
                case .clear(let column): "UPDATE \(table.name) SET \(column) = NULL WHERE \(sql)"
                }
            count += try connection.executeMany(statement, lists)
        }
        // Files that were written of them are older from here on.
        if table.name == "students", count > 0 { try StudentRepository.noteChange(in: connection) }
        return count
    }

    /// What selects the rows that go or are cleared: the person's, but of shared ones those that nobody else has.
    private static func conditions(
        _ table: PersonalTable, _ person: Person
    ) -> [(sql: String, arguments: [[SQLValue]])] {
        guard case .deleteUnshared(let condition) = table.erasing else { return PersonFinder.conditions(table, person) }
        return [(condition, [[.text(person.id)]])]
    }
}
