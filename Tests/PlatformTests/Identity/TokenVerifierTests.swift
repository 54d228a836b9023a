import Crypto
import Foundation
import JWTKit
import Platform
import Store
import TestSupport
import Testing

struct TokenVerifierTests {
    private static func expectRefused(
        _ token: String, _ verifier: TokenVerifier, _ code: IdentityError.Code = .invalidCredential,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let error = await expectIdentityError(code, sourceLocation: sourceLocation) {
            _ = try await verifier.principal(of: token)
        }
        #expect(error?.message.contains(token) == false, sourceLocation: sourceLocation)
    }

    private static func withKeys() async throws -> (TokenFixture, TokenVerifier) {
        let fixture = try await TokenFixture()
        try fixture.write(try fixture.rsaEntry(), try fixture.ecdsaEntry())
        return (fixture, try await fixture.verifier())
    }

    // MARK: Signatures

    @Test func `tokens of the three algorithms say who somebody is`() async throws {
        let (fixture, verifier) = try await Self.withKeys()
        let expected = Principal(role: .user, userID: "ada", credential: .token)
        #expect(try await verifier.principal(of: fixture.token()) == expected)
        for (header, signer) in [
            (#"{"alg":"RS256","kid":"r1"}"#, fixture.rsa), (#"{"alg":"ES256","kid":"e1"}"#, fixture.ecdsa),
            // One key for the algorithm, which needs no name.
            (#"{"alg":"RS256"}"#, fixture.rsa), (#"{"alg":"ES256","typ":"at+jwt"}"#, fixture.ecdsa),
        ] {
            let token = try fixture.token(header: header, by: signer)
            #expect(try await verifier.principal(of: token) == expected, "\(header)")
        }
    }

    @Test(arguments: [
        #"{"alg":"none"}"#, #"{"alg":"None","kid":"r1"}"#, #"{"alg":"NONE"}"#, #"{"alg":""}"#, #"{}"#, #"{"alg":null}"#,
        #"{"alg":["HS256"]}"#, #"{"alg":"hs256"}"#, #"{"alg":"HS384"}"#, #"{"alg":"HS512"}"#, #"{"alg":"RS512"}"#,
        #"{"alg":"PS256"}"#, #"{"alg":"ES384"}"#, #"{"alg":"EdDSA"}"#, #"{"alg":"HS256","crit":["exp"]}"#,
        #"{"alg":"HS256","crit":[]}"#, #"{"alg":"HS256","typ":"logout+jwt"}"#, #"{"alg":"HS256","typ":"JWS"}"#,
        #"["HS256"]"#, #""HS256""#, "", "HS256",
    ])
    func `another algorithm, type or extension is refused, whoever signed`(header: String) async throws {
        let (fixture, verifier) = try await Self.withKeys()
        await Self.expectRefused(try fixture.token(header: header), verifier)
        await Self.expectRefused(try fixture.token(header: header, by: fixture.rsa), verifier)
    }

    @Test func `a token without a signature is refused`() async throws {
        let (fixture, verifier) = try await Self.withKeys()
        for algorithm in ["none", "HS256", "RS256", "ES256"] {
            let token = try TokenFixture.token(
                #"{"alg":"\#(algorithm)"}"#, #"{"sub":"ada","exp":1772361000}"#, by: nil)
            await Self.expectRefused(token, verifier)
            await Self.expectRefused(String(token.dropLast()), verifier)
        }
        _ = fixture
    }

    @Test func `a public key is no secret of HS256`() async throws {
        let (fixture, verifier) = try await Self.withKeys()
        let file = try String(contentsOfFile: fixture.path, encoding: .utf8)
        for secret in [fixture.rsaPEM, fixture.rsaPEM + "\n", file] {
            let signer = try await JWTKeyCollection().add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
                .getKey()
            for kid in ["", #","kid":"r1""#] {
                await Self.expectRefused(try fixture.token(header: #"{"alg":"HS256"\#(kid)}"#, by: signer), verifier)
            }
        }
    }

    @Test func `a secret in the key set signs nothing`() async throws {
        let fixture = try await TokenFixture()
        let secret = Base64URL.text(of: TokenFixture.secret)
        try fixture.write(try fixture.ecdsaEntry(), #"{"kty":"oct","kid":"o1","alg":"HS256","k":"\#(secret)"}"#)
        let verifier = try await fixture.verifier { $0.secret = nil }
        await Self.expectRefused(try fixture.token(header: #"{"alg":"HS256","kid":"o1"}"#), verifier)
    }

    @Test func `a key is for its own algorithm and name`() async throws {
        let (fixture, verifier) = try await Self.withKeys()
        for (header, signer) in [
            (#"{"alg":"ES256","kid":"e1"}"#, fixture.otherECDSA), (#"{"alg":"RS256","kid":"e1"}"#, fixture.rsa),
            (#"{"alg":"ES256","kid":"r1"}"#, fixture.rsa), (#"{"alg":"RS256","kid":"unknown"}"#, fixture.rsa),
            (#"{"alg":"ES256","kid":""}"#, fixture.ecdsa), (#"{"alg":"ES256","kid":7}"#, fixture.ecdsa),
            (#"{"alg":"HS256"}"#, fixture.ecdsa), (#"{"alg":"RS256","kid":"r1"}"#, fixture.hmac),
        ] {
            await Self.expectRefused(try fixture.token(header: header, by: signer), verifier)
        }
    }

    @Test func `what a token brings as its key is not looked at`() async throws {
        let (fixture, verifier) = try await Self.withKeys()
        let own = try fixture.ecdsaEntry(kid: "mine", other: true)
        for header in [
            #"{"alg":"ES256","jwk":\#(own)}"#, #"{"alg":"ES256","kid":"mine","jwk":\#(own)}"#,
            #"{"alg":"ES256","jku":"http://127.0.0.1/keys","x5u":"http://127.0.0.1/","x5c":["AAAA"]}"#,
        ] {
            await Self.expectRefused(try fixture.token(header: header, by: fixture.otherECDSA), verifier)
        }
    }

    @Test func `one changed byte of any part is refused`() async throws {
        let (fixture, verifier) = try await Self.withKeys()
        var generator = SeededGenerator(seed: 0x107)
        let tokens = [
            try fixture.token(), try fixture.token(header: #"{"alg":"ES256","kid":"e1"}"#, by: fixture.ecdsa),
            try fixture.token(header: #"{"alg":"RS256","kid":"r1"}"#, by: fixture.rsa),
        ]
        let alphabet = Array("ABCXYZabcxyz0189-_.=+/ \n\u{0}".utf8)
        for round in 0..<600 {
            let token = tokens[round % tokens.count]
            var bytes = Array(token.utf8)
            let position = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes.remove(at: position)
            case 1: bytes.insert(alphabet.randomElement(using: &generator) ?? 0, at: position)
            default: bytes[position] = alphabet.randomElement(using: &generator) ?? 0
            }
            let changed = String(decoding: bytes, as: UTF8.self)
            guard changed != token else { continue }
            let principal = try? await verifier.principal(of: changed)
            #expect(principal == nil, "\(changed) \(generator)")
        }
    }

    @Test(arguments: ["", ".", "..", "...", "a.b.c", "a.b", "plk_x", "eyJhbGciOiJIUzI1NiJ9..", "é.é.é"])
    func `what is no token is refused`(text: String) async throws {
        let (_, verifier) = try await Self.withKeys()
        await Self.expectRefused(text, verifier)
    }

    @Test func `a token that is too long is refused unread`() async throws {
        let (fixture, verifier) = try await Self.withKeys()
        let padding = String(repeating: "x", count: 17 << 10)
        await Self.expectRefused(try fixture.token(more: #""x":"\#(padding)""#), verifier)
        _ = try await verifier.principal(of: fixture.token(more: #""x":"\#(padding.prefix(8_000))""#))
    }

    // MARK: Claims

    @Test(
        arguments: [
            (nil, .invalidCredential), ("null", .invalidCredential), (#""1772361000""#, .invalidCredential),
            ("true", .invalidCredential), ("1772357340", .expired), ("1772357339.9", .expired), ("0", .expired),
            ("-1", .expired), ("1772357341", nil), ("1772357340.5", nil), ("1e300", nil), ("99999999999999999999", nil),
        ] as [(String?, IdentityError.Code?)])
    func `a token needs an end, which counts to within a minute`(exp: String?, code: IdentityError.Code?) async throws {
        let (fixture, verifier) = try await Self.withKeys()
        let token = try fixture.token(exp: exp)
        guard let code else {
            _ = try await verifier.principal(of: token)
            return
        }
        await Self.expectRefused(token, verifier, code)
    }

    @Test(arguments: [("1772357460", true), ("1772357461", false), (#""now""#, false), ("null", true), ("0", true)])
    func `a token holds from its beginning, to within a minute`(nbf: String, holds: Bool) async throws {
        let (fixture, verifier) = try await Self.withKeys()
        let token = try fixture.token(more: #""nbf":\#(nbf)"#)
        if holds {
            _ = try await verifier.principal(of: token)
        } else {
            await Self.expectRefused(token, verifier)
        }
    }

    @Test func `issuer and audience are looked at where they are configured`() async throws {
        let (fixture, _) = try await Self.withKeys()
        let open = try await fixture.verifier()
        let strict = try await fixture.verifier {
            $0.issuer = "https://id.example"
            $0.audience = "pathlight"
        }
        let good = [
            #""iss":"https://id.example","aud":"pathlight""#, #""iss":"https://id.example","aud":["x","pathlight"]"#,
        ]
        let bad = [
            "", #""iss":"https://id.example""#, #""aud":"pathlight""#,
            #""iss":"https://id.example/","aud":"pathlight""#,
            #""iss":["https://id.example"],"aud":"pathlight""#, #""iss":"https://id.example","aud":"pathlight2""#,
            #""iss":"https://id.example","aud":[]"#, #""iss":"https://id.example","aud":{"pathlight":1}"#,
            #""iss":null,"aud":null"#,
        ]
        for claims in good { _ = try await strict.principal(of: fixture.token(more: claims)) }
        for claims in bad { await Self.expectRefused(try fixture.token(more: claims), strict) }
        for claims in good + bad { _ = try await open.principal(of: fixture.token(more: claims)) }
    }

    @Test(
        arguments: [
            ("", .user), (#""role":"admin""#, .admin), (#""role":"service""#, .service),
            (#""role":"educator""#, .educator),
            (#""role":"user""#, .user), (#""role":["user","educator"]"#, .educator),
            (#""role":["x","admin","user"]"#, .admin),
            // Of no known name, or of no known form: the least.
            (#""role":"anonymous""#, .user), (#""role":"Admin""#, .user), (#""role":"root""#, .user),
            (#""role":7"#, .user),
            (#""role":{"admin":true}"#, .user), (#""role":true"#, .user), (#""role":null"#, .user),
            (#""role":[["admin"]]"#, .user),
        ] as [(String, Role)])
    func `the role is the one that the claim names, and a user otherwise`(claim: String, role: Role) async throws {
        let (fixture, verifier) = try await Self.withKeys()
        #expect(try await verifier.principal(of: fixture.token(more: claim)).role == role)
    }

    @Test func `claims are found by name and by path`() async throws {
        let (fixture, _) = try await Self.withKeys()
        let verifier = try await fixture.verifier {
            $0.userClaim = "user.id"
            $0.roleClaim = "realm_access.roles"
            $0.scopeClaim = "https://id.example/scopes"
        }
        let scopes = #""https://id.example/scopes":"careers results""#
        let token = try fixture.token(
            sub: nil, more: #""user":{"id":42},"realm_access":{"roles":["offline","service"]},\#(scopes)"#)
        #expect(
            try await verifier.principal(of: token)
                == Principal(role: .service, userID: "42", scopes: ["careers", "results"], credential: .token))
        // A claim of that very name comes before the path.
        let flat = try fixture.token(sub: nil, more: #""user.id":"flat","user":{"id":"deep"},\#(scopes)"#)
        #expect(try await verifier.principal(of: flat).userID == "flat")
    }

    @Test(
        arguments: [
            nil, "null", #""""#, "true", "1.5", #"["ada"]"#, #"{"a":1}"#, #""a b""#, #""a\u0000""#, #""a\n""#,
        ] as [String?])
    func `a user's token names its user`(sub: String?) async throws {
        let (fixture, verifier) = try await Self.withKeys()
        await Self.expectRefused(try fixture.token(sub: sub), verifier)
    }

    @Test func `a program's token needs no user, and a name of 129 bytes is none`() async throws {
        let (fixture, verifier) = try await Self.withKeys()
        for role in ["service", "admin"] {
            let principal = try await verifier.principal(of: fixture.token(sub: nil, more: #""role":"\#(role)""#))
            #expect(principal.userID == nil && principal.role.rawValue == role)
        }
        await Self.expectRefused(try fixture.token(sub: nil, more: #""role":"educator""#), verifier)
        let name = String(repeating: "x", count: 128)
        #expect(try await verifier.principal(of: fixture.token(sub: #""\#(name)""#)).userID == name)
        await Self.expectRefused(try fixture.token(sub: #""\#(name)x""#), verifier)
    }

    @Test(arguments: ["", #""scope":"""#, #""scope":" ""#, #""scope":[]"#, #""scope":[1]"#, #""scope":7"#])
    func `where scopes are asked for, none is not all`(claim: String) async throws {
        let (fixture, _) = try await Self.withKeys()
        let verifier = try await fixture.verifier { $0.scopeClaim = "scope" }
        await Self.expectRefused(try fixture.token(more: claim), verifier)
    }

    @Test(arguments: ["[]", "7", #""x""#, "null", "", "{", #"{"exp":1772361000,}"#, "{\"sub\":\"\u{FF}"])
    func `claims that are no object are refused though they are signed`(payload: String) async throws {
        let (fixture, verifier) = try await Self.withKeys()
        await Self.expectRefused(try TokenFixture.token(#"{"alg":"HS256"}"#, payload, by: fixture.hmac), verifier)
    }

    // MARK: The key set

    @Test func `a new file is used at once, and the keys it left out no longer`() async throws {
        let (fixture, verifier) = try await Self.withKeys()
        let old = try fixture.token(header: #"{"alg":"ES256","kid":"e1"}"#, by: fixture.ecdsa)
        let new = try fixture.token(header: #"{"alg":"ES256","kid":"e2"}"#, by: fixture.otherECDSA)
        _ = try await verifier.principal(of: old)
        await Self.expectRefused(new, verifier)
        try fixture.write(try fixture.ecdsaEntry(), try fixture.ecdsaEntry(kid: "e2", other: true))
        _ = try await verifier.principal(of: old)
        _ = try await verifier.principal(of: new)
        try fixture.write(try fixture.ecdsaEntry(kid: "e2", other: true))
        await Self.expectRefused(old, verifier)
        _ = try await verifier.principal(of: new)
        #expect(verifier.statistics == TokenStatistics(keys: 1, keySetLoads: 3, keySetFailures: 0, keySetProblem: nil))
    }

    @Test func `a damaged file leaves the keys as they were and is reported`() async throws {
        let (fixture, verifier) = try await Self.withKeys()
        let token = try fixture.token(header: #"{"alg":"ES256","kid":"e1"}"#, by: fixture.ecdsa)
        for (number, damage) in ["{", "", #"{"keys":{}}"#, #"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#]
            .enumerated()
        {
            try fixture.folder.write(damage, to: "jwks.json")
            for _ in 0..<3 { _ = try await verifier.principal(of: token) }
            let statistics = try #require(verifier.statistics)
            #expect(statistics.keys == 2 && statistics.keySetFailures == number + 1, "\(damage)")
            #expect(statistics.keySetProblem?.contains(fixture.path) == true, "\(damage)")
        }
        try FileManager.default.removeItem(atPath: fixture.path)
        _ = try await verifier.principal(of: token)
        #expect(verifier.statistics?.keySetProblem?.contains("cannot be read") == true)
        try fixture.write(try fixture.ecdsaEntry())
        _ = try await verifier.principal(of: token)
        #expect(verifier.statistics?.keySetProblem == nil && verifier.statistics?.keys == 1)
    }

    @Test func `a list without keys takes all of them back, and is no start`() async throws {
        let (fixture, verifier) = try await Self.withKeys()
        let token = try fixture.token(header: #"{"alg":"ES256","kid":"e1"}"#, by: fixture.ecdsa)
        _ = try await verifier.principal(of: token)
        for entries in [[], [#"{"kty":"OKP","crv":"Ed25519","x":"AAAA","kid":"o"}"#]] {
            try fixture.write(try fixture.ecdsaEntry())
            _ = try await verifier.principal(of: token)
            try fixture.folder.write(#"{"keys":[\#(entries.joined())]}"#, to: "jwks.json")
            await Self.expectRefused(token, verifier)
            #expect(verifier.statistics?.keys == 0 && verifier.statistics?.keySetProblem == nil)
            let error = await expectIdentityError(.invalidSettings) { _ = try await fixture.verifier() }
            #expect(error?.message.contains(fixture.path) == true)
        }
        // The secret of HS256 is another matter.
        _ = try await verifier.principal(of: try fixture.token())
    }

    @Test func `the file is looked at while no token comes`() async throws {
        let (fixture, verifier) = try await Self.withKeys()
        #expect(await verifier.refresh()?.keys == 2)
        try fixture.write(try fixture.ecdsaEntry())
        #expect(verifier.statistics?.keys == 2)
        #expect(await verifier.refresh()?.keys == 1)
        try FileManager.default.removeItem(atPath: fixture.path)
        let problem = await verifier.refresh()?.keySetProblem
        #expect(problem?.contains("{\"keys\": []}") == true, "it says what takes the keys back")
        #expect(verifier.statistics?.keys == 1)
    }

    @Test func `keys for other things are left out, and a bad key is told by its place`() async throws {
        let fixture = try await TokenFixture()
        try fixture.write(
            try fixture.rsaEntry(kid: "enc", more: #","use":"enc""#),
            try fixture.rsaEntry(kid: "512", more: #","alg":"RS512""#),
            #"{"kty":"OKP","crv":"Ed25519","x":"AAAA","kid":"o"}"#,
            #"{"kty":"EC","crv":"P-384","x":"AA","y":"AA","kid":"p"}"#,
            try fixture.ecdsaEntry(more: #","use":"sig","alg":"ES256","key_ops":["verify"],"x5t":"x""#))
        let verifier = try await fixture.verifier()
        #expect(verifier.statistics?.keys == 1)
        await Self.expectRefused(try fixture.token(header: #"{"alg":"RS256","kid":"enc"}"#, by: fixture.rsa), verifier)
        await Self.expectRefused(try fixture.token(header: #"{"alg":"RS256","kid":"512"}"#, by: fixture.rsa), verifier)

        let short = Base64URL.text(of: [UInt8](repeating: 0xC1, count: 128))
        for bad in [
            #"{"kty":"RSA","n":"\#(short)","e":"AQAB"}"#, #"{"kty":"RSA","e":"AQAB"}"#,
            #"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#,
            // On no curve.
            #"{"kty":"EC","crv":"P-256","x":"\#(short.prefix(43))","y":"\#(short.prefix(43))"}"#,
        ] {
            try fixture.write(try fixture.rsaEntry(), bad)
            let error = await expectIdentityError(.invalidSettings) { _ = try await fixture.verifier() }
            #expect(error?.message.contains("number 2") == true && error?.message.contains(short) == false, "\(bad)")
        }
        try fixture.write(try fixture.ecdsaEntry(), try fixture.ecdsaEntry(other: true))
        await expectIdentityError(.invalidSettings) { _ = try await fixture.verifier() }
    }

    @Test func `keys without names are used where there is no doubt`() async throws {
        let fixture = try await TokenFixture()
        try fixture.write(try fixture.ecdsaEntry(kid: nil), try fixture.ecdsaEntry(kid: "e2", other: true))
        let verifier = try await fixture.verifier()
        _ = try await verifier.principal(of: fixture.token(header: #"{"alg":"ES256","kid":"x"}"#, by: fixture.ecdsa))
        _ = try await verifier.principal(
            of: fixture.token(header: #"{"alg":"ES256","kid":"e2"}"#, by: fixture.otherECDSA))
        await Self.expectRefused(try fixture.token(header: #"{"alg":"ES256"}"#, by: fixture.ecdsa), verifier)
    }

    @Test func `settings that cannot be used are refused at the start`() async throws {
        let fixture = try await TokenFixture()
        await expectIdentityError(.invalidSettings) { _ = try await TokenVerifier(TokenPolicy()) }
        await expectIdentityError(.invalidSettings) { _ = try await fixture.verifier() }
        try fixture.write(try fixture.ecdsaEntry())
        let error = await expectIdentityError(.invalidSettings) {
            _ = try await fixture.verifier { $0.secret = Array("a short secret".utf8) }
        }
        #expect(error?.message.contains("a short") == false)
        _ = try await fixture.verifier { $0.secret = nil }
        _ = try await fixture.verifier { $0.keySetFile = nil }
        var policy = TokenPolicy()
        policy.secret = TokenFixture.secret
        var dumped = ""
        dump(policy, to: &dumped)
        let secret = String(decoding: TokenFixture.secret, as: UTF8.self)
        #expect(!"\(policy)".contains(secret) && !dumped.contains("97"), "\(dumped)")
    }
}
