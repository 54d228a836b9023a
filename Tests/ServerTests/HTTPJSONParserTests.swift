import Foundation
import NIOCore
import TestSupport
import Testing
import server

struct HTTPJSONParserTests {
    private static func parse(_ text: String) throws -> JSONValue { try JSONParser.parse(Array(text.utf8)) }

    private static func error(_ bytes: [UInt8]) -> JSONSyntaxError? {
        do {
            _ = try JSONParser.parse(bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test func `reads every kind of value`() throws {
        let value = try Self.parse(
            #" { "a" : [ 1 , -2, 3.5, 1e3, true, false, null ], "b\u00e9\n" : "x\"\\\/\b\f\n\r\t" , "c":{}, "d":[] } "#)
        guard case .object(let object) = value else {
            Issue.record("not an object")
            return
        }
        #expect(object.members.map(\.name) == ["a", "bé\n", "c", "d"])
        #expect(
            object["a"]
                == .array([.integer(1), .integer(-2), .number(3.5), .number(1000), .bool(true), .bool(false), .null]))
        #expect(object["bé\n"] == .string("x\"\\/\u{8}\u{C}\n\r\t"))
        #expect(object["c"] == .object(JSONObject()))
        #expect(object["nothing"] == nil)
    }

    @Test(arguments: [
        ("0", JSONValue.integer(0)), ("-0", .number(-0.0)), ("9007199254740993", .integer(9_007_199_254_740_993)),
        ("9223372036854775807", .integer(.max)), ("9223372036854775808", .number(9_223_372_036_854_775_808)),
        ("-9223372036854775807", .integer(-9_223_372_036_854_775_807)), ("0.1", .number(0.1)),
        ("1e-400", .number(0)), ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
        ("5e-324", .number(.leastNonzeroMagnitude)), ("123456789012345678901234567890", .number(1.2345678901234568e29)),
        ("0.30000000000000004", .number(0.1 + 0.2)), ("1E+2", .number(100)), ("2.50", .number(2.5)),
    ])
    func `reads numbers to the last bit`(text: String, expected: JSONValue) throws {
        #expect(try Self.parse(text) == expected)
    }

    @Test func `reads doubles as the standard library does`() throws {
        var random = SeededGenerator(seed: 41)
        for _ in 0..<20_000 {
            let double = Double(bitPattern: random.next())
            guard double.isFinite else { continue }
            let digits = Int.random(in: 0...18, using: &random)
            let texts = [double.description, String(format: "%.\(digits)e", double)]
            for text in texts {
                // Rounding to few digits can lead beyond the largest double.
                guard Double(text)?.isFinite == true, case .number(let read) = try Self.parse(text) else { continue }
                #expect(read.bitPattern == Double(text)?.bitPattern, "\(random), \(text)")
            }
        }
        for _ in 0..<20_000 {
            let text =
                "\(Int.random(in: -999_999...999_999, using: &random)).\(UInt16.random(in: 0...9999, using: &random))"
            #expect(try Self.parse(text) == .number(Double(text) ?? .nan), "\(random), \(text)")
        }
    }

    @Test(arguments: [
        ("", JSONSyntaxError(.empty, offset: 0)), ("  \n", .init(.empty, offset: 0)),
        ("{", .init(.unexpectedEnd, offset: 1)), ("[1,", .init(.unexpectedEnd, offset: 3)),
        ("[1,]", .init(.unexpected(byte: 0x5D, expected: "a JSON value"), offset: 3)),
        ("{\"a\":1,}", .init(.unexpected(byte: 0x7D, expected: "a name in quotes"), offset: 7)),
        ("{a:1}", .init(.unexpected(byte: 0x61, expected: "a name in quotes"), offset: 1)),
        ("{\"a\" 1}", .init(.unexpected(byte: 0x31, expected: "`:`"), offset: 5)),
        ("{\"a\":1 \"b\":2}", .init(.unexpected(byte: 0x22, expected: "`,` or `}`"), offset: 7)),
        ("[1 2]", .init(.unexpected(byte: 0x32, expected: "`,` or `]`"), offset: 3)),
        ("1 2", .init(.trailingContent, offset: 2)), ("{}x", .init(.trailingContent, offset: 2)),
        ("tru", .init(.unexpectedEnd, offset: 3)),
        ("nul1", .init(.unexpected(byte: 0x31, expected: "`null`"), offset: 3)),
        ("NaN", .init(.unexpected(byte: 0x4E, expected: "a JSON value"), offset: 0)),
        ("[Infinity]", .init(.unexpected(byte: 0x49, expected: "a JSON value"), offset: 1)),
        ("-Infinity", .init(.malformedNumber, offset: 1)), ("01", .init(.malformedNumber, offset: 1)),
        ("-", .init(.unexpectedEnd, offset: 1)), ("1.", .init(.unexpectedEnd, offset: 2)),
        ("1.e2", .init(.malformedNumber, offset: 2)), ("1e", .init(.unexpectedEnd, offset: 2)),
        ("[1e+]", .init(.malformedNumber, offset: 4)),
        (".5", .init(.unexpected(byte: 0x2E, expected: "a JSON value"), offset: 0)),
        ("+1", .init(.unexpected(byte: 0x2B, expected: "a JSON value"), offset: 0)),
        ("[1e999]", .init(.numberOutOfRange, offset: 1)), ("-1e999", .init(.numberOutOfRange, offset: 0)),
        ("1e99999999999999999999999", .init(.numberOutOfRange, offset: 0)),
        ("\"abc", .init(.unexpectedEnd, offset: 4)), ("\"a\nb\"", .init(.controlCharacterInString, offset: 2)),
        ("\"\\x\"", .init(.invalidEscape, offset: 1)), ("\"\\u12g4\"", .init(.invalidEscape, offset: 1)),
        ("\"\\u12", .init(.unexpectedEnd, offset: 5)), ("\"\\", .init(.unexpectedEnd, offset: 2)),
        ("\"\\ud800\"", .init(.loneSurrogate, offset: 1)), ("\"x\\udc00\"", .init(.loneSurrogate, offset: 2)),
        ("\"\\ud800\\u0041\"", .init(.loneSurrogate, offset: 1)),
        ("\"\\ud800\\ud800\"", .init(.loneSurrogate, offset: 1)),
        ("{\"a\":1,\"a\":2}", .init(.duplicateName("a"), offset: 7)),
        ("{\"a\":1,\"\\u0061\":2}", .init(.duplicateName("a"), offset: 7)),
        ("\u{FEFF}{}", .init(.byteOrderMark, offset: 0)),
        ("{'a':1}", .init(.unexpected(byte: 0x27, expected: "a name in quotes"), offset: 1)),
        ("[1]//x", .init(.trailingContent, offset: 3)),
    ])
    func `refuses malformed text and says where`(text: String, expected: JSONSyntaxError) {
        #expect(Self.error(Array(text.utf8)) == expected)
    }

    @Test(
        arguments: [
            ([0x22, 0xFF, 0x22], 1), ([0x22, 0xC3, 0x22], 1), ([0x5B, 0x22, 0xED, 0xA0, 0x80, 0x22, 0x5D], 2),
            ([0x22, 0xC0, 0x80, 0x22], 1), ([0x22, 0xF5, 0x80, 0x80, 0x80, 0x22], 1),
        ] as [([UInt8], Int)])
    func `refuses what is not UTF-8`(bytes: [UInt8], offset: Int) {
        #expect(Self.error(bytes) == JSONSyntaxError(.invalidUTF8, offset: offset))
    }

    @Test func `joins surrogate pairs`() throws {
        #expect(try Self.parse(#""\ud83d\ude80 \uD834\uDD1E""#) == .string("🚀 𝄞"))
    }

    @Test func `refuses nesting beyond its limit at any depth`() throws {
        let allowed = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
        #expect(throws: Never.self) { try Self.parse(allowed) }
        let tooDeep = JSONSyntaxError(.tooDeep(limit: 32), offset: 32)
        #expect(Self.error(Array(("[" + allowed + "]").utf8)) == tooDeep)
        #expect(Self.error(Array(repeating: UInt8(ascii: "["), count: 100_000)) == tooDeep)
        let objects = Array(String(repeating: "{\"a\":", count: 100_000).utf8)
        #expect(Self.error(objects) == JSONSyntaxError(.tooDeep(limit: 32), offset: 160))
    }

    @Test func `refuses a number with too many digits`() {
        let text = "1" + String(repeating: "0", count: 1 << 20)
        #expect(Self.error(Array(text.utf8)) == JSONSyntaxError(.numberTooLong(limit: 400), offset: 0))
    }

    @Test func `reads an object of many names in linear time`() throws {
        let names = (0..<50_000).map { "\"name\($0)\":\($0)" }
        let clock = ContinuousClock()
        var small = Duration.zero
        let large = try clock.measure {
            small = try clock.measure { _ = try Self.parse("{" + names.prefix(5_000).joined(separator: ",") + "}") }
            guard case .object(let object) = try Self.parse("{" + names.joined(separator: ",") + "}") else { return }
            #expect(object.count == 50_000)
            #expect(object["name49999"] == .integer(49_999))
        }
        // Ten times the names: quadratic time would take a hundred times as long.
        #expect(large < small * 50)
        let doubled = "{" + names.joined(separator: ",") + ",\"name25000\":1}"
        #expect(Self.error(Array(doubled.utf8))?.reason == .duplicateName("name25000"))
    }

    // MARK: Fuzzing

    /// What this parser refuses on purpose and Foundation takes.
    private static func isStricter(_ reason: JSONSyntaxError.Reason) -> Bool {
        switch reason {
        case .duplicateName, .tooDeep, .numberTooLong, .numberOutOfRange, .byteOrderMark: true
        // Foundation takes a comma after a list's last element.
        case .unexpected(byte: UInt8(ascii: "]"), expected: "a JSON value"): true
        default: false
        }
    }

    private static func foundationAccepts(_ bytes: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])) != nil
    }

    /// Foundation guesses UTF-16 and UTF-32 from zero bytes, and takes a mark at the start.
    private static func isAmbiguousForFoundation(_ bytes: [UInt8]) -> Bool {
        bytes.contains(0) || bytes.first.map { $0 >= 0xEF } ?? true
    }

    private static func randomValue(depth: Int, using random: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2:
            return .integer(
                Int64.random(in: -(.max) ... .max, using: &random) >> Int64.random(in: 0..<63, using: &random))
        case 3:
            let double = Double(bitPattern: random.next())
            return .number(double.isFinite ? double : 0.5)
        case 4, 5: return .string(randomText(using: &random))
        case 6:
            return .array(
                (0..<Int.random(in: 0..<5, using: &random)).map { _ in randomValue(depth: depth - 1, using: &random) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0..<20, using: &random) {
                _ = object.insert(randomText(using: &random), randomValue(depth: depth - 1, using: &random))
            }
            return .object(object)
        }
    }

    private static func randomText(using random: inout SeededGenerator) -> String {
        let alphabet = Array("abcXYZ019 \"\\/\n\t\r\u{8}\u{1F}{}[]:,éß漢字🚀\u{7F}\u{2028}").map(String.init)
        return (0..<Int.random(in: 0..<8, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "" }
            .joined()
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `reads back whatever the writer writes`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for round in 0..<500 {
            let value = Self.randomValue(depth: 4, using: &random)
            var json = JSONWriter()
            json.value(value)
            let bytes = Array(json.finish().readableBytesView)
            let read = try JSONParser.parse(bytes)
            // A whole double is written as "3.0" and so keeps its kind.
            #expect(read == value, "\(random), round \(round)")
            #expect(Self.foundationAccepts(bytes), "\(random), round \(round)")
        }
    }

    @Test(arguments: [11, 12, 13, 14] as [UInt64])
    func `accepts what Foundation accepts, but for what it refuses on purpose`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let splice = Array("{}[]\",:\\u0123eE+-.tfn \n\u{1}é".utf8) + [0xFF, 0xC3, 0xED]
        var compared = 0
        for round in 0..<3000 {
            var json = JSONWriter()
            json.value(Self.randomValue(depth: 3, using: &random))
            var bytes = Array(json.finish().readableBytesView)
            for _ in 0..<Int.random(in: 0..<4, using: &random) {
                let place = Int.random(in: 0...bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes.insert(splice.randomElement(using: &random) ?? 0x20, at: place)
                case 1 where place < bytes.count: bytes.remove(at: place)
                case 2 where place < bytes.count: bytes[place] = splice.randomElement(using: &random) ?? 0x20
                default: bytes.removeSubrange(place...)
                }
            }
            if Self.isAmbiguousForFoundation(bytes) { continue }
            let error = Self.error(bytes)
            if let error {
                #expect((0...bytes.count).contains(error.offset))
                if Self.isStricter(error.reason) { continue }
            }
            compared += 1
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(
                (error == nil) == Self.foundationAccepts(bytes),
                "\(random), round \(round): \(error.debugDescription) \(text)")
        }
        #expect(compared > 2000)
    }

    @Test func `survives random bytes`() {
        var random = SeededGenerator(seed: 99)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if let error = Self.error(bytes) { #expect((0...bytes.count).contains(error.offset), "\(random)") }
        }
    }
}
