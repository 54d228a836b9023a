import Foundation
import Glibc
import Platform
import Store
import TestSupport
import Testing

/// Whose key files are, and which modes are taken.
struct KeyFileOwnershipTests {
    /// “nobody”.
    private static let owner: uid_t = 65_534

    private func number(_ key: FileAttributeKey, of path: String) throws -> Int? {
        (try FileManager.default.attributesOfItem(atPath: path)[key] as? NSNumber)?.intValue
    }

    private func give(_ path: String) throws { try #require(chown(path, Self.owner, Self.owner) == 0) }

    @Test(.enabled(if: geteuid() == 0, "nobody else can give files away"))
    func `a key file that root replaces stays its owner's`() throws {
        var generator = SeededGenerator(seed: 61)
        let folder = try TemporaryDirectory()
        let file = KeyFile(folder.path + "/columns.key")
        let ring = KeyRing.make(at: PrivateFixtures.now, using: &generator)
        #expect(try file.create(ring))
        try give(file.path)
        try file.replace(with: ring.adding(at: PrivateFixtures.now, using: &generator))
        #expect(try file.read().ids.count == 2)
        #expect(try number(.ownerAccountID, of: file.path) == Int(Self.owner))
        #expect(try number(.groupOwnerAccountID, of: file.path) == Int(Self.owner))
        #expect(try number(.posixPermissions, of: file.path) == 0o600)
    }

    @Test(.enabled(if: geteuid() == 0, "nobody else can give files away"))
    func `key file and folder that root makes are whose the data is`() throws {
        var generator = SeededGenerator(seed: 62)
        let folder = try TemporaryDirectory()
        try give(folder.path)
        let file = KeyFile(folder.path + "/keys/columns.key")
        #expect(try file.create(KeyRing.make(at: PrivateFixtures.now, using: &generator)))
        for path in [folder.path + "/keys", file.path] {
            #expect(try number(.ownerAccountID, of: path) == Int(Self.owner), "\(path)")
        }
    }

    @Test func `a credential of systemd may show its group's bits, and nothing else`() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path + "/credentials/columns.key"
        try folder.write("k1 \(PrivateFixtures.secrets[0])\n", to: "credentials/columns.key")
        let file = KeyFile(path, credentials: folder.path + "/credentials")
        for mode in [0o440, 0o400, 0o600] as [mode_t] {
            try #require(chmod(path, mode) == 0)
            #expect(try file.read().ids == ["k1"], "\(String(mode, radix: 8))")
        }
        try #require(chmod(path, 0o440) == 0)
        for credentials in [nil, "", folder.path + "/credentials/columns", folder.path + "/credentials/columns.key"] {
            let error = #expect(throws: KeyRingError.self) { try KeyFile(path, credentials: credentials).read() }
            #expect(error?.code == .openToOthers, "\(credentials ?? "none")")
        }
        let around = KeyFile(
            folder.path + "/others/../credentials/columns.key", credentials: folder.path + "/others")
        #expect(throws: KeyRingError.self) { try around.read() }
        for mode in [0o444, 0o460, 0o450, 0o442] as [mode_t] {
            try #require(chmod(path, mode) == 0)
            let error = #expect(throws: KeyRingError.self) { try file.read() }
            #expect(error?.code == .openToOthers, "\(String(mode, radix: 8))")
        }
    }
}
