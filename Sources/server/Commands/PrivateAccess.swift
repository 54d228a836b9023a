internal import Logging
internal import Platform
internal import Store

/// The data that a command's options name.
struct PrivateAccess {
    let settings: ServiceSettings
    let database: any SQLDatabase
    /// Seals what is private, as the service does.
    let cipher: any ColumnCipher

    /// Opens the data for `body`, with what is sealed in them, and closes them again.
    ///
    /// - Parameters:
    ///   - makes: whether a database is made where there is none, for what comes before the first start.
    ///   - makesKeys: whether a key is made where there is none, for what stores something private.
    static func with<Value>(
        _ common: CommonOptions, makes: Bool = false, makesKeys: Bool = false,
        _ body: (PrivateAccess) async throws -> Value
    ) async throws -> Value {
        try await withDatabase(common, makes: makes) { settings, database, logger in
            let encryption = try await PrivateColumns.open(
                settings, database: database, makesKeys: makesKeys, logger: logger)
            // Commands log warnings alone, and this must be read.
            if let file = encryption.madeFile {
                Terminal.error("a key for private columns was made: keep a copy of \(file); without it they are lost")
            }
            return try await body(
                PrivateAccess(settings: settings, database: database, cipher: encryption.cipher))
        }
    }

    /// As `with`, for what has nothing private in it: no key is asked for.
    static func withDatabase<Value>(
        _ common: CommonOptions, makes: Bool,
        _ body: (ServiceSettings, any SQLDatabase, Logger) async throws -> Value
    ) async throws -> Value {
        let (settings, logger) = try common.settings()
        let path = Pathways.databasePath(settings)
        let isNew = DatabasePlace(path) != .taken
        let database = try await Pathways.openDatabase(settings, makes: makes, logger: logger)
        // In a folder whose name is mistyped, no service would know what is made here.
        if isNew { Terminal.error("there was no database: a new one was made, \(path)") }
        do {
            let value = try await body(settings, database, logger)
            try await database.close()
            return value
        } catch {
            try? await database.close()
            throw error
        }
    }
}
