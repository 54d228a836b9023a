import Foundation
import Glibc
import Monitor
import TestSupport
import Testing

struct MonitorFileTests {
    private let folder: TemporaryDirectory
    private let file: MonitorFile

    init() throws {
        folder = try TemporaryDirectory("monitor-file")
        file = MonitorFile(folder.path + "/data/input/f.csv")
    }

    private var content: String? { try? String(contentsOfFile: file.path, encoding: .utf8) }

    private var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/data/input")) ?? []).sorted()
    }

    @discardableResult
    private func write(_ text: String) throws -> FileDigest {
        let writer = try file.begin()
        try writer.append(Array(text.utf8))
        return try writer.commit()
    }

    @Test func `a file is made with its folders, and its digest is SHA-256`() throws {
        #expect(try file.digest() == nil)
        let writer = try file.begin()
        try writer.append(Array("a".utf8))
        try writer.append(Array("bc".utf8))
        let digest = try writer.commit()
        #expect(digest.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(digest.bytes == 3)
        #expect(try file.digest() == digest)
        #expect(names == ["f.csv"])
    }

    @Test func `large files are written and summed in pieces`() throws {
        let writer = try file.begin()
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 100_001)
        for _ in 0..<20 { try writer.append(piece) }
        let digest = try writer.commit()
        #expect(digest.bytes == 2_000_020)
        #expect(try file.digest() == digest)
    }

    @Test func `until it is committed the old file stays, and so it does where writing is broken off`() throws {
        try write("old")
        func breakOff() throws {
            let writer = try file.begin()
            try writer.append([UInt8](repeating: UInt8(ascii: "n"), count: 200_000))
            #expect(content == "old")
            #expect(names == [".f.csv.part", "f.csv"])
            withExtendedLifetime(writer) {}
        }
        try breakOff()
        #expect(content == "old")
        #expect(names == ["f.csv"])
        let writer = try file.begin()
        try writer.append(Array("new".utf8))
        writer.discard()
        #expect(content == "old")
        #expect(names == ["f.csv"])
        try write("new")
        #expect(content == "new")
    }

    @Test func `what a killed writer left is removed, or used again`() throws {
        try write("old")
        try folder.write(String(repeating: "left behind ", count: 100), to: "data/input/.f.csv.part")
        try write("new")
        #expect(content == "new")
        try folder.write("left behind", to: "data/input/.f.csv.part")
        try file.removeLeftover()
        #expect(content == "new")
        #expect(names == ["f.csv"])
        try file.removeLeftover()
    }

    @Test func `two writers do not meet`() throws {
        let writer = try file.begin()
        try writer.append(Array("first".utf8))
        #expect(problem { _ = try file.begin() }?.code == .busy)
        try file.removeLeftover()
        _ = try writer.commit()
        #expect(content == "first")
        #expect(problem { try writer.append([1]) }?.code == .notWritten)
        #expect(problem { _ = try writer.commit() }?.code == .notWritten)
        try write("second")
        #expect(content == "second")
    }

    @Test func `who may read a file may read the next`() throws {
        try write("old")
        func mode() throws -> NSNumber? {
            try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? NSNumber
        }
        #expect(try mode()?.intValue == 0o600)
        try #require(chmod(file.path, 0o640) == 0)
        try write("new")
        #expect(try mode()?.intValue == 0o640)
    }

    @Test func `a folder that cannot be made is told of`() throws {
        try folder.write("in the way", to: "data")
        #expect(problem { _ = try file.begin() }?.code == .notWritten)
        #expect(problem { _ = try file.begin() }?.isDamage == false)
    }

    @Test func `what is no file is neither read nor summed`() throws {
        try FileManager.default.createDirectory(atPath: file.path, withIntermediateDirectories: true)
        #expect(problem { _ = try file.digest() }?.code == .unreadable)
        #expect(problem { _ = try StudentFile.check(file.path) }?.code == .unreadable)
    }

    @Test func `a file that is set aside takes nobody's place`() throws {
        let time = Date(timeIntervalSince1970: 951_782_400.9)
        #expect(try file.setAside(at: time) == nil)
        for text in ["first", "second", "third"] {
            try write(text)
            #expect(try file.setAside(at: time) != nil)
            #expect(content == nil)
        }
        let aside = "f.csv.set-aside-20000229T000000Z"
        #expect(names == [aside, aside + "-2", aside + "-3"])
        let texts = try names.map { try String(contentsOfFile: folder.path + "/data/input/" + $0, encoding: .utf8) }
        #expect(texts == ["first", "second", "third"])
    }
}
