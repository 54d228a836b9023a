import Foundation
import Platform
import Store
import TestSupport
import Testing

struct ColumnSealerTests {
    /// Computed by Python's `cryptography` 48: HKDF-SHA-256 without salt, AES-256-GCM, HMAC-SHA-256.
    @Test func `seals and indexes are those of another implementation`() throws {
        let secrets = PrivateFixtures.secrets
        let ring = try KeyRing.parse(Array("k1 \(secrets[0])\nindex \(secrets[1])".utf8), place: "test")
        let sealer = ColumnSealer(KeyRingSource(ring, file: nil), makeNonce: { Array(100..<112) })
        #expect(
            try sealer.seal("Ada Löve <ada@example.org>", column: "users.email")
                == "pl1:k1:ZGVmZ2hpamtsbW5vcMjBn9OcJeNQEKtGSYbtb7pj2XZfnVB6Vto5x9uK4tSVZFxixnbBIHfDeA")
        #expect(
            sealer.index("ada@example.org", column: "users.email")
                == "1b9283012167f417261391e728eec675222e4a337fcd995ada1d98c2aa2e0772")
        let alone = ColumnSealer(try KeyRing.parse(Array("k1 \(secrets[0])".utf8), place: "test"))
        #expect(
            alone.index("ada@example.org", column: "users.email")
                == "adc9b30977451ae7371479f565a023ac52c66537597509d6124c23de511b95fc")
    }

    @Test func `any text comes back, through any key of the ring`() throws {
        var generator = SeededGenerator(seed: 61)
        let old = ColumnSealer(try PrivateFixtures.ring("k1"))
        let new = ColumnSealer(try PrivateFixtures.ring("k2", "k1"))
        for _ in 0..<300 {
            let scalars = (0..<Int.random(in: 0..<60, using: &generator)).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: 0..<0x11_0000, using: &generator))
            }
            var text = String(String.UnicodeScalarView(scalars))
            if Bool.random(using: &generator) {
                text = ["pl1:", "pl0:", "pl1:k1:"].randomElement(using: &generator)! + text
            }
            for sealer in [old, new] {
                let sealed = try sealer.seal(text, column: "users.name")
                #expect(sealed.hasPrefix("pl1:\(sealer.currentID):") && !sealed.utf8.contains(0))
                #expect(Array(try new.open(sealed, column: "users.name").utf8) == Array(text.utf8), "\(generator)")
            }
        }
    }

    @Test func `plain text from before opens as it is`() throws {
        let sealer = ColumnSealer(try PrivateFixtures.ring("k1"))
        for text in ["", "{}", "ada@example.org", "pl1", "pl1:", "pl1:K1:AAAA", "pl1:no colon after the id"] {
            #expect(try sealer.open(text, column: "users.email") == text)
        }
        let plain = PlainColumns().seal("pl1:k1:AAAA", column: "users.email")
        #expect(try sealer.open(plain, column: "users.email") == "pl1:k1:AAAA")
    }

    @Test func `changing any byte is noticed`() throws {
        let sealer = ColumnSealer(try PrivateFixtures.ring("k1"))
        let sealed = Array(try sealer.seal("nobody may read this", column: "users.name").utf8)
        for place in sealed.indices {
            for replacement in Set([sealed[place] ^ 1, UInt8(ascii: "A"), UInt8(ascii: "-")]).subtracting([
                sealed[place]
            ]) {
                var changed = sealed
                changed[place] = replacement
                let text = String(decoding: changed, as: UTF8.self)
                if let opened = try? sealer.open(text, column: "users.name") {
                    // Without its mark it is plain text, and so shows itself.
                    #expect(opened == SealedText.unescaping(text) && SealedText.keyID(of: text) == nil, "byte \(place)")
                }
            }
        }
        for count in 0..<(sealed.count - 7) {
            let cut = String(decoding: sealed.prefix(7 + count), as: UTF8.self)
            #expect(throws: ColumnCipherError(.damaged, column: "users.name", keyID: "k1")) {
                try sealer.open(cut, column: "users.name")
            }
        }
    }

    @Test func `a value opens in its own column alone`() throws {
        let sealer = ColumnSealer(try PrivateFixtures.ring("k1"))
        let sealed = try sealer.seal("Ada", column: "users.name")
        #expect(throws: ColumnCipherError(.damaged, column: "users.email", keyID: "k1")) {
            try sealer.open(sealed, column: "users.email")
        }
    }

    @Test func `a key that is missing, or is another of the same name, is named and nothing else is`() throws {
        let sealed = try ColumnSealer(try PrivateFixtures.ring("k1")).seal("a secret", column: "users.name")
        #expect(throws: ColumnCipherError(.missingKey, column: "users.name", keyID: "k1")) {
            try ColumnSealer(try PrivateFixtures.ring("k2")).open(sealed, column: "users.name")
        }
        let secret = PrivateFixtures.secrets[2]
        let other = try KeyRing.parse(Array("k1 \(secret)".utf8), place: "test")
        let error = try #require(throws: ColumnCipherError.self) {
            try ColumnSealer(other).open(sealed, column: "users.name")
        }
        #expect(error == ColumnCipherError(.damaged, column: "users.name", keyID: "k1"))
        #expect(!"\(error)".contains("a secret") && !"\(error)".contains(sealed.suffix(10)))
        // Renamed to another key's, it is damaged, since the id is bound as well.
        let ring = try PrivateFixtures.ring("k2", "k1")
        let renamed = sealed.replacing("pl1:k1:", with: "pl1:k2:")
        #expect(throws: ColumnCipherError.self) { try ColumnSealer(ring).open(renamed, column: "users.name") }
    }

    @Test func `no nonce comes twice in a hundred thousand seals`() throws {
        let sealer = ColumnSealer(try PrivateFixtures.ring("k1"))
        var nonces: Set<String> = []
        for _ in 0..<100_000 { nonces.insert(String(try sealer.seal("", column: "c.c").dropFirst(7).prefix(16))) }
        #expect(nonces.count == 100_000)
    }

    @Test func `an index depends on text, column and index key, and not on the current key`() throws {
        let one = ColumnSealer(try PrivateFixtures.ring("k1"))
        let rotated = ColumnSealer(try PrivateFixtures.ring("k2", "k1"))
        let other = ColumnSealer(try PrivateFixtures.ring("k1", index: 2))
        let index = one.index("ada", column: "users.email")
        #expect(index.utf8.count == 64 && index == rotated.index("ada", column: "users.email"))
        #expect(index != one.index("Ada", column: "users.email"))
        #expect(index != one.index("ada", column: "users.name"))
        #expect(index != other.index("ada", column: "users.email"))
        #expect(index != PlainColumns().index("ada", column: "users.email"))
    }
}
