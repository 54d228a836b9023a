import Foundation
import Store
import TestSupport
import Testing

/// Marks text instead of sealing it, so that what went through it shows.
private struct MarkingCipher: ColumnCipher {
    func seal(_ text: String, column: String) -> String { "pl1:k:\(column)|\(String(text.reversed()))" }

    func open(_ stored: String, column: String) throws -> String {
        guard SealedText.keyID(of: stored) != nil else { return SealedText.unescaping(stored) }
        let prefix = "pl1:k:\(column)|"
        guard stored.hasPrefix(prefix) else { throw ColumnCipherError(.damaged, column: column, keyID: "k") }
        return String(stored.dropFirst(prefix.count).reversed())
    }

    func index(_ text: String, column: String) -> String { "\(column)|\(text)" }
}

struct ColumnCipherTests {
    private let plain = PlainColumns()

    @Test func `plain columns keep text as it is`() throws {
        for text in ["", "ada@example.org", "{\"1\":\"a\"}", "pl", "pl1", "Ünï\u{1F600}"] {
            #expect(plain.seal(text, column: "users.email") == text)
            #expect(try plain.open(text, column: "users.email") == text)
        }
    }

    @Test(arguments: ["pl1:", "pl1:k1:abc", "pl0:", "pl0:pl1:k1:abc", "pl0:pl0:x", "pl1:k1:\u{301}", "pl0:\u{301}a"])
    func `plain text that looks sealed or escaped comes back as it was`(text: String) throws {
        let stored = plain.seal(text, column: "c.c")
        #expect(stored == "pl0:" + text)
        #expect(SealedText.keyID(of: stored) == nil)
        #expect(Array(try plain.open(stored, column: "c.c").utf8) == Array(text.utf8))
    }

    @Test func `what a key sealed is refused without one, naming key and column`() throws {
        let error = try #require(throws: ColumnCipherError.self) {
            try plain.open("pl1:k-1:AAAA", column: "users.email")
        }
        #expect(error == ColumnCipherError(.missingKey, column: "users.email", keyID: "k-1"))
        #expect("\(error)".contains("users.email") && "\(error)".contains("k-1") && !"\(error)".contains("AAAA"))
    }

    @Test func `an index tells texts and columns apart, and is SHA-256`() {
        #expect(
            plain.index("ada@example.org", column: "users.email")
                == "68e5a95549e63fef02bb77005d9f862622690ecc3d81f6765f1bd5c9556f9d52")
        #expect(plain.index("a", column: "x") != plain.index("b", column: "x"))
        #expect(plain.index("a", column: "x") != plain.index("a", column: "y"))
    }

    @Test(arguments: [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        (55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
        (56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"),
        (63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"),
        (64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
        (65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"),
        (1000, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"),
    ])
    func `the digest agrees with hashlib at every boundary of a block`(count: Int, digest: String) {
        #expect(TextDigest.hexadecimal(of: String(repeating: "a", count: count)) == digest)
    }

    @Test func `bytes come back, text or not`() throws {
        var generator = SeededGenerator(seed: 41)
        let fixed: [[UInt8]] = [
            [], [0], Array("{\"a\":1}".utf8), [0xFF, 0xFE], Array("base64:AA".utf8), Array("pl1:k:x".utf8),
        ]
        let random = (0..<200).map { _ in
            (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
        }
        for bytes in fixed + random {
            for cipher in [PlainColumns(), MarkingCipher()] as [any ColumnCipher] {
                let sealed = try cipher.seal(bytes, column: "c.c")
                #expect(try cipher.open(sealed, column: "c.c") == bytes, "\(bytes) \(generator)")
            }
        }
    }

    @Test func `bytes that no cipher wrote come back as they are`() throws {
        for bytes: [UInt8] in [[0xFF, 0x00], Array("{}".utf8), []] {
            #expect(try plain.open(bytes, column: "c.c") == bytes)
        }
    }

    @Test func `base64 of URLs has one text for each sequence of bytes`() {
        var generator = SeededGenerator(seed: 42)
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 0..<70, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
            let text = Base64URL.text(of: bytes)
            let standard = Data(bytes).base64EncodedString()
            let expected = standard.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
            #expect(text == expected, "\(generator)")
            #expect(Base64URL.bytes(of: text.utf8) == bytes, "\(generator)")
        }
        for wrong in ["A", "AAAAA", "AB", "AAB", "AA==", "A+A/", "AA A", "AAA\u{E9}"] {
            #expect(Base64URL.bytes(of: wrong.utf8) == nil, "\(wrong)")
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `sessions and recommendations hold nothing readable, and read as they were written`(
        driver: DriverUnderTest
    ) async throws {
        try await driver.withSchema { database in
            let sessions = SessionRepository(database, cipher: MarkingCipher())
            let recommendations = RecommendationRepository(database, cipher: MarkingCipher())
            let record = RecommendationRecord(id: "r1", generation: 7, careerIDs: ["nurse"], query: "alpha")
            let id = try await sessions.create(
                kind: "quiz", owner: "ada", answers: "answers", request: "asked", reply: "told", recommendation: record)
            let session = try #require(try await sessions.session(id: id))
            #expect(session.answers == "answers" && session.request == "asked" && session.reply == "told")
            let stored = try #require(try await recommendations.recommendation(id: "r1"))
            #expect(stored.record == record && stored.request == "asked" && stored.sessionID == id)
            #expect(try await recommendations.contains(id: "r1", in: id))
            #expect(try await recommendations.contains(id: "r2", in: id) == false)

            let second = RecommendationRecord(id: "r2", generation: 7, careerIDs: [], query: "beta")
            #expect(try await sessions.attach(request: "again", reply: "anew", recommendation: second, to: id))
            let attached = try #require(try await sessions.session(id: id))
            #expect(attached.request == "again" && attached.reply == "anew" && attached.answers == "answers")

            let columns = [
                ("sessions", "answers"), ("sessions", "request"), ("sessions", "reply"),
                ("recommendations", "request"), ("recommendations", "query"),
            ]
            for (table, column) in columns {
                let values = try await database.read {
                    try $0.query("SELECT \(column) FROM \(table)").map { try $0.text(column) }
                }
                #expect(
                    !values.isEmpty && values.allSatisfy { $0.hasPrefix("pl1:k:\(table).\(column)|") },
                    "\(table).\(column)")
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `kept replies hold nothing readable, and are given again as they were`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = IdempotencyRepository(database, cipher: MarkingCipher())
            _ = try await repository.reserve(key: "k", scope: "POST /x", requestHash: "h")
            let reply = StoredReply(status: 201, contentType: "application/json", body: Array(#"{"said":"much"}"#.utf8))
            try await repository.finish(key: "k", scope: "POST /x", reply: reply)
            #expect(try await repository.reserve(key: "k", scope: "POST /x", requestHash: "h") == .done(reply))
            let body = try await database.read { try $0.first("SELECT body FROM idempotent_requests")?.blob("body") }
            #expect(String(decoding: try #require(body), as: UTF8.self).hasPrefix("pl1:k:idempotent_requests.body|"))
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `what was stored before there was a cipher reads as it is`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let id = try await SessionRepository(database).create(kind: "quiz", answers: #"{"1":"a"}"#)
            let session = try await SessionRepository(database, cipher: MarkingCipher()).session(id: id)
            #expect(session?.answers == #"{"1":"a"}"#)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a value moved to another column does not open`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let sessions = SessionRepository(database, cipher: MarkingCipher())
            let id = try await sessions.create(kind: "quiz", answers: "answers")
            try await database.write { try $0.execute("UPDATE sessions SET reply = answers") }
            await #expect(throws: ColumnCipherError(.damaged, column: "sessions.reply", keyID: "k")) {
                try await sessions.session(id: id)
            }
        }
    }
}
