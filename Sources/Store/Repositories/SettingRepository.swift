package import Foundation

/// Settings that are changed while the service runs, as JSON by key.
package struct SettingRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.database = database
        self.clock = clock
    }

    /// Stores a JSON value, in place of the one of that key.
    package func set(_ key: String, to value: String) async throws {
        let now = clock()
        try await database.write { try Self.set(key, to: value, now: now, in: $0) }
    }

    static func set(_ key: String, to value: String, now: Date, in connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO settings (key, value, updated_at) VALUES (?, ?, ?)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
            """,
            [.text(key), .text(value), .time(now)])
    }

    /// The JSON value of a key, or nil.
    package func value(of key: String) async throws -> String? {
        try await database.read { connection in
            try connection.first("SELECT value FROM settings WHERE key = ?", [.text(key)])?.text("value")
        }
    }

    /// Every setting by its key.
    package func all() async throws -> [String: String] {
        try await database.read { connection in
            let rows = try connection.query("SELECT key, value FROM settings")
            return Dictionary(
                try rows.map { (try $0.text("key"), try $0.text("value")) }, uniquingKeysWith: { _, last in last })
        }
    }

    /// Removes a setting.
    ///
    /// - Returns: whether it was there.
    @discardableResult
    package func remove(_ key: String) async throws -> Bool {
        try await database.write { connection in
            try connection.execute("DELETE FROM settings WHERE key = ?", [.text(key)]) == 1
        }
    }
}
