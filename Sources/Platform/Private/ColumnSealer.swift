import Crypto
import Foundation
import Store

/// Seals columns with AES-256-GCM (NIST SP 800-38D) under the current key of a ring.
///
/// The nonce has 96 random bits: after 2³² seals under one key the chance of one coming twice is 2⁻³³ (section 8.3), and
/// the key should have been changed long before. Column and key id are associated data, so that a value opens only
/// where it was sealed. Which row it belongs to is not bound: whoever can write the database can give one person's
/// answers to another, and could as well change who owns them.
package struct ColumnSealer: ColumnCipher {
    static let nonceBytes = 12
    static let tagBytes = 16

    package let source: KeyRingSource
    private let makeNonce: (@Sendable () -> [UInt8])?

    /// - Parameter makeNonce: gives 12 bytes, for a test alone: a nonce that comes twice gives both texts away. Nil for
    ///   the system's randomness.
    package init(_ source: KeyRingSource, makeNonce: (@Sendable () -> [UInt8])? = nil) {
        self.source = source
        self.makeNonce = makeNonce
    }

    package init(_ ring: KeyRing) { self.init(KeyRingSource(ring, file: nil)) }

    /// The id of the key that seals now.
    package var currentID: String { source.ring.currentID }

    package func seal(_ text: String, column: String) throws -> String {
        let ring = source.ring
        let id = ring.currentID
        guard let key = ring.sealingKeys[id], let nonce = nonce(),
            let box = try? AES.GCM.seal(
                Array(text.utf8), using: key, nonce: nonce, authenticating: Self.associated(column, id)),
            let combined = box.combined
        else { throw ColumnCipherError(.notSealed, column: column, keyID: id) }
        return "\(SealedText.prefix)\(id):\(Base64URL.text(of: Array(combined)))"
    }

    package func open(_ stored: String, column: String) throws -> String {
        guard let id = SealedText.keyID(of: stored) else { return SealedText.unescaping(stored) }
        // Another process may have added the key since the ring was read.
        guard let key = source.ring.sealingKeys[id] ?? source.refreshed().sealingKeys[id] else {
            throw ColumnCipherError(.missingKey, column: column, keyID: id)
        }
        let damaged = ColumnCipherError(.damaged, column: column, keyID: id)
        // An array first: of a text's bytes without their beginning each would be copied by itself.
        let digits = Array(stored.utf8).dropFirst(SealedText.prefix.utf8.count + id.utf8.count + 1)
        guard let combined = Base64URL.bytes(of: digits), combined.count >= Self.nonceBytes + Self.tagBytes,
            let box = try? AES.GCM.SealedBox(combined: combined),
            let bytes = try? AES.GCM.open(box, using: key, authenticating: Self.associated(column, id)),
            let text = String(validating: bytes, as: UTF8.self)
        else { throw damaged }
        return text
    }

    /// HMAC-SHA-256 of column and text in hexadecimal, under a key that does not change with the others.
    package func index(_ text: String, column: String) -> String {
        var code = HMAC<SHA256>(key: source.ring.indexKey)
        // A column has no line feed, so that no two pairs of column and text read the same.
        code.update(data: Array("\(column)\n".utf8))
        code.update(data: Array(text.utf8))
        return Hexadecimal.text(of: code.finalize())
    }

    private func nonce() -> AES.GCM.Nonce? {
        guard let makeNonce else { return AES.GCM.Nonce() }
        return try? AES.GCM.Nonce(data: makeNonce())
    }

    private static func associated(_ column: String, _ keyID: String) -> [UInt8] {
        Array("\(SealedText.prefix)\(keyID):\(column)".utf8)
    }
}

extension ColumnSealer: CustomStringConvertible, CustomReflectable {
    package var description: String { "column sealer with a \(source.ring)" }
    package var customMirror: Mirror { Mirror(self, children: ["key": source.ring.currentID]) }
}
