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
