internal import Crypto
internal import Foundation
internal import JWTKit
internal import Store

/// How tokens may be signed (RFC 7518, section 3.1). Nothing else is looked at, `none` least of all.
enum TokenAlgorithm: String, Sendable {
    case hs256 = "HS256"
    case rs256 = "RS256"
    case es256 = "ES256"
}

/// A key and the one algorithm that it is for.
struct TokenKey: Sendable {
    let id: String?
    let algorithm: TokenAlgorithm
    let verifier: any JWTAlgorithm

    /// A shared secret.
    static func hmac(_ secret: [UInt8]) async throws -> TokenKey {
        let collection = await JWTKeyCollection().add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
        return TokenKey(id: nil, algorithm: .hs256, verifier: try await collection.getKey())
    }
}

/// The public keys of a JWKS document (RFC 7517): RSA keys of 2,048 bits and more for RS256, P-256 for ES256. Keys of other
/// kinds, for other algorithms and for encryption are left out. A document without any usable key is one by which no token
/// holds.
struct TokenKeySet: Sendable {
    static let maximumBytes = 1 << 20
    private static let maximumKeys = 100

    let keys: [TokenKey]

    init(keys: [TokenKey]) { self.keys = keys }

    /// - Throws: `IdentityError` of code `invalidSettings`, which says what is wrong with the document.
    init(json: [UInt8]) async throws {
        guard json.count <= Self.maximumBytes else { throw Self.refusal("it is larger than 1 MiB") }
        let document: Document
        do {
            document = try JSONDecoder().decode(Document.self, from: Data(json))
        } catch {
            throw Self.refusal("it is no JSON document with a list “keys”")
        }
        guard document.keys.count <= Self.maximumKeys else {
            throw Self.refusal("it has more than \(Self.maximumKeys) keys")
        }
        var keys: [TokenKey] = []
        for (position, entry) in document.keys.enumerated() {
            do {
                guard let key = try await entry.key() else { continue }
                let isTwice = keys.contains { $0.algorithm == key.algorithm && $0.id == key.id }
                guard !isTwice else { throw Self.refusal("two keys have the same “kid” or none") }
                keys.append(key)
            } catch let error as IdentityError {
                throw error
            } catch {
                // Nothing of the key itself in the message.
                throw Self.refusal("its key number \(position + 1) is not a usable \(entry.kty) key")
            }
        }
        self.keys = keys
    }

    /// The key that a token is to be checked with: of its algorithm, and of its id where both have one.
    func key(id: String?, algorithm: TokenAlgorithm) -> TokenKey? {
        let fitting = keys.filter { $0.algorithm == algorithm }
        if let id, let named = fitting.first(where: { $0.id == id }) { return named }
        let unnamed = id == nil ? fitting : fitting.filter { $0.id == nil }
        return unnamed.count == 1 ? unnamed.first : nil
    }

    static func refusal(_ reason: String) -> IdentityError {
        IdentityError(.invalidSettings, "the key set cannot be used: \(reason)")
    }

    private struct Document: Decodable {
        let keys: [Entry]
    }

    private struct Entry: Decodable {
        let kty: String
        let kid: String?
        let alg: String?
        let use: String?
        let crv: String?
        let n: String?
        let e: String?
        let x: String?
        let y: String?

        /// Nil for a key that is for something else.
        func key() async throws -> TokenKey? {
            guard use == nil || use == "sig" else { return nil }
            let collection = JWTKeyCollection()
            switch (kty, alg ?? expectedAlgorithm) {
            case ("RSA", "RS256"):
                let key = try Insecure.RSA.PublicKey(
                    modulus: try Self.canonical(n), exponent: try Self.canonical(e))
                await collection.add(rsa: key, digestAlgorithm: .sha256)
                return TokenKey(id: kid, algorithm: .rs256, verifier: try await collection.getKey())
            case ("EC", "ES256") where crv == "P-256":
                let key = try ES256PublicKey(parameters: (x: try Self.canonical(x), y: try Self.canonical(y)))
                await collection.add(ecdsa: key)
                return TokenKey(id: kid, algorithm: .es256, verifier: try await collection.getKey())
            default:
                return nil
            }
        }

        private var expectedAlgorithm: String? {
            switch kty {
            case "RSA": "RS256"
            case "EC": "ES256"
            default: nil
            }
        }

        private struct Missing: Error {}

        private static func canonical(_ number: String?) throws -> String {
            guard let number, !number.isEmpty, Base64URL.bytes(of: number.utf8) != nil else { throw Missing() }
            return number
        }
    }
}
