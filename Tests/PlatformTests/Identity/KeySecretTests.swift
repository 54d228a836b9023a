import Foundation
import Platform
import TestSupport
import Testing

struct KeySecretTests {
    private static let salt = [UInt8](repeating: 7, count: 16)

    @Test func `a key reads back as itself and has the documented form`() throws {
        for _ in 0..<200 {
            let made = KeySecret.make()
            let text = made.revealed
            #expect(text.utf8.count == 64 && text.hasPrefix("plk_"))
            #expect(
                try #require(try? Regex("plk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}").wholeMatch(in: text)).output.count == 1)
            let read = try #require(KeySecret(text))
            #expect(read.id == made.id && read.revealed == text)
            #expect(read.matches(hash: made.hash(salt: Self.salt), salt: Self.salt))
        }
    }

    @Test func `keys are all different`() {
        let keys = (0..<500).map { _ in KeySecret.make() }
        #expect(Set(keys.map(\.id)).count == keys.count)
        #expect(Set(keys.map { $0.revealed.suffix(43) }).count == keys.count)
    }

    @Test func `a key is made of the randomness that was given`() {
        let key = KeySecret.make(random: RandomBytes { count in (0..<count).map { UInt8($0) } })
        #expect(key.revealed == "plk_0001020304050607_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
    }

    @Test func `what is stored is SHA-256 of salt and secret`() throws {
        let key = try #require(KeySecret("plk_0001020304050607_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"))
        // sha256(0x00…0x0f ‖ 0x00…0x1f), by another program.
        let hash = key.hash(salt: Array(0..<16)).map { String(format: "%02x", $0) }.joined()
        #expect(hash == "95e66ce408bcb45134e08d159c51e1f4f3432cba4204228e3473e5648bb4408e")
    }

    @Test func `another secret, id or salt does not match`() throws {
        let (one, two) = (KeySecret.make(), KeySecret.make())
        let hash = one.hash(salt: Self.salt)
        #expect(!two.matches(hash: hash, salt: Self.salt))
        #expect(!one.matches(hash: hash, salt: [1]))
        #expect(!one.matches(hash: Array(hash.dropLast()), salt: Self.salt))
        #expect(!one.matches(hash: [], salt: Self.salt))
        for position in hash.indices {
            var other = hash
            other[position] ^= 1
            #expect(!one.matches(hash: other, salt: Self.salt), "byte \(position)")
        }
    }

    @Test(arguments: [
        "", "plk_", "plk_0001020304050607", "plk_0001020304050607_",
        // Capital id, wrong prefix, padding, spaces, standard base64, an id that is too long, stray bits at the end.
        "plk_000102030405060A_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "PLK_0001020304050607_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "plk-0001020304050607_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "plk_0001020304050607_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        " plk_0001020304050607_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "plk_0001020304050607_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n",
        "plk_0001020304050607_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH+8",
        "plk_00010203040506070_AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "plk_0001020304050607_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9",
        "plk_0001020304050607_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHhé",
    ])
    func `anything but the one form is refused`(text: String) {
        #expect(KeySecret(text) == nil)
    }

    @Test func `every mutation is refused or is another key`() throws {
        var generator = SeededGenerator(seed: 0x1D)
        let original = KeySecret.make(random: RandomBytes { [UInt8](repeating: 0xA5, count: $0) })
        let alphabet = Array("plk_-0123456789abcdefABCXYZxyz= \n/+\u{0}é".unicodeScalars)
        var accepted = 0
        for _ in 0..<20_000 {
            var scalars = Array(original.revealed.unicodeScalars)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let position = Int.random(in: 0..<scalars.count, using: &generator)
                let scalar = alphabet.randomElement(using: &generator) ?? "a"
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: scalars.insert(scalar, at: position)
                case 1 where scalars.count > 1: scalars.remove(at: position)
                default: scalars[position] = scalar
                }
            }
            let text = String(String.UnicodeScalarView(scalars))
            guard let key = KeySecret(text) else { continue }
            accepted += 1
            // Read back letter for letter, so that no two texts are one key.
            #expect(key.revealed == text, "\(generator)")
        }
        #expect(accepted > 100, "the generator also makes keys")
    }

    @Test func `a description hides the secret`() throws {
        let key = KeySecret.make()
        let secret = key.revealed.suffix(43)
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] {
            #expect(!text.contains(secret) && text.contains(key.id), "\(text)")
        }
    }
}
