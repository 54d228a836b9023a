extension SQLDialect {
    /// SQLite 3.37 and later. Tables are strict, so that a value of another type is refused as elsewhere.
    package static let sqlite = SQLDialect(
        name: "sqlite", text: "TEXT", integer: "INTEGER", double: "REAL", blob: "BLOB",
        // AUTOINCREMENT keeps the ids of deleted rows from coming back, as an identity column does.
        autoIdentity: "INTEGER PRIMARY KEY AUTOINCREMENT", tableOptions: " STRICT", placeholders: .question,
        migrationLock: nil, skippingLockedRows: "",
        tableLookup: "SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = ?")
}
