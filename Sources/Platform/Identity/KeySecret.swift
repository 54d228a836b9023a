internal import Crypto
internal import Store

/// An API key as its owner holds it: `plk_` + 16 hexadecimal digits + `_` + 43 characters of base64url.
///
/// The digits are the key's public id, the rest is 32 random bytes. With that much chance in it a slow hash would
/// protect nothing, so what is stored is a salt and SHA-256.
package struct KeySecret: Sendable {
    package static let prefix = "plk_"
    static let idBytes = 8
    static let secretBytes = 32
    static let saltBytes = 16
    /// Of the whole text.
    package static let length = 4 + 2 * idBytes + 1 + 43

    /// The public part, by which the key is found and named.
    package let id: String
    private let secret: [UInt8]

    private init(id: String, secret: [UInt8]) {
        self.id = id
        self.secret = secret
    }

    /// A new key.
    package static func make(random: RandomBytes = .system) -> KeySecret {
        KeySecret(id: Hexadecimal.text(of: random(idBytes)), secret: random(secretBytes))
    }

    /// Reads a key's text, which has one form alone: no spaces, no padding, no capital digits in the id.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        let idEnd = 4 + 2 * Self.idBytes
        guard bytes.count == Self.length, bytes.starts(with: Self.prefix.utf8), bytes[idEnd] == UInt8(ascii: "_"),
            bytes[4..<idEnd].allSatisfy(Hexadecimal.isDigit),
            let secret = Base64URL.bytes(of: bytes[(idEnd + 1)...]), secret.count == Self.secretBytes
        else { return nil }
        self.init(id: String(decoding: bytes[4..<idEnd], as: UTF8.self), secret: secret)
    }

    /// The whole key, to be shown once to who it is for.
    package var revealed: String { "\(Self.prefix)\(id)_\(Base64URL.text(of: secret))" }

    /// What is stored: SHA-256 of salt and secret.
    package func hash(salt: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: salt)
        hash.update(data: secret)
        return Array(hash.finalize())
    }

    /// Whether this is the key of which `hash` was stored, in a time that does not tell how close it is.
    package func matches(hash stored: [UInt8], salt: [UInt8]) -> Bool {
        ConstantTime.areEqual(hash(salt: salt), stored)
    }
}

extension KeySecret: CustomStringConvertible, CustomReflectable {
    package var description: String { "\(Self.prefix)\(id)_…" }
    package var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}

/// Hexadecimal digits in lower case.
enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(of bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    static func isDigit(_ byte: UInt8) -> Bool { digits.contains(byte) }
}
