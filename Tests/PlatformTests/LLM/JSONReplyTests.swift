import Platform
import Testing

struct JSONReplyTests {
    @Test func `values keep their kinds`() throws {
        let tree = try JSONReply.tree(of: #"{"b":[1,2.5,true,null,"x",9007199254740993],"a":{}}"#)
        #expect(
            tree
                == .object([
                    .init("a", .object([])),
                    .init(
                        "b",
                        .array([
                            .integer(1), .number(2.5), .bool(true), .null, .string("x"),
                            .integer(9_007_199_254_740_993),
                        ])),
                ]))
        #expect(tree.json == #"{"a":{},"b":[1,2.5,true,null,"x",9007199254740993]}"#)
    }

    @Test(arguments: [
        "", " ", "{", "[1,]", "[1 , ]", #"{"a":1,}"#, "{\"a\":}", "nul", "1 2", "{\"a\":1}}", "\"\\ud800\"", "'a'",
        "[1e999]", "NaN", "\"\n\"",
    ])
    func `what is no JSON is refused`(text: String) {
        #expect(throws: JSONReply.Problem.self) { try JSONReply.tree(of: text) }
    }

    @Test func `depth and size are bounded, and brackets in strings are no depth`() throws {
        let deep = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
        #expect(throws: JSONReply.Problem.self) { try JSONReply.tree(of: deep) }
        _ = try JSONReply.tree(of: String(deep.dropFirst().dropLast()))
        _ = try JSONReply.tree(of: "[\"\\\"" + String(repeating: "[", count: 1000) + "\"]")
        #expect(throws: JSONReply.Problem.self) { try JSONReply.tree(of: "[1,2,3]", maximumBytes: 6) }
        #expect(throws: JSONReply.Problem.self) { try JSONReply.tree(of: String(repeating: "[", count: 500_000)) }
    }

    @Test func `other encodings than UTF-8 are refused`() {
        let wide = Array("[1]".utf16).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(throws: JSONReply.Problem.self) { try JSONReply.decode([Int].self, from: wide) }
        let broken: [UInt8] = [0x5B, 0x22, 0xFF, 0x22, 0x5D]
        #expect(throws: JSONReply.Problem.self) { try JSONReply.decode([String].self, from: broken) }
    }

    @Test func `a problem names the place and not the content`() {
        struct Form: Decodable { let items: [Int] }
        do {
            _ = try JSONReply.decode(Form.self, from: Array(#"{"items":[1,"secret"]}"#.utf8))
            Issue.record("it was taken")
        } catch {
            #expect(error.description == "`items.1` is not of the type that it should be")
        }
    }
}
