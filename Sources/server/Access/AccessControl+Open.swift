internal import Platform
internal import Store

extension AccessControl {
    /// Puts together who may do what, from the settings and the database.
    ///
    /// - Throws: `SettingsError` where the service would listen to other machines and nobody could administer it, or
    ///   where the settings of tokens cannot be used.
    static func open(
        _ settings: ServiceSettings, database: any SQLDatabase, cipher: any ColumnCipher
    ) async throws -> AccessControl {
        let identity = Identity(database: database, cipher: cipher, tokens: try await settings.tokens.verifier())
        try await requireAdministrator(settings, identity)
        return AccessControl(settings: settings, identity: identity)
    }

    /// - Throws: `SettingsError` where other machines reach the service and there is no admin key.
    static func requireAdministrator(_ settings: ServiceSettings, _ identity: Identity) async throws {
        guard !ServiceSettings.isLoopback(settings.host), try await !identity.hasAdminKey() else { return }
        throw SettingsError.noAdminKey(host: settings.host, dataDirectory: settings.dataDirectory)
    }
}
