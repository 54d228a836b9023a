import Testing
import server

struct HTTPFieldReaderTests {
    private enum Kind: String, CaseIterable {
        case choice, scale, text
    }

    /// The mistakes that reading `text` with `build` finds.
    private func mistakes(_ text: String, limits: FieldLimits = FieldLimits(), _ build: (FieldReader) -> Void) throws
        -> [String]
    {
        do {
            try FieldReader.read(try JSONParser.parse(Array(text.utf8)), limits: limits, build)
            return []
        } catch let problem as HTTPProblem {
            #expect(problem.code == .invalidFields)
            return problem.errors.map { $0.path.isEmpty ? $0.message : "\($0.path): \($0.message)" }
        }
    }

    private func readAll(_ fields: FieldReader) {
        _ = fields.string("text", maxBytes: 10)
        _ = fields.integer("top_n", in: 1...100)
        _ = fields.number("alpha", in: 0...1)
        _ = fields.bool("diversity")
        _ = fields.strings("skills", maxCount: 3, maxBytes: 5)
        _ = fields.numbers("abilities", count: 2...2, in: 0...10)
        _ = fields.choice("kind", of: Kind.self)
        for (name, answer) in fields.entries("answers", maxCount: 3) ?? [] where name == "19" {
            _ = answer.string(maxBytes: 4)
        }
        if let filters = fields.object("filters") { _ = filters.strings("clusters") }
        for item in fields.objects("items") ?? [] { _ = item.requiredString("name") }
    }

    @Test func `reads what is right`() throws {
        let body = #"""
            {"text":"é","top_n":5,"alpha":0.5,"diversity":false,"skills":["a"],"abilities":[0,10],"kind":"scale",
             "answers":{"1":"a","19":"free"},"filters":{"clusters":["x"]},"items":[{"name":"n"}]}
            """#
        #expect(try mistakes(body, readAll) == [])
        try FieldReader.read(try JSONParser.parse(Array(body.utf8))) { fields in
            #expect(fields.string("text") == "é")
            #expect(fields.integer("top_n", in: 1...100) == 5)
            #expect(fields.number("alpha", in: 0...1) == 0.5)
            #expect(fields.bool("diversity") == false)
            #expect(fields.numbers("abilities", count: 2...2, in: 0...10) == [0, 10])
            #expect(fields.choice("kind", of: Kind.self) == .scale)
            #expect(fields.entries("answers")?.map(\.name) == ["1", "19"])
            #expect(fields.object("filters")?.strings("clusters") == ["x"])
            #expect(fields.objects("items")?.first?.requiredString("name") == "n")
            #expect(fields.strings("skills") == ["a"])
            #expect(!fields.has("absent"))
        }
    }

    @Test(arguments: [
        (#"{"text":5}"#, "text: must be a string, not a number"),
        (#"{"text":"12345678901"}"#, "text: must have at most 10 bytes of UTF-8, not 11"),
        (#"{"text":"éééééé"}"#, "text: must have at most 10 bytes of UTF-8, not 12"),
        (#"{"text":"a\u0000"}"#, "text: must not contain the NUL character"),
        (#"{"top_n":0}"#, "top_n: must be from 1 to 100, not 0"),
        (#"{"top_n":101}"#, "top_n: must be from 1 to 100, not 101"),
        (#"{"top_n":2.5}"#, "top_n: must be a whole number"),
        (#"{"top_n":1e300}"#, "top_n: must be from 1 to 100"),
        (#"{"top_n":99999999999999999999}"#, "top_n: must be from 1 to 100"),
        (#"{"top_n":"5"}"#, "top_n: must be a whole number, not a string"),
        (#"{"top_n":true}"#, "top_n: must be a whole number, not a boolean"),
        (#"{"alpha":1.5}"#, "alpha: must be from 0 to 1, not 1.5"),
        (#"{"alpha":[]}"#, "alpha: must be a number, not a list"),
        (#"{"diversity":1}"#, "diversity: must be true or false, not a number"),
        (#"{"skills":{}}"#, "skills: must be a list, not an object"),
        (#"{"skills":["a","b","c","d"]}"#, "skills: must have at most 3 elements, not 4"),
        (#"{"skills":["a",null]}"#, "skills.1: must be a string, not null"),
        (#"{"skills":["abcdef"]}"#, "skills.0: must have at most 5 bytes of UTF-8, not 6"),
        (#"{"abilities":[1]}"#, "abilities: must have exactly 2 numbers, not 1"),
        (#"{"abilities":[1,2,3]}"#, "abilities: must have at most 2 elements, not 3"),
        (#"{"abilities":[1,10.5]}"#, "abilities.1: must be from 0 to 10, not 10.5"),
        (#"{"kind":"chioce"}"#, "kind: must be one of `choice`, `scale`, `text`, not `chioce`; did you mean `choice`?"),
        (#"{"answers":{"1":1,"2":2,"3":3,"4":4}}"#, "answers: must have at most 3 members, not 4"),
        (#"{"answers":{"19":"12345"}}"#, "answers.19: must have at most 4 bytes of UTF-8, not 5"),
        (#"{"answers":[]}"#, "answers: must be an object, not a list"),
        (#"{"filters":{"cluster":[]}}"#, "filters.cluster: unknown field `cluster`; did you mean `clusters`?"),
        (#"{"items":[{}]}"#, "items.0.name: is required"),
        (#"{"items":[{"name":null}]}"#, "items.0.name: must not be null"),
        (#"{"items":[{"name":"  "}]}"#, "items.0.name: must not be empty"),
        (#"{"items":[1]}"#, "items.0: must be an object, not a number"),
        (#"{"top_m":5}"#, "top_m: unknown field `top_m`; did you mean `top_n`?"),
        (#"{"zzz":5}"#, "zzz: unknown field `zzz`"),
        ("[]", "the body must be an object, not a list"),
    ])
    func `says what is wrong and where`(body: String, expected: String) throws {
        #expect(try mistakes(body, readAll) == [expected])
    }

    @Test func `takes null for absent and whole doubles for integers`() throws {
        #expect(try mistakes(#"{"text":null,"top_n":5.0,"skills":null,"abilities":null}"#, readAll) == [])
        #expect(try mistakes(#"{"top_n":5e0}"#, readAll) == [])
    }

    @Test func `collects every mistake`() throws {
        let found = try mistakes(#"{"text":1,"top_n":0,"alpha":"x","x1":1,"x2":2}"#, readAll)
        #expect(found.count == 5)
    }

    @Test func `bounds how many mistakes it reports`() throws {
        let body = "{" + (0..<500).map { "\"unknown_field_\($0)\":1" }.joined(separator: ",") + "}"
        #expect(try mistakes(body, readAll).count == FieldErrors.maxCount)
        let long = "{\"" + String(repeating: "x", count: 100_000) + "\":1}"
        let found = try mistakes(long, readAll)
        #expect(found.count == 1)
        #expect(found.allSatisfy { $0.utf8.count < 400 })
    }

    @Test func `applies the service's limits where a field has none`() throws {
        let limits = FieldLimits(bodyBytes: 1000, listCount: 2, stringBytes: 3)
        let found = try mistakes(#"{"a":"1234","b":["x","y","z"]}"#, limits: limits) { fields in
            _ = fields.string("a")
            _ = fields.strings("b")
        }
        #expect(
            found == ["a: must have at most 3 bytes of UTF-8, not 4", "b: must have at most 2 elements, not 3"])
    }

    @Test func `reports mistakes that only the caller sees`() throws {
        let found = try mistakes(#"{"answers":{"99":"a"}}"#) { fields in
            for (name, field) in fields.entries("answers") ?? [] { field.fail("there is no question `\(name)`") }
        }
        #expect(found == ["answers.99: there is no question `99`"])
    }
}
