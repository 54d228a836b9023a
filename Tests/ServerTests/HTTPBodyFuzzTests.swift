import Foundation
import NIOCore
import TestSupport
import Testing
import server

/// Bodies made from good ones by chance: each is read or refused, and what is read means what it says.
struct HTTPBodyFuzzTests {
    private static let seeds = [
        #"{"text":"I like to teach.","top_n":5,"alpha":0.7,"diversity":true,"filters":{"cluster":["Education"]}}"#,
        #"{"answers":{"1":"a","2":4,"19":"free \"text\" \u00e9\ud83d\ude00\n"},"exclude":[],"session_id":null}"#,
        #"{"abilities":[0,1.5,2e0,3E+0,-0.0,5,6,7,8,9,10,0.1,1e-7,9007199254740993,10]}"#,
        #" [ [ [ { "a" : [ { } , [ ] , "" , null , true , false ] } ] ] , "é" , "\\\/\b\f\r\t" ] "#,
    ].map { Array($0.utf8) }

    private static let pieces: [[UInt8]] =
        [
            "{", "}", "[", "]", "\"", "\\", ",", ":", "\\u", "\\ud800", "\\udc00", "1e", "-", ".", "e308", "null",
            "tru", " ",
            "\n", "//", "\u{FEFF}", "é", "😀",
        ].map { Array($0.utf8) } + [
            [0], [0x1F], [0x80], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF],
        ]

    private static func mutated(_ random: inout SeededGenerator) -> [UInt8] {
        var bytes = seeds.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let at = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...8, using: &random)))
            case 1: bytes.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: at)
            case 2: if at < bytes.count { bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
            case 3:
                let end = min(bytes.count, at + Int.random(in: 1...40, using: &random))
                bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &random))
            default:
                let other = seeds.randomElement(using: &random) ?? []
                bytes = Array(bytes[..<at] + other.suffix(Int.random(in: 0...other.count, using: &random)))
            }
        }
        return bytes
    }

    @Test func `reads what the standard library reads too, and writes it back`() throws {
        var random = SeededGenerator(seed: 2026)
        var accepted = 0
        for _ in 0..<40_000 {
            let bytes = Self.mutated(&random)
            let value: JSONValue
            do {
                value = try JSONParser.parse(bytes)
            } catch {
                #expect((0...bytes.count).contains(error.offset), "\(random)")
                continue
            }
            accepted += 1
            #expect(
                (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil,
                "\(random), \(String(decoding: bytes, as: UTF8.self))")
            var json = JSONWriter()
            json.value(value)
            let written = Array(json.finish().readableBytesView)
            #expect(try JSONParser.parse(written) == value, "\(random), \(String(decoding: bytes, as: UTF8.self))")
        }
        // A fuzzer that is always refused looks at nothing but the parser's first steps.
        #expect(accepted > 1_000, "\(random)")
    }

    @Test func `names every mistake and never fails otherwise`() throws {
        var random = SeededGenerator(seed: 7)
        var read = 0
        for _ in 0..<20_000 {
            guard let value = try? JSONParser.parse(Self.mutated(&random)) else { continue }
            do {
                _ = try FieldReader.read(value) { fields in
                    _ = fields.text("text", maxBytes: 64)
                    _ = fields.integer("top_n", in: 1...100)
                    _ = fields.number("alpha", in: 0...1)
                    _ = fields.bool("diversity")
                    _ = fields.numbers("abilities", count: 15...15, in: 0...10)
                    _ = fields.strings("exclude", maxCount: 3, maxBytes: 8)
                    _ = fields.entries("answers", maxCount: 5)?.map { ($0.name, $0.field.string()) }
                    _ = fields.object("filters")?.strings("cluster")
                    _ = fields.requiredString("session_id")
                }
                read += 1
            } catch let problem as HTTPProblem {
                #expect(problem.code == .invalidFields && !problem.errors.isEmpty, "\(random)")
                #expect(problem.errors.count <= FieldErrors.maxCount, "\(random)")
                let text = problem.detail + problem.errors.map { $0.path + $0.message }.joined()
                #expect(text.utf8.count < 64 << 10, "\(random)")
            }
        }
        #expect(read >= 0)
    }
}
