import GRDB

/// What a look through a backup found.
package struct BackupCheck: Sendable, Equatable {
    /// Nil for a plain copy of a database file, which says nothing about what it should hold.
    package let manifest: BackupManifest?
    package let schemaVersion: Int
    package let tables: Int
    package let rows: Int

    /// What marks this program's files among SQLite databases; as `SQLiteDatabase` sets it.
    private static let applicationID = 1_886_153_076
    private static let longestList = 5

    /// Looks a whole database over.
    ///
    /// - Parameter known: the steps of the schema; nil takes the schema for right, whatever it is.
    /// - Throws: `StoreError` that names the file: `foreignDatabase`, `damaged`, `newerSchema` or `changedMigration`.
    /// - Complexity: reads the database twice.
    static func read(_ database: Database, at file: String, known: [Migration]?) throws -> BackupCheck {
        do {
            guard try Int.fetchOne(database, sql: "PRAGMA application_id") == applicationID else {
                throw StoreError(
                    .foreignDatabase, "the file is not one of this program's databases",
                    mend: "Name a file that “pathlight backup” wrote.")
            }
            let manifest = try BackupManifest.read(from: database)
            try refuseDamage(database)
            let version = try known.map { try compareSteps(database, with: $0) } ?? schemaVersion(of: database)
            let contents = try BackupContents.read(from: database)
            if let manifest { try compare(contents, version: version, with: manifest) }
            return BackupCheck(
                manifest: manifest, schemaVersion: version, tables: contents.tables.count,
                rows: contents.tables.reduce(0) { $0 + $1.rows })
        } catch let error as DatabaseError {
            throw StoreError(error, at: file)
        } catch let error as StoreError {
            throw error.at(file)
        }
    }

    /// The last applied step of the schema, 0 where there is none.
    static func schemaVersion(of database: Database) throws -> Int {
        guard try database.tableExists("schema_migrations") else { return 0 }
        return try Int.fetchOne(database, sql: "SELECT COALESCE(MAX(version), 0) FROM schema_migrations") ?? 0
    }

    private static func refuseDamage(_ database: Database) throws {
        var problems = try String.fetchAll(database, sql: "PRAGMA integrity_check(\(longestList))")
        if problems == ["ok"] { problems = [] }
        let orphans = try Row.fetchCursor(database, sql: "PRAGMA foreign_key_check")
        while problems.count < longestList, let row = try orphans.next() {
            let (table, parent): (String, String) = (row["table"], row["parent"])
            problems.append("a row of \(table) refers to a row of \(parent) that is not there")
        }
        guard problems.isEmpty else { throw damage(problems.joined(separator: "; ")) }
    }

    /// As `SchemaMigrator` does, without writing.
    private static func compareSteps(_ database: Database, with known: [Migration]) throws -> Int {
        guard try database.tableExists("schema_migrations") else {
            throw damage("it has no record of its schema")
        }
        var last = 0
        for row in try Row.fetchAll(
            database, sql: "SELECT version, name, checksum FROM schema_migrations ORDER BY version")
        {
            let (version, name, checksum): (Int, String, String) = (row["version"], row["name"], row["checksum"])
            guard version <= known.count else {
                let newest = try schemaVersion(of: database)
                throw StoreError(
                    .newerSchema, "the schema is of version \(newest), this program knows \(known.count)",
                    mend: "Restore it with the version that wrote it or a later one.")
            }
            guard version == last + 1 else { throw damage("step \(last + 1) of its schema is missing") }
            guard checksum == known[version - 1].checksum(for: .sqlite) else {
                throw StoreError(
                    .changedMigration, "step \(version) of the schema (\(name)) is not the one known here",
                    mend: "Restore it with the version that wrote it.")
            }
            last = version
        }
        return last
    }

    private static func compare(_ found: BackupContents, version: Int, with manifest: BackupManifest) throws {
        guard version == manifest.schemaVersion, found.schemaChecksum == manifest.schemaChecksum else {
            throw damage("its tables are not those that were written")
        }
        guard found.tables.map(\.name) == manifest.tables.map(\.name) else {
            throw damage("its tables are not those that were written")
        }
        let differing = zip(found.tables, manifest.tables).filter { $0 != $1 }
        guard differing.isEmpty else {
            throw damage(
                differing.prefix(longestList).map { found, wanted in
                    found.rows == wanted.rows
                        ? "what \(wanted.name) holds is not what was written"
                        : "\(wanted.name) has \(found.rows) rows of \(wanted.rows)"
                }.joined(separator: "; "))
        }
    }

    private static func damage(_ what: String) -> StoreError { StoreError(.damaged, what) }
}
