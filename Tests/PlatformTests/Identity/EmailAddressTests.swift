import Platform
import TestSupport
import Testing

struct EmailAddressTests {
    @Test(arguments: [
        ("ada@example.org", "ada@example.org"), ("  Ada.Lovelace@EXAMPLE.org ", "ada.lovelace@example.org"),
        ("a+tag@b.co", "a+tag@b.co"), ("o'brien@x-y.example", "o'brien@x-y.example"),
        ("1@2.xn--p1ai", "1@2.xn--p1ai"), ("a@b.c", "a@b.c"),
        (String(repeating: "a", count: 64) + "@example.org", String(repeating: "a", count: 64) + "@example.org"),
    ])
    func `an address comes out in its one form`(given: String, expected: String) throws {
        let address = try EmailAddress(given)
        #expect(address.text == expected)
        #expect(expected.hasSuffix("@" + address.domain))
        #expect(try EmailAddress(address.text) == address)
    }

    @Test(arguments: [
        "", " ", "@", "a@", "@b.c", "ada", "ada@localhost", "ada@example.", "ada@.org", "ada@exa..mple.org",
        ".ada@example.org", "ada.@example.org", "a..b@example.org", "a b@example.org", "a@b@example.org",
        "\"ada\"@example.org", "ada@[127.0.0.1]", "ada@127.0.0.1", "ada@-x.org", "ada@x-.org", "ada@ex_ample.org",
        "Ada <ada@example.org>", "ada@example.org,bob@example.org", "ada@example.org;", "ada(x)@example.org",
        "ada@example.org\r\nBcc: all@example.org", "ada\n@example.org", "ada@example.org\n", "\tada@example.org",
        "ada\u{0}@example.org", "ädä@example.org", "ada@exämple.org", "ada@example\u{3002}org", "ada@еxample.org",
        String(repeating: "a", count: 65) + "@example.org",
        "ada@" + String(repeating: "a", count: 64) + ".org",
        "ada@" + String(repeating: "abcdefghi.", count: 26) + "org",
        String(repeating: "a", count: 1 << 20),
    ])
    func `what is no plain address is refused`(given: String) async {
        let error = await expectIdentityError(.invalidEmail) { _ = try EmailAddress(given) }
        // A refusal tells what is wrong, not what was given.
        #expect(error?.message.contains("ada") == false && error?.message.contains("\n") == false)
    }

    @Test func `whatever is accepted has no room for a header`() {
        var generator = SeededGenerator(seed: 0xE4A1)
        let alphabet = Array("aZ0.-_@+'\"<>,;:\\ \t\r\n\u{0}\u{7F}éß()[]%".unicodeScalars)
        var accepted = 0
        for _ in 0..<50_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                text.append(alphabet.randomElement(using: &generator) ?? "a")
            }
            text.append("@")
            for letter in "b-c.org".unicodeScalars {
                let isKept = Int.random(in: 0..<5, using: &generator) > 0
                text.append(isKept ? letter : alphabet.randomElement(using: &generator) ?? "a")
            }
            guard let address = try? EmailAddress(String(text)) else { continue }
            accepted += 1
            #expect(address.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "\(generator)")
            #expect(address.text.utf8.count { $0 == UInt8(ascii: "@") } == 1, "\(generator)")
            #expect(!address.text.contains(where: { "<>,;:\\\"()[] ".contains($0) }), "\(generator)")
            #expect(address.text == address.text.lowercased())
        }
        #expect(accepted > 50, "the generator also makes addresses")
    }

    @Test func `a description hides the address`() throws {
        let address = try EmailAddress("ada@example.org")
        var dumped = ""
        dump(address, to: &dumped)
        for text in ["\(address)", String(reflecting: address), dumped] {
            #expect(!text.contains("example"), "\(text)")
        }
    }
}
