import TestSupport
import Testing

@testable import Embedder

/// The reader of model settings.
struct JSONReaderTests {
    private static func parse(_ text: String) throws -> JSONValue { try JSONReader.parse(Array(text.utf8)) }

    @Test func `reads every kind of value`() throws {
        let value = try Self.parse(
            #" {"a": [1, -2.5e1, true, false, null, "x\"\\\/\b\f\n\r\té😀\u00e9\ud83d\ude00"], "b": {}} "#)
        let elements = try #require(value["a"]?.elements)
        #expect(elements[0].integer == 1)
        #expect(elements[1].real == -25)
        #expect(elements[2].bool == true)
        #expect(elements[3].bool == false)
        #expect(elements[4].isNull)
        #expect(elements[5].string == "x\"\\/\u{8}\u{c}\n\r\té😀é😀")
        #expect(value["b"]?.members?.isEmpty == true)
        #expect(value["c"] == nil)
    }

    @Test func `keeps keys apart that Unicode calls equivalent`() throws {
        let members = try #require(Self.parse("{\"\u{E9}\": 1, \"e\u{301}\": 2}").members)
        #expect(members.count == 2)
        #expect(try Self.parse(#"{"a": 1, "a": 2}"#)["a"]?.integer == 2)
    }

    @Test func `takes an integer that does not fit for a real number`() throws {
        #expect(try Self.parse("9223372036854775807").integer == .max)
        #expect(try Self.parse("9223372036854775808").integer == nil)
        #expect(try Self.parse("1e2").integer == nil)
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1", "[1,", "[1,]", "{\"a\"", "{\"a\":", "{\"a\":1,}", "{a:1}", "nul", "tru", "+1", "01",
        "1.",
        ".5", "1e", "-", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
        "\"\u{1}\"",
        "1 2", "[]]", "NaN", "Infinity", "'a'", "// x",
    ])
    func `refuses what is not JSON`(text: String) {
        #expect(throws: JSONSyntaxError.self) { try Self.parse(text) }
    }

    @Test func `refuses bytes that are not UTF-8`() {
        #expect(throws: JSONSyntaxError.self) { try JSONReader.parse([0x22, 0xFF, 0x22]) }
        #expect(throws: JSONSyntaxError.self) { try JSONReader.parse([0xEF, 0xBB, 0xBF, 0x31]) }
    }

    @Test func `bounds nesting`() throws {
        let deep = JSONReader.maximumDepth
        _ = try Self.parse(String(repeating: "[", count: deep) + String(repeating: "]", count: deep))
        #expect(throws: JSONSyntaxError.self) { try Self.parse(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: JSONSyntaxError.self) { try Self.parse(String(repeating: "{\"a\":", count: 1_000_000)) }
    }

    @Test func `survives any damage`() {
        let whole = Array(#"{"a":[1,2.5e3,{"b":"\u00e9x"}],"c":null,"d":true}"#.utf8)
        var random = SeededGenerator(seed: 3)
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes.removeLast(Int.random(in: 0...4, using: &random))
            _ = try? JSONReader.parse(bytes)
        }
    }
}
