internal import Foundation
internal import Platform
internal import Store

extension AccessControl {
    /// Puts together who may do what, from the settings and the database.
    ///
    /// - Throws: `StartProblem` where the service would listen to other machines and nobody could administer it, or where
    ///   the settings of tokens cannot be used.
    static func open(
        _ settings: ServiceSettings, database: any SQLDatabase, cipher: any ColumnCipher
    ) async throws -> AccessControl {
        let identity = Identity(database: database, cipher: cipher, tokens: try await verifier(settings.tokens))
        if !ServiceSettings.isLoopback(settings.host), try await !identity.hasAdminKey() {
            throw StartProblem(
                "`\(settings.host)` can be reached from other machines, and there is no admin key yet; make one with "
                    + "`pathlight keys create --role admin --data \(settings.dataDirectory)`, keep what it prints, and "
                    + "start again")
        }
        return AccessControl(settings: settings, identity: identity)
    }

    private static func verifier(_ options: TokenOptions) async throws -> TokenVerifier? {
        guard options.isSet else { return nil }
        var settings = TokenPolicy()
        settings.secret = try options.secretFile.map(secret)
        settings.keySetFile = options.jwksFile
        settings.issuer = options.issuer
        settings.audience = options.audience
        settings.userClaim = options.userClaim
        settings.roleClaim = options.roleClaim
        do {
            return try await TokenVerifier(settings)
        } catch let error as IdentityError {
            throw StartProblem("`auth.jwt`: \(error.message)")
        }
    }

    /// The content of a file, less the line break that editors put at the end.
    private static func secret(of path: String) throws -> [UInt8] {
        do {
            var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
            while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { bytes.removeLast() }
            return bytes
        } catch {
            throw StartProblem("`auth.jwt.secret_file`: cannot read \(path): \(error.localizedDescription)")
        }
    }
}
