package import Platform

extension TokenOptions {
    /// What checks tokens along these settings; nil where none are accepted.
    ///
    /// - Throws: `SettingsError` where a file or a key in it cannot be used.
    package func verifier() async throws -> TokenVerifier? {
        guard isSet else { return nil }
        var policy = TokenPolicy()
        policy.secret = try secretFile.map(Self.secret)
        policy.keySetFile = jwksFile
        policy.issuer = issuer
        policy.audience = audience
        policy.userClaim = userClaim
        policy.roleClaim = roleClaim
        do {
            return try await TokenVerifier(policy)
        } catch let error as IdentityError {
            throw SettingsError.unusable("`auth.jwt`: \(error.message)")
        }
    }

    /// The content of a file, less the line break that editors put at the end. Whoever can read it can sign tokens of an
    /// administrator.
    private static func secret(of path: String) throws(SettingsError) -> [UInt8] {
        do throws(SecretFile.Problem) {
            var bytes = try SecretFile.read(path)
            while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { bytes.removeLast() }
            return bytes
        } catch {
            throw .unusable("\(path), which `auth.jwt.secret_file` names, \(error.reason)")
        }
    }
}
