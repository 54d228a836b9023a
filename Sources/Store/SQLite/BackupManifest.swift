import Foundation
import GRDB

/// What a backup holds, written into it when it is made and compared when it is read.
///
/// A table of the copy and not a file beside it: a backup is one file, whoever carries it where. SQLite finds damage to
/// its own structures; what lies in the cells is under the checksums here.
package struct BackupManifest: Sendable, Equatable, Codable {
    package struct Table: Sendable, Equatable, Codable {
        package let name: String
        package let rows: Int
        /// CRC-32C of every value in the order of the table.
        package let checksum: UInt32
    }

    /// Of this document.
    package let format: Int
    /// Name and version of the program that made the backup.
    package let program: String
    /// `SQLTime`'s text.
    package let createdAt: String
    package let schemaVersion: Int
    /// CRC-32C of the statements that made tables and indexes.
    package let schemaChecksum: UInt32
    package let tables: [Table]

    package var rows: Int { tables.reduce(0) { $0 + $1.rows } }

    static let format = 1
    static let table = "backup_manifest"
}

/// What is in a database, as a manifest tells it.
struct BackupContents: Equatable {
    let schemaChecksum: UInt32
    let tables: [BackupManifest.Table]

    /// - Complexity: reads the whole database.
    static func read(from database: Database) throws -> BackupContents {
        var schema = CRC32C()
        var names: [String] = []
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE tbl_name <> ? ORDER BY type, name",
            arguments: [BackupManifest.table])
        while let row = try rows.next() {
            update(&schema, with: row)
            let (type, name): (String, String) = (row["type"], row["name"])
            let statement: String? = row["sql"]
            // The rows of a virtual table lie in tables of its own, which are in the list.
            let isVirtual = statement?.uppercased().hasPrefix("CREATE VIRTUAL") ?? false
            if type == "table", !isVirtual { names.append(name) }
        }
        return BackupContents(schemaChecksum: schema.value, tables: try names.map { try table($0, of: database) })
    }

    private static func table(_ name: String, of database: Database) throws -> BackupManifest.Table {
        var checksum = CRC32C()
        var count = 0
        // Without an index the order is that of the table itself, whatever plan another version would choose.
        let rows = try Row.fetchCursor(database, sql: "SELECT * FROM \(name.quotedDatabaseIdentifier) NOT INDEXED")
        while let row = try rows.next() {
            update(&checksum, with: row)
            count += 1
        }
        return BackupManifest.Table(name: name, rows: count, checksum: checksum.value)
    }

    /// Adds each value with its kind and length, so that no two rows look alike.
    private static func update(_ checksum: inout CRC32C, with row: Row) {
        for (_, value) in row {
            switch value.storage {
            case .null: checksum.update([0])
            case .int64(let number): add(1, bytes(UInt64(bitPattern: number)), to: &checksum)
            case .double(let number): add(2, bytes(number.bitPattern), to: &checksum)
            case .string(let text): add(3, Array(text.utf8), to: &checksum)
            case .blob(let data): add(4, [UInt8](data), to: &checksum)
            }
        }
    }

    private static func add(_ kind: UInt8, _ content: [UInt8], to checksum: inout CRC32C) {
        checksum.update([kind] + bytes(UInt64(content.count)))
        checksum.update(content)
    }

    private static func bytes(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}

extension BackupManifest {
    /// Describes a database that is a copy and may be written.
    static func make(of database: Database, program: String, at time: Date) throws -> BackupManifest {
        let contents = try BackupContents.read(from: database)
        return BackupManifest(
            format: format, program: program, createdAt: SQLTime.text(of: time),
            schemaVersion: try BackupCheck.schemaVersion(of: database), schemaChecksum: contents.schemaChecksum,
            tables: contents.tables)
    }

    /// Writes the manifest into the database, in the place of an older one.
    func write(to database: Database) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let document = String(decoding: try encoder.encode(self), as: UTF8.self)
        try Self.remove(from: database)
        try database.execute(sql: "CREATE TABLE \(Self.table) (document TEXT NOT NULL) STRICT")
        try database.execute(sql: "INSERT INTO \(Self.table) (document) VALUES (?)", arguments: [document])
    }

    static func remove(from database: Database) throws {
        try database.execute(sql: "DROP TABLE IF EXISTS \(table)")
    }

    /// Nil where the database has none: a plain copy of a database file.
    ///
    /// - Throws: `StoreError` of code `damaged` where it cannot be read, of `newerSchema` where its form is a later one.
    static func read(from database: Database) throws -> BackupManifest? {
        guard try database.tableExists(table) else { return nil }
        struct Form: Decodable { let format: Int }
        guard let document = try String.fetchOne(database, sql: "SELECT document FROM \(table)"),
            let form = try? JSONDecoder().decode(Form.self, from: Data(document.utf8))
        else { throw StoreError(.damaged, "the record of what the backup holds cannot be read") }
        guard form.format == format else {
            throw StoreError(
                .newerSchema, "the backup is of form \(form.format), this program knows \(format)",
                mend: "Restore it with the version that made it or a later one.")
        }
        do {
            return try JSONDecoder().decode(BackupManifest.self, from: Data(document.utf8))
        } catch {
            throw StoreError(.damaged, "the record of what the backup holds cannot be read", cause: "\(error)")
        }
    }
}
