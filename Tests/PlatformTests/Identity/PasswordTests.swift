import Dispatch
import Foundation
import Platform
import Store
import TestSupport
import Testing

struct PasswordTests {
    private static let known = "scrypt$4$8$1$AAECAwQFBgcICQoLDA0ODw==$coHb6LlzckOeOHbDHR6JGt8ViaJ/p4LgT4TcMJHWRUI="
    private let hasher = PasswordHasher(parameters: .cheap)

    // MARK: Hashes

    @Test func `a hash is checked by the password that made it alone`() async throws {
        let hash = try await hasher.hash("correct horse battery")
        #expect(hash.hasPrefix("scrypt$2$1$1$"))
        #expect(try await hasher.check("correct horse battery", against: hash).matches)
        for wrong in [
            "correct horse batterz", "correct horse batter", "Correct horse battery", " correct horse battery", "",
        ] {
            #expect(try await hasher.check(wrong, against: hash).matches == false, "\(wrong)")
        }
    }

    @Test func `hashes are those of another implementation`() async throws {
        // Python's hashlib.scrypt, N = 16, r = 8, p = 1.
        #expect(try await hasher.check("correct horse battery", against: Self.known).matches)
        // And with the cost of every day, once: N = 2¹⁷.
        let costly = "scrypt$17$8$1$AAECAwQFBgcICQoLDA0ODw==$EAyCFyRr7RtXGBezYafM3WKz6t69x8BZe7rEQjjJyYg="
        #expect(try await hasher.check("Straße ñandú", against: costly).matches)
    }

    @Test func `a password is the same however its accents were typed`() async throws {
        let hash = try await hasher.hash("\u{F1}and\u{FA} stra\u{DF}e")
        #expect(try await hasher.check("n\u{303}andu\u{301} stra\u{DF}e", against: hash).matches)
    }

    @Test func `two hashes of one password differ`() async throws {
        #expect(try await hasher.hash("correct horse battery") != hasher.hash("correct horse battery"))
    }

    @Test func `no account matches nothing, not even the empty password`() async throws {
        for password in ["", "\u{0}", "correct horse battery", String(repeating: "x", count: 100_000)] {
            let check = try await hasher.check(password, against: nil)
            #expect(!check.matches && !check.needsRehash)
        }
    }

    @Test func `a hash of other parameters still matches and asks to be made anew`() async throws {
        #expect(hasher.needsRehash(Self.known))
        let check = try await hasher.check("correct horse battery", against: Self.known)
        #expect(check.matches && check.needsRehash)
        let wrong = try await hasher.check("correct horse batterz", against: Self.known)
        #expect(!wrong.matches && !wrong.needsRehash)
        let own = try await hasher.hash("correct horse battery")
        #expect(!hasher.needsRehash(own))
        #expect(try await hasher.check("correct horse battery", against: own).needsRehash == false)
    }

    @Test(arguments: [
        "", "scrypt", "scrypt$4$8$1$AAECAwQFBgcICQoLDA0ODw==$", "bcrypt$4$8$1$AAECAwQFBgcICQoLDA0ODw==$AAAA",
        // One of N, r, p written otherwise, out of bounds or beyond the memory that a hash may take.
        "scrypt$04$8$1$AAECAwQFBgcICQoLDA0ODw==$coHb6LlzckOeOHbDHR6JGt8ViaJ/p4LgT4TcMJHWRUI=",
        "scrypt$+4$8$1$AAECAwQFBgcICQoLDA0ODw==$coHb6LlzckOeOHbDHR6JGt8ViaJ/p4LgT4TcMJHWRUI=",
        "scrypt$0$8$1$AAECAwQFBgcICQoLDA0ODw==$coHb6LlzckOeOHbDHR6JGt8ViaJ/p4LgT4TcMJHWRUI=",
        "scrypt$63$8$1$AAECAwQFBgcICQoLDA0ODw==$coHb6LlzckOeOHbDHR6JGt8ViaJ/p4LgT4TcMJHWRUI=",
        "scrypt$20$16$1$AAECAwQFBgcICQoLDA0ODw==$coHb6LlzckOeOHbDHR6JGt8ViaJ/p4LgT4TcMJHWRUI=",
        "scrypt$4$8$-1$AAECAwQFBgcICQoLDA0ODw==$coHb6LlzckOeOHbDHR6JGt8ViaJ/p4LgT4TcMJHWRUI=",
        "scrypt$4$8$1$AAECAwQFBgcICQoLDA0ODw$coHb6LlzckOeOHbDHR6JGt8ViaJ/p4LgT4TcMJHWRUI=",
        "scrypt$4$8$1$AAECAwQFBgcICQoLDA0ODw==$coHb6LlzckOeOHbDHR6JGt8ViaJ/p4LgT4TcMJHWRUI=$",
    ])
    func `a damaged hash matches nothing and crashes nothing`(stored: String) async throws {
        #expect(try await hasher.check("correct horse battery", against: stored) == hasher.check("x", against: nil))
        #expect(hasher.needsRehash(stored))
    }

    @Test func `no mutation of a hash matches`() async throws {
        var generator = SeededGenerator(seed: 0x5C)
        for _ in 0..<300 {
            var bytes = Array(Self.known.utf8)
            let position = Int.random(in: 0..<bytes.count, using: &generator)
            bytes[position] = UInt8.random(in: 0x21...0x7E, using: &generator)
            let mutated = String(decoding: bytes, as: UTF8.self)
            guard mutated != Self.known else { continue }
            #expect(
                try await hasher.check("correct horse battery", against: mutated).matches == false,
                "\(mutated) \(generator)")
        }
    }

    @Test func `more than may wait are told to come again`() async throws {
        // Each takes some milliseconds, and all begin within less.
        let busy = PasswordHasher(parameters: ScryptParameters(logN: 14, r: 8, p: 1), concurrency: 1, maximumWaiting: 1)
        let outcomes = await withTaskGroup(of: IdentityError?.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    do {
                        _ = try await busy.check("x", against: nil)
                        return nil
                    } catch let error as IdentityError {
                        return error
                    } catch {
                        Issue.record("\(error)")
                        return nil
                    }
                }
            }
            return await group.reduce(into: [IdentityError?]()) { $0.append($1) }
        }
        let refused = outcomes.compactMap(\.self)
        #expect(!refused.isEmpty && refused.count < 40)
        #expect(refused.allSatisfy { $0.code == .overloaded && $0.retryAfter != nil })
        #expect(try await busy.check("x", against: nil).matches == false, "and it goes on afterwards")
    }

    @Test func `computes two at a time where nothing else is said`() {
        #expect(PasswordHasher(parameters: .cheap).concurrency == 2)
    }

    // MARK: Rules

    @Test(arguments: [
        "short", "123456789", "correct h",
        // Of the first that anybody tries, in other clothes too.
        "1234567890", "0987654321", "12345678910", "password123", "PASSWORD2024!", "!!password!!", "qwertyuiop",
        "QwertyUiop", "poiuytrewq", "asdfghjkl;".replacingOccurrences(of: ";", with: "z"), "aaaaaaaaaaaa",
        "abababababab", "abcabcabcabc", "abcdefghijkl", "zyxwvutsrqp", "iloveyou1234", "changeme!!", "Pathlight2026",
        "letmein12345",
    ])
    func `a weak password is refused`(password: String) async {
        await expectIdentityError(.weakPassword) { try PasswordRules.check(password) }
    }

    @Test(arguments: [
        "correct horse battery", "vier Worte sind gut", "tk7#Qp2!mZ", "ñandú über straße", "😀🐎🔋📎🍎🚀🎻🧭🪁🧩",
        "password of my neighbour", String(repeating: "ab cd ef gh", count: 20),
    ])
    func `a good password is taken`(password: String) throws { try PasswordRules.check(password) }

    @Test func `length is counted in characters from 10 to 256`() async throws {
        func text(_ count: Int) -> String { String((0..<count).map { _ in "ñöüß龍x7kq".randomElement() ?? "x" }) }
        // Decomposed, the same password has more scalars than it counts for.
        try PasswordRules.check("n\u{303}o\u{308}u\u{308}dragon7")
        await expectIdentityError(.weakPassword) { try PasswordRules.check("n\u{303}o\u{308}u\u{308}drag7") }
        try PasswordRules.check("kq龍7zpwm4x" + text(246))
        await expectIdentityError(.weakPassword) { try PasswordRules.check("kq龍7zpwm4x" + text(247)) }
        await expectIdentityError(.weakPassword) { try PasswordRules.check(String(repeating: "kq7 ", count: 1 << 20)) }
        await expectIdentityError(.weakPassword) { try PasswordRules.check("") }
    }

    @Test func `the address and the name are no passwords`() async throws {
        let email = try EmailAddress("ada.lovelace@example.org")
        for password in ["ada.lovelace@example.org", "Ada.Lovelace@Example.ORG", "ada.lovelace"] {
            await expectIdentityError(.weakPassword) { try PasswordRules.check(password, email: email) }
        }
        await expectIdentityError(.weakPassword) { try PasswordRules.check("ada lovelace", name: "Ada Lovelace") }
        try PasswordRules.check("ada.lovelace@example.org", email: try EmailAddress("charles@example.org"))
    }

    @Test func `no rule crashes on any text`() {
        var generator = SeededGenerator(seed: 0x9A)
        for _ in 0..<2_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0..<40, using: &generator) {
                if let scalar = Unicode.Scalar(UInt32.random(in: 0...0x2FFFF, using: &generator)) {
                    text.append(scalar)
                }
            }
            do {
                try PasswordRules.check(String(text))
                #expect((10...256).contains(String(text).precomposedStringWithCanonicalMapping.unicodeScalars.count))
            } catch {
                #expect(error.code == .weakPassword, "\(generator)")
            }
        }
    }
}
