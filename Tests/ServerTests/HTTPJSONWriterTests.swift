import Foundation
import NIOCore
import TestSupport
import Testing
import server

struct HTTPJSONWriterTests {
    private func written(_ write: (inout JSONWriter) -> Void) -> String {
        var json = JSONWriter()
        write(&json)
        return String(buffer: json.finish())
    }

    @Test func `places commas and colons`() {
        let text = written { json in
            json.object { json in
                json.field("career", "Nurse")
                json.field("top_n", 5)
                json.field("exact", true)
                json.field("skills", ["a", "b"])
                json.field("vector", [Float(0.1), 0.25])
                json.field("nothing", nil as String?)
                json.field("inner", object: { _ in })
                json.field("list", arrayOf: [1, 2]) { json, number in json.object { $0.field("n", number) } }
            }
        }
        #expect(
            text
                == #"{"career":"Nurse","top_n":5,"exact":true,"skills":["a","b"],"vector":[0.1,0.25],"nothing":null,"#
                + #""inner":{},"list":[{"n":1},{"n":2}]}"#)
    }

    @Test func `escapes what must be escaped`() {
        #expect(
            written { $0.value("a\"b\\c\n\r\t\u{8}\u{C}\u{0}\u{1F}é🚀/\u{7F}") }
                == #""a\"b\\c\n\r\t\b\f\u0000\u001fé🚀/"# + "\u{7F}\"")
    }

    @Test(
        arguments: [
            (0.1, "0.1"), (3, "3.0"), (1e-7, "1e-07"), (.greatestFiniteMagnitude, "1.7976931348623157e+308"),
            (.nan, "null"), (.infinity, "null"),
        ] as [(Double, String)])
    func `writes the shortest double that reads back`(value: Double, text: String) {
        #expect(written { $0.value(value) } == text)
    }

    @Test func `doubles are written as Swift describes them and read back the same`() throws {
        var random = SeededGenerator(seed: 11)
        var values = [0.0, -0.0, 0.001, -0.001, 0.0005, 999_999_999.999, 1e12, 1e15, 1e16, 9_007_199_254_740_994]
        values += [.leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, .ulpOfOne, 0.1 + 0.2]
        for _ in 0..<20_000 {
            values.append(Double(bitPattern: random.next()))
            values.append(Double(Int.random(in: -10_000_000...10_000_000, using: &random)) / 1_000)
            values.append(Double(Int.random(in: -1_000...1_000, using: &random)) / 1_000_000)
            values.append(Double.random(in: -100...100, using: &random))
        }
        for value in values where value.isFinite {
            let text = written { $0.value(value) }
            #expect(text == value.description, "\(random)")
            let read = try JSONDecoder().decode([Double].self, from: Data("[\(text)]".utf8))[0]
            #expect(read.bitPattern == value.bitPattern, "\(text) \(random)")
        }
    }

    @Test func `floats are written as Swift describes them`() {
        var random = SeededGenerator(seed: 12)
        var values: [Float] = [0, -0.0, 0.7, 0.3, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1_000, 16_777_218]
        for _ in 0..<20_000 {
            values.append(Float(bitPattern: UInt32(truncatingIfNeeded: random.next())))
            values.append(Float(Int.random(in: -1_100_000...1_100_000, using: &random)) / 1_000)
            values.append(Float.random(in: -1...1, using: &random))
        }
        for value in values where value.isFinite {
            #expect(written { $0.value(value) } == value.description, "\(random)")
        }
    }

    @Test(arguments: [Int.min, -1_000, -7, 0, 9, 10, 1_234_567_890, .max])
    func `integers are written in full`(value: Int) {
        #expect(written { $0.value(value) } == String(value))
        #expect(written { $0.value(UInt64(value.magnitude)) } == String(value.magnitude))
        #expect(written { $0.value(Int8(truncatingIfNeeded: value)) } == String(Int8(truncatingIfNeeded: value)))
    }

    @Test func `what is written Foundation reads, and what Foundation writes says the same`() throws {
        var random = SeededGenerator(seed: 13)
        for _ in 0..<2_000 {
            let texts = (0..<Int.random(in: 0...6, using: &random)).map { _ in Self.text(using: &random) }
            let written = Data(written { $0.array(of: texts) { $0.value($1) } }.utf8)
            #expect(try JSONDecoder().decode([String].self, from: written) == texts, "\(random)")
            // Foundation escapes the slash as well, which says the same; without that the bytes are equal.
            let encoder = JSONEncoder()
            encoder.outputFormatting = .withoutEscapingSlashes
            #expect(try encoder.encode(texts) == written, "\(random)")
        }
    }

    /// Texts of many scripts, control characters and what has to be escaped.
    private static func text(using random: inout SeededGenerator) -> String {
        let ranges: [ClosedRange<UInt32>] = [
            0...0x1F, 0x20...0x7E, 0x20...0x7E, 0x22...0x22, 0x5C...0x5C, 0x7F...0xFF, 0x300...0x36F, 0x400...0x4FF,
            0x5D0...0x5EA, 0x620...0x64A, 0x900...0x97F, 0x2000...0x206F, 0x3040...0x30FF, 0x4E00...0x9FFF,
            0xAC00...0xD7A3, 0x1F300...0x1F9FF, 0xE000...0xFFFD, 0x10FFF0...0x10FFFF,
        ]
        var text = ""
        for _ in 0..<Int.random(in: 0...40, using: &random) {
            let range = ranges[Int.random(in: ranges.indices, using: &random)]
            if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    @Test func `members of a finished object go into another`() {
        func object(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
            var json = JSONWriter()
            json.object(write)
            return json.finishBytes()
        }
        let text = written { json in
            json.object { json in
                json.members(of: object { _ in })
                json.field("a", 1)
                json.members(of: object { $0.field("b", "}") })
                json.members(of: object { _ in })
                json.field("c", object: { _ in })
            }
        }
        #expect(text == #"{"a":1,"b":"}","c":{}}"#)
    }

    @Test(
        arguments: [
            (84.25, "84.3"), (84.24, "84.2"), (0, "0.0"), (-0.04, "0.0"), (-1.25, "-1.3"), (100, "100.0"),
            (99.96, "100.0"),
        ] as [(Double, String)])
    func `writes one decimal`(value: Double, text: String) {
        #expect(written { $0.value(oneDecimal: value) } == text)
    }

    @Test(arguments: [(0, "0.0"), (843, "84.3"), (-5, "-0.5"), (1000, "100.0"), (7, "0.7")])
    func `writes tenths`(tenths: Int, text: String) {
        #expect(written { $0.value(tenths: tenths) } == text)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (0.123, "1970-01-01T00:00:00.123Z"), (-0.5, "1969-12-31T23:59:59.500Z"),
        (951_782_400, "2000-02-29T00:00:00.000Z"), (1_772_357_400.0009, "2026-03-01T09:30:00.000Z"),
        (253_402_300_799.999, "9999-12-31T23:59:59.999Z"), (-62_167_219_200, "0000-01-01T00:00:00.000Z"),
        (1e300, "9999-12-31T23:59:59.999Z"),
    ])
    func `writes moments in UTC with milliseconds`(seconds: Double, text: String) {
        #expect(ISO8601.string(from: Date(timeIntervalSince1970: seconds)) == text)
    }

    @Test func `agrees with Foundation's calendar`() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<2000 {
            let seconds = Int.random(in: -60_000_000_000...250_000_000_000, using: &random)
            let date = Date(timeIntervalSince1970: Double(seconds))
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            // Foundation switches to the Julian calendar before 1582.
            guard date > Date(timeIntervalSince1970: -12_219_292_800) else { continue }
            #expect(ISO8601.string(from: date) == style.format(date), "\(random), \(seconds)")
        }
    }
}
