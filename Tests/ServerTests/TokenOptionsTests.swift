import Foundation
import Platform
import TestSupport
import Testing
import server

/// The files that `auth.jwt` names.
struct TokenOptionsTests {
    private static let keySet = """
        {"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "a",
          "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}
        """

    private func options(_ folder: TemporaryDirectory, secret: String, mode: Int) throws -> TokenOptions {
        let file = try folder.write(secret, to: "secret-\(UUID().uuidString)")
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
        var options = TokenOptions()
        options.secretFile = file.path
        return options
    }

    private func mistake(_ options: TokenOptions) async -> String {
        do {
            _ = try await options.verifier()
            return "none"
        } catch let error as SettingsError {
            return error.description
        } catch {
            return "no mistake in settings: \(error)"
        }
    }

    @Test func `a secret that everybody may read is refused, and not shown`() async throws {
        let folder = try TemporaryDirectory("jwt")
        let secret = String(repeating: "geheim01", count: 4)
        for mode in [0o600, 0o400, 0o640] {
            let verifier = try await options(folder, secret: secret + "\n", mode: mode).verifier()
            #expect(verifier != nil, "\(String(mode, radix: 8))")
        }
        for mode in [0o644, 0o604, 0o602] {
            let problem = await mistake(try options(folder, secret: secret, mode: mode))
            #expect(problem.contains("auth.jwt.secret_file") && problem.contains("chmod o-rwx"), "\(problem)")
            #expect(!problem.contains("geheim"))
        }
    }

    @Test func `what is no secret is named`() async throws {
        let folder = try TemporaryDirectory("jwt")
        let short = await mistake(try options(folder, secret: "short", mode: 0o600))
        #expect(short.contains("`auth.jwt`") && short.contains("5 bytes") && !short.contains("short"), "\(short)")
        var options = TokenOptions()
        for path in [folder.file("none").path, folder.url.path] {
            options.secretFile = path
            let problem = await mistake(options)
            #expect(problem.contains(path) && problem.contains("auth.jwt.secret_file"), "\(problem)")
        }
    }

    @Test func `public keys are for everybody to read`() async throws {
        let folder = try TemporaryDirectory("jwt")
        let file = try folder.write(Self.keySet, to: "keys.json")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
        var options = TokenOptions()
        options.jwksFile = file.path
        #expect(try await options.verifier()?.statistics?.keys == 1)
        _ = try folder.write("{}", to: "keys.json")
        #expect(await mistake(options).contains("keys.json"))
        #expect(try await TokenOptions().verifier() == nil)
    }
}
