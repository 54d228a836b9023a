import Foundation
import TestSupport
import Testing
import server

/// The monitor's own log.
struct RotatingFileTests {
    private static func lines(_ path: String) throws -> [Substring] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    }

    @Test func `a full file makes room, and the oldest goes`() throws {
        let folder = try TemporaryDirectory("rotating")
        // Its folder is made with it.
        let path = folder.file("logs/monitor.log").path
        // Two lines a file.
        let file = RotatingFile(path: path, maximumBytes: 20, kept: 2)
        for number in 1...7 { try file.append("line 000\(number)\n") }
        #expect(try Self.lines(path) == ["line 0007"])
        #expect(try Self.lines("\(path).1") == ["line 0005", "line 0006"])
        #expect(try Self.lines("\(path).2") == ["line 0003", "line 0004"])
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("logs").path)
        #expect(names.sorted() == ["monitor.log", "monitor.log.1", "monitor.log.2"])
        // A line is never cut, whatever its length.
        let long = String(repeating: "x", count: 99)
        try file.append("\(long)\n")
        #expect(try Self.lines(path) == [long[...]])
        #expect(try Self.lines("\(path).1") == ["line 0007"])
        // What somebody takes away is begun anew.
        try FileManager.default.removeItem(atPath: path)
        try file.append("after\n")
        #expect(try Self.lines(path) == ["after"])
        #expect(try Self.lines("\(path).1") == ["line 0007"])
    }

    @Test func `several may write at once, and each line is whole`() async throws {
        let folder = try TemporaryDirectory("rotating")
        let path = folder.file("monitor.log").path
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                // Each as a process of its own has it.
                let file = RotatingFile(path: path)
                group.addTask {
                    for number in 0..<50 {
                        #expect(throws: Never.self) { try file.append("writer \(writer) line \(number)\n") }
                    }
                }
            }
        }
        let lines = try Self.lines(path)
        let wanted = (0..<4).flatMap { writer in (0..<50).map { "writer \(writer) line \($0)" } }
        #expect(lines.map(String.init).sorted() == wanted.sorted())
    }

    @Test func `where nothing can be written, that is said`() throws {
        let folder = try TemporaryDirectory("rotating")
        try folder.write("a file", to: "taken")
        let file = RotatingFile(path: folder.file("taken/monitor.log").path)
        #expect(throws: (any Error).self) { try file.append("line\n") }
    }
}
