package import Foundation

/// Where a schema stood and what was done to it.
package struct MigrationReport: Sendable, Equatable {
    /// The version found; 0 for a new database.
    package let from: Int
    /// The version now.
    package let to: Int
    /// Names of the steps applied, in order.
    package let applied: [String]

    package init(from: Int, to: Int, applied: [String]) {
        self.from = from
        self.to = to
        self.applied = applied
    }
}

/// Brings a database's schema up to the version that this program knows.
package struct SchemaMigrator: Sendable {
    private let migrations: [Migration]
    private let clock: @Sendable () -> Date

    /// - Parameter clock: the time that applied steps are stamped with.
    package init(
        migrations: [Migration] = Migration.all, clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        precondition(
            migrations.map(\.version) == Array(1..<(migrations.count + 1)),
            "migrations are numbered from 1 without gaps")
        self.migrations = migrations
        self.clock = clock
    }

    /// Applies the steps that are missing, each in a transaction of its own; another process may do the same at
    /// the same time. Where nothing is missing, nothing changes.
    ///
    /// - Throws: `StoreError` of code `newerSchema` where a later program wrote the schema, of `changedMigration`
    ///   where an applied step is not the one known here; the database is then as it was.
    package func migrate(_ database: any SQLDatabase) async throws -> MigrationReport {
        let from = try await database.write { connection in
            try Self.prepare(connection)
            return try verify(connection, at: database.location)
        }
        var applied: [String] = []
        for migration in migrations where migration.version > from {
            let isNew = try await database.write { connection in
                try Self.prepare(connection)
                // Another process may have applied it since.
                guard try verify(connection, at: database.location) < migration.version else { return false }
                try apply(migration, to: connection)
                return true
            }
            if isNew { applied.append(migration.name) }
        }
        return MigrationReport(from: from, to: max(from, migrations.count), applied: applied)
    }

    /// The version that a migration leads to.
    package var latestVersion: Int { migrations.count }

    /// The version of a database's schema, 0 where it has none yet. Nothing is changed.
    ///
    /// - Throws: as `migrate`.
    package func version(of database: any SQLDatabase) async throws -> Int {
        try await database.read { connection in
            let record = try connection.first(connection.dialect.tableLookup, [.text("schema_migrations")])
            return record == nil ? 0 : try verify(connection, at: database.location)
        }
    }

    private static func prepare(_ connection: any SQLConnection) throws {
        let dialect = connection.dialect
        if let lock = dialect.migrationLock { _ = try connection.query(lock) }
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                version \(dialect.integer) NOT NULL PRIMARY KEY,
                name \(dialect.text) NOT NULL,
                checksum \(dialect.text) NOT NULL,
                applied_at \(dialect.text) NOT NULL
            )\(dialect.tableOptions)
            """)
    }

    /// The last version applied, after a comparison of every applied step with the one known here.
    private func verify(_ connection: any SQLConnection, at location: String) throws -> Int {
        var last = 0
        for row in try connection.query("SELECT version, name, checksum FROM schema_migrations ORDER BY version") {
            let version = try row.int("version")
            guard version <= migrations.count, version > 0 else {
                throw StoreError(
                    .newerSchema, "the schema is of version \(version), this program knows \(migrations.count)",
                    location: location,
                    mend: "Install the version that wrote it or a later one, or name another data folder.")
            }
            let known = migrations[version - 1]
            guard try row.text("checksum") == known.checksum(for: connection.dialect) else {
                throw StoreError(
                    .changedMigration,
                    "step \(version) of the schema (\(try row.text("name"))) is not the one known here",
                    location: location,
                    mend: "Install the version that wrote the database, or name another data folder.")
            }
            last = version
        }
        return last
    }

    private func apply(_ migration: Migration, to connection: any SQLConnection) throws {
        for statement in migration.statements(connection.dialect) { try connection.execute(statement) }
        try connection.execute(
            "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
            [
                .int(migration.version), .text(migration.name),
                .text(migration.checksum(for: connection.dialect)), .time(clock()),
            ])
    }
}
