import Foundation
import Platform
import TestSupport
import Testing

struct KeyRingTests {
    private let secrets = PrivateFixtures.secrets

    private func parse(_ text: String) throws -> KeyRing { try KeyRing.parse(Array(text.utf8), place: "keys") }

    @Test func `lines, commas, comments and blanks are read, the first key being current`() throws {
        let lines = try parse("# two keys\n\n  k2 \(secrets[1])   # newest\r\nk1\t\(secrets[0])\n")
        #expect(lines.ids == ["k2", "k1"] && lines.currentID == "k2" && !lines.hasIndexLine)
        let commas = try parse("k2 \(secrets[1]), k1 \(secrets[0]),index \(secrets[2])")
        #expect(commas.ids == ["k2", "k1"] && commas.hasIndexLine)
    }

    @Test(arguments: [
        ("", KeyRingError.Code.noKey), ("# nothing\n", .noKey),
        ("index AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", .noKey),
        ("k1", .malformed), ("k1 AAAA", .malformed), ("k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", .malformed),
        ("K1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", .malformed),
        ("k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= more", .malformed),
        ("k1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", .malformed),
        ("k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", .malformed),
        (
            "k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\nk1 ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
            .duplicate
        ),
        (
            "k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\nk2 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            .duplicate
        ),
    ])
    func `what is no ring is refused by its place`(text: String, code: KeyRingError.Code) throws {
        let error = try #require(throws: KeyRingError.self) { try parse(text) }
        #expect(error.code == code && error.message.contains("keys"), "\(error)")
    }

    @Test func `no message repeats what may be a secret`() throws {
        let secret = secrets[0]
        for text in ["\(secret) k1", "k1 \(secret)x", "k1 \(secret) \(secret)", secret, "\(secret),k1"] {
            let error = try #require(throws: KeyRingError.self) { try parse(text) }
            #expect(!error.message.contains(secret.prefix(12)), "\(error)")
        }
    }

    @Test func `a ring shows its ids and no secret`() throws {
        let ring = try parse("k1 \(secrets[0])\nindex \(secrets[1])")
        let sealer = ColumnSealer(ring)
        let settings = EncryptionSettings(keys: "k1 \(secrets[0])", dataDirectory: "data")
        var shown = "\(ring) \(String(reflecting: ring)) \(sealer) \(String(reflecting: sealer)) \(settings) "
        dump(ring, to: &shown)
        dump(sealer, to: &shown)
        dump(settings, to: &shown)
        dump([ring], to: &shown)
        #expect(shown.contains("k1") && !shown.contains(secrets[0].prefix(8)) && !shown.contains(secrets[1].prefix(8)))
        #expect(!shown.contains("4, 5, 6") && !shown.contains("UInt8"))
    }

    @Test func `random bytes are a ring or a refusal, never a trap`() {
        var generator = SeededGenerator(seed: 51)
        let pieces = [
            Array("k1 ".utf8), Array(secrets[0].utf8), Array("index ".utf8), Array(secrets[1].utf8), [0x0A], [0x2C],
            [0x23],
        ]
        for _ in 0..<3_000 {
            var text: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<8, using: &generator) {
                if Bool.random(using: &generator) {
                    text += pieces[Int.random(in: 0..<pieces.count, using: &generator)]
                } else {
                    text.append(UInt8.random(in: .min ... .max, using: &generator))
                }
            }
            do {
                let ring = try KeyRing.parse(text, place: "fuzz")
                #expect(!ring.ids.isEmpty, "\(generator)")
            } catch let error {
                #expect(error.message.hasPrefix("fuzz"), "\(generator)")
            }
        }
        #expect(throws: KeyRingError.self) { try KeyRing.parse([UInt8](repeating: 0x20, count: 70_000), place: "fuzz") }
    }

    @Test func `a new key comes in front and leaves the index as it was`() throws {
        var generator = SeededGenerator(seed: 52)
        let old = try parse("k1 \(secrets[0])")
        let index = ColumnSealer(old).index("ada", column: "users.email")
        let new = old.adding(at: PrivateFixtures.now, using: &generator)
        #expect(new.ids.count == 2 && new.ids.last == "k1" && new.currentID.hasPrefix("k20260301-") && new.hasIndexLine)
        #expect(ColumnSealer(new).index("ada", column: "users.email") == index)
        let newest = new.adding(at: PrivateFixtures.now, using: &generator)
        #expect(Set(newest.ids).count == 3)
        #expect(ColumnSealer(newest).index("ada", column: "users.email") == index)
    }

    @Test func `a made ring is read back from its file, which only the owner may read`() throws {
        var generator = SeededGenerator(seed: 53)
        let folder = try TemporaryDirectory()
        let file = KeyFile(folder.url.appendingPathComponent("keys/columns.key").path)
        let ring = KeyRing.make(at: PrivateFixtures.now, using: &generator)
        #expect(try file.create(ring))
        let sealed = try ColumnSealer(ring).seal("text", column: "c.c")
        #expect(try ColumnSealer(try file.read()).open(sealed, column: "c.c") == "text")
        let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        let above = try FileManager.default.attributesOfItem(atPath: (file.path as NSString).deletingLastPathComponent)
        #expect((above[.posixPermissions] as? NSNumber)?.intValue == 0o700)
        // Nothing is left beside it.
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.url.appendingPathComponent("keys").path).count
                == 1)
    }

    @Test func `making a file never replaces one`() throws {
        var generator = SeededGenerator(seed: 54)
        let folder = try TemporaryDirectory()
        let file = KeyFile(folder.url.appendingPathComponent("columns.key").path)
        let first = KeyRing.make(at: PrivateFixtures.now, using: &generator)
        #expect(try file.create(first))
        #expect(try file.create(KeyRing.make(at: PrivateFixtures.now, using: &generator)) == false)
        #expect(try file.read().ids == first.ids)
        let added = first.adding(at: PrivateFixtures.now, using: &generator)
        try file.replace(with: added)
        #expect(try file.read().ids == added.ids)
    }

    @Test(arguments: [0o644, 0o640, 0o620, 0o604, 0o610, 0o601])
    func `a file that others may touch is refused with how to mend it`(mode: Int) throws {
        let folder = try TemporaryDirectory()
        let path = folder.url.appendingPathComponent("columns.key").path
        try Data("k1 \(secrets[0])\n".utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        let error = try #require(throws: KeyRingError.self) { try KeyFile(path).read() }
        #expect(error.code == .openToOthers && error.message.contains("chmod 600 \(path)"))
        try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: path)
        #expect(try KeyFile(path).read().ids == ["k1"])
    }

    @Test func `a missing file and a folder in its place are told apart`() throws {
        let folder = try TemporaryDirectory()
        let missing = try #require(throws: KeyRingError.self) { try KeyFile(folder.url.path + "/none").read() }
        #expect(missing.code == .missingFile)
        let wrong = try #require(throws: KeyRingError.self) { try KeyFile(folder.url.path).read() }
        #expect(wrong.code == .unreadable)
    }

    @Test func `a changed file is followed after a second, and a broken one is not`() throws {
        let folder = try TemporaryDirectory()
        let path = folder.url.appendingPathComponent("columns.key").path
        let time = TestMoment(ContinuousClock.now)
        let write = { (text: String) in
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        }
        try write("k1 \(secrets[0])")
        let source = KeyRingSource(try KeyFile(path).read(), file: KeyFile(path), clock: { time.value })
        try write("k2 \(secrets[1])\nk1 \(secrets[0])")
        #expect(source.ring.currentID == "k1")
        #expect(source.refreshed().currentID == "k2")
        try write("k3 \(secrets[2])\nk2 \(secrets[1])")
        time.advance(by: .milliseconds(900))
        #expect(source.ring.currentID == "k2")
        time.advance(by: .milliseconds(200))
        #expect(source.ring.currentID == "k3")
        try write("nonsense")
        time.advance(by: .seconds(2))
        #expect(source.ring.currentID == "k3")
    }
}

/// A moment that tests move.
private final class TestMoment: @unchecked Sendable {
    private let lock = NSLock()
    private var moment: ContinuousClock.Instant

    init(_ moment: ContinuousClock.Instant) { self.moment = moment }

    var value: ContinuousClock.Instant { lock.withLock { moment } }

    func advance(by duration: Duration) { lock.withLock { moment += duration } }
}
