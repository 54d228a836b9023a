import Platform
import TestSupport
import Testing

struct JSONSchemaTests {
    private let job = JSONSchema.object([
        .required("title", .string(maxLength: 5, minLength: 2)), .optional("level", .choice(["junior", "senior"])),
        .required("scores", .list(of: .number(0...1), count: 1...3)), .optional("count", .integer(1...9).orNull),
        .optional("open", .boolean),
    ])

    private func problems(_ json: String, _ schema: JSONSchema) throws -> [String] {
        schema.violations(in: try JSONReply.tree(of: json)).map(\.description)
    }

    @Test(arguments: [
        #"{"title":"ab","scores":[0.5]}"#, #"{"title":"äöü€𝄞","scores":[0,1,0.5],"level":"junior"}"#,
        #"{"title":"ab","scores":[1.0],"count":null,"open":true}"#, #"{"title":"ab","scores":[1],"count":3.0}"#,
    ])
    func `what fits is taken`(json: String) throws {
        #expect(try problems(json, job).isEmpty)
    }

    @Test(arguments: [
        ("[]", "$: must be an object, not a list"), ("null", "$: must be an object, not null"),
        (#"{"scores":[1]}"#, "$.title: is missing"),
        (#"{"title":7,"scores":[1]}"#, "$.title: must be a string, not a number"),
        (#"{"title":"a","scores":[1]}"#, "$.title: must have at least 2 characters, not 1"),
        (#"{"title":"abcdef","scores":[1]}"#, "$.title: must have at most 5 characters, not 6"),
        (#"{"title":"ab","scores":[]}"#, "$.scores: must have at least 1 items, not 0"),
        (#"{"title":"ab","scores":[1,1,1,1]}"#, "$.scores: must have at most 3 items, not 4"),
        (#"{"title":"ab","scores":[0,"x"]}"#, "$.scores[1]: must be a number, not a string"),
        (#"{"title":"ab","scores":[1.5]}"#, "$.scores[0]: must be at most 1.0, not 1.5"),
        (#"{"title":"ab","scores":[1],"count":2.5}"#, "$.count: must be a whole number"),
        (#"{"title":"ab","scores":[1],"count":0}"#, "$.count: must be at least 1, not 0"),
        (#"{"title":"ab","scores":[1],"level":"chief"}"#, "$.level: must be one of: junior, senior"),
        (#"{"title":"ab","scores":[1],"level":null}"#, "$.level: must be a string, not null"),
        (#"{"title":"ab","scores":[1],"open":1}"#, "$.open: must be true or false, not a number"),
        (#"{"title":"ab","scores":[1],"x<b>":1}"#, "$.xb: is not a known property"),
    ])
    func `what does not fit is named with its path`(json: String, problem: String) throws {
        #expect(try problems(json, job) == [problem])
    }

    @Test func `a wrong reply is not answered with an endless list`() throws {
        let many = "[" + Array(repeating: "0", count: 1000).joined(separator: ",") + "]"
        let found = try problems(many, .list(of: .string()))
        #expect(found.count == JSONSchema.maximumViolations)
    }

    @Test func `a document is read back as the schema that wrote it`() throws {
        #expect(try JSONSchema(document: job.document) == job)
        let described = JSONSchema.object([.required("a", .string().meaning("what it is").orNull)])
        #expect(try JSONSchema(document: described.document) == described)
    }

    @Test(arguments: [
        ("[]", "$"), (#"{"type":"object","properties":{"a":{"type":"string","pattern":"x"}}}"#, "$.properties.a"),
        (#"{"type":"object","required":["a"]}"#, "$.required"), (#"{"type":"array"}"#, "$"), ("{}", "$"),
        (#"{"type":["string","integer"]}"#, "$.type"), (#"{"type":"string","enum":[1]}"#, "$.enum"),
        (#"{"type":"string","maxLength":-1}"#, "$.maxLength"), (#"{"type":"date"}"#, "$.type"),
        (#"{"type":"object","additionalProperties":{}}"#, "$.additionalProperties"), (#"{"$ref":"/x"}"#, "$"),
    ])
    func `what would not be checked is refused`(json: String, path: String) throws {
        do {
            _ = try JSONSchema(document: try JSONReply.tree(of: json))
            Issue.record("\(json) was taken")
        } catch let error as JSONSchema.DocumentProblem {
            #expect(error.path == path)
        }
    }

    @Test func `a document may not nest without end`() throws {
        let deep =
            String(repeating: #"{"type":"array","items":"#, count: 30) + #"{"type":"string"}"#
            + String(repeating: "}", count: 30)
        #expect(throws: JSONSchema.DocumentProblem.self) {
            _ = try JSONSchema(document: try JSONReply.tree(of: deep))
        }
    }

    @Test func `providers get the schema in their own forms`() {
        let schema = JSONSchema.object([
            .required("b", .string(maxLength: 5)), .required("a", .choice(["x"]).orNull),
        ])
        #expect(schema.isStrict)
        #expect(
            schema.document(lengths: false).json
                == #"{"type":"object","properties":{"b":{"type":"string"},"a":{"type":["string","null"],"enum":["x",null]}},"required":["b","a"],"additionalProperties":false}"#
        )
        #expect(
            schema.geminiDocument.json
                == #"{"type":"OBJECT","properties":{"b":{"type":"STRING","maxLength":5},"a":{"type":"STRING","nullable":true,"format":"enum","enum":["x"]}},"required":["b","a"],"propertyOrdering":["b","a"]}"#
        )
        #expect(!job.isStrict)
    }

    // MARK: Fuzzing

    private func randomTree(_ depth: Int, _ generator: inout SeededGenerator) -> JSONTree {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &generator) {
        case 0: return .null
        case 1: return .bool(.random(using: &generator))
        case 2: return .integer(Int64.random(in: -5...5, using: &generator))
        case 3: return .number(Double(Int.random(in: -9...9, using: &generator)) + 0.5)
        case 4:
            let pieces = ["a", "é", "\"", "\\", "\n", "\u{1}", "𝄞"]
            return .string(pieces.shuffled(using: &generator).prefix(3).joined())
        case 5:
            return .array((0..<Int.random(in: 0...4, using: &generator)).map { _ in randomTree(depth - 1, &generator) })
        default:
            let names = ["a", "b", "c", "d"].shuffled(using: &generator)
            let count = Int.random(in: 0...4, using: &generator)
            return .object(names.prefix(count).sorted().map { .init($0, randomTree(depth - 1, &generator)) })
        }
    }

    private func randomSchema(_ depth: Int, _ generator: inout SeededGenerator) -> JSONSchema {
        var schema: JSONSchema
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &generator) {
        case 0: schema = .boolean
        case 1: schema = .integer(-2...Int.random(in: 0...4, using: &generator))
        case 2: schema = .number(-1...2)
        case 3: schema = .string(maxLength: Int.random(in: 0...3, using: &generator))
        case 4: schema = .choice(["a", "é"])
        case 5:
            let most = Int.random(in: 0...3, using: &generator)
            schema = .list(of: randomSchema(depth - 1, &generator), count: 0...most)
        default:
            schema = JSONSchema(
                .object(
                    ["a", "b", "c"].map {
                        .init($0, randomSchema(depth - 1, &generator), isRequired: .random(using: &generator))
                    }, allowsOthers: .random(using: &generator)))
        }
        if Bool.random(using: &generator) { schema.isNullable = true }
        return schema
    }

    /// A value that fits, made by the schema itself.
    private func fitting(_ schema: JSONSchema) -> JSONTree {
        switch schema.kind {
        case .object(let properties, _): .object(properties.map { .init($0.name, fitting($0.schema)) })
        case .array(let items, let minItems, _): .array((0..<(minItems ?? 0)).map { _ in fitting(items) })
        case .string: .string("")
        case .choice(let values): .string(values[0])
        case .integer(let minimum, _): .int(minimum ?? 0)
        case .number(let minimum, _): .number(minimum ?? 0)
        case .boolean: .bool(true)
        }
    }

    @Test func `random values are judged alike before and after they were text`() throws {
        var generator = SeededGenerator()
        for _ in 0..<2000 {
            let (tree, schema) = (randomTree(4, &generator), randomSchema(3, &generator))
            let read = try JSONReply.tree(of: tree.json)
            #expect(read == tree, "\(generator)")
            #expect(schema.violations(in: read) == schema.violations(in: tree), "\(generator)")
            #expect(schema.violations(in: fitting(schema)).isEmpty, "\(schema) \(generator)")
            #expect(try JSONSchema(document: schema.document) == schema, "\(generator)")
        }
    }

    @Test(arguments: [
        ("9223372036854775808", [JSONSchema.integer(0...100), .integer()], ["must be at most 100", ""]),
        ("-1e300", [JSONSchema.integer(0...100), .integer()], ["must be at least 0", ""]),
        ("1.5", [JSONSchema.integer(0...100), .integer()], ["must be a whole number", "must be a whole number"]),
    ])
    func `a number beyond 64 bits is whole, and as large as it is`(
        text: String, schemas: [JSONSchema], problems: [String]
    ) throws {
        let tree = try JSONReply.tree(of: text)
        for (schema, problem) in zip(schemas, problems) {
            let found = schema.violations(in: tree)
            #expect(problem.isEmpty ? found.isEmpty : found.count == 1 && found[0].message.hasPrefix(problem))
        }
    }

    @Test func `no text does harm to the reader`() {
        var generator = SeededGenerator()
        let pieces = [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "null", "true", "1", "-", "1e999", "0.1", "\"a\"", " ", "\u{0}",
            "\\u0000", "\\ud800", "é", "```", "/*",
        ]
        for _ in 0..<5000 {
            let count = Int.random(in: 0...12, using: &generator)
            let text = (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }
            guard let tree = try? JSONReply.tree(of: text.joined()) else { continue }
            // What is taken is JSON: its own text reads back as itself.
            #expect((try? JSONReply.tree(of: tree.json)) == tree, "\(text.joined()) \(generator)")
        }
    }
}
