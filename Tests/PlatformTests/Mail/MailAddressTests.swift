import Platform
import Store
import TestSupport
import Testing

struct MailAddressTests {
    @Test(arguments: [
        "ada@example.org", "a@b", "first.last+tag@sub.example.org", "!#$%&'*+-/=?^_`{|}~@example.org",
        "x@xn--bcher-kva.example", "1@2.example", String(repeating: "a", count: 64) + "@example.org",
    ])
    func `an address is taken as it is`(text: String) throws {
        #expect(try MailAddress(text).addressSpec == text)
    }

    @Test(arguments: [
        "", "ada", "@example.org", "ada@", "ada@@example.org", "a b@example.org", "ada@exa mple.org", ".a@example.org",
        "a.@example.org", "a..b@example.org", "\"a b\"@example.org", "ada@[192.0.2.1]", "ada@192.0.2.1", "ada@-x.org",
        "ada@x-.org", "ada@x..org", "ada@.org", "ada@example.org.", "ada@exa_mple.org", "ada\r\n@example.org",
        "ada@example.org\r\nBcc: x@y", "ada@example.org\n", "ada\0@example.org", "ada@example.org>", "<ada@example.org",
        "ada(comment)@example.org", "ada@bücher.example", "ädä@example.org", "ada,b@example.org", "ada;b@example.org",
        String(repeating: "a", count: 65) + "@example.org", "a@" + String(repeating: "b", count: 64) + ".org",
        "a@" + String(repeating: "b.", count: 130) + "org",
    ])
    func `what is no address is refused, and not repeated`(text: String) {
        let error = #expect(throws: MailError.self) { try MailAddress(text) }
        #expect(error?.code == .invalidAddress)
        if text.utf8.count > 3 { #expect(error?.message.contains(text) == false) }
    }

    @Test func `domains beyond ASCII are told the form that works`() {
        let error = #expect(throws: MailError.self) { try MailAddress("ada@bücher.example") }
        #expect(error?.message.contains("xn--") == true)
    }

    @Test func `names and addresses are read from settings`() throws {
        let plain = try MailAddress(parsing: "Mail@Example.ORG")
        #expect(plain.addressSpec == "Mail@example.org" && plain.name == nil && plain.canonical == "mail@example.org")
        let named = try MailAddress(parsing: "Path <light> <mail@example.org>")
        #expect(named.name?.text == "Path <light>" && named.addressSpec == "mail@example.org")
        #expect(try MailAddress(parsing: "\"Quoted, Name\" <a@b.org>").name?.text == "Quoted, Name")
        #expect(try MailAddress(parsing: "<a@b.org>").name == nil)
        #expect(throws: MailError.self) { try MailAddress(parsing: "Name <a@b.org") }
        #expect(throws: MailError.self) { try MailAddress(parsing: "Na\nme <a@b.org>") }
    }

    @Test func `what is printed of an address gives nothing away`() throws {
        let address = try MailAddress("grace.hopper@example.org", name: "Grace Hopper")
        var dumped = ""
        dump(address, to: &dumped)
        for text in ["\(address)", String(reflecting: address), dumped] {
            #expect(!text.contains("hopper") && !text.contains("Hopper") && text.contains("example.org"))
        }
    }

    @Test func `no bytes at all become an address with a line's end in it`() {
        var generator = SeededGenerator()
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 1...20, using: &generator)).map { _ in
                [UInt8(ascii: "@"), UInt8(ascii: "a"), UInt8(ascii: "."), UInt8.random(in: 0...255, using: &generator)]
                    .randomElement(using: &generator) ?? 0
            }
            guard let address = try? MailAddress(String(decoding: bytes, as: UTF8.self)) else { continue }
            #expect(
                address.addressSpec.utf8.allSatisfy {
                    (0x21...0x7E).contains($0) && !"<>(),;:\\\"[]".utf8.contains($0)
                },
                "\(generator)")
        }
    }

    @Test func `message ids are the same for the same key and tell nothing of it`() throws {
        let sender = try MailAddress("mail@example.org")
        let id = MailMessageID(key: "digest:ada", sender: sender)
        #expect(id == MailMessageID(key: "digest:ada", sender: sender))
        #expect(id != MailMessageID(key: "digest:bob", sender: sender))
        #expect(id.text.hasSuffix("@example.org") && !id.text.contains("ada"))
        #expect(try MailMessageID(id.text) == id)
        for wrong in ["", "a", "a@", "@b", "a@b@c", "a b@c", "a@b>", "a@b\r\n", "<a@b"] {
            #expect(throws: MailError.self, "\(wrong)") { try MailMessageID(wrong) }
        }
    }

    @Test func `lists and links are held to their form`() throws {
        #expect(try MailList("digest-2").name == "digest-2")
        for wrong in ["", "Digest", "-a", "a-", "a b", "a\n", "ä", String(repeating: "a", count: 33)] {
            #expect(throws: MailError.self, "\(wrong)") { try MailList(wrong) }
        }
        _ = try ListUnsubscribe(url: "https://a.example/u/x.y?z=%20")
        for wrong in [
            "http://a.example", "https://", "https://a b", "https://a>", "https://a,b", "https://a\r\nX: y",
            "https://ä",
        ] {
            #expect(throws: MailError.self, "\(wrong)") { try ListUnsubscribe(url: wrong) }
        }
    }
}
