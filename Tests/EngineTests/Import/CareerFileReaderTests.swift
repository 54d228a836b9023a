import Engine
import Foundation
import Store
import TestSupport
import Testing

@Suite struct `Reading careers from JSON` {
    @Test(arguments: [
        "[%]", "{\"careers\": [%]}", "{\"cluster\": \"X\", \"careers\": [%], \"sources\": []}", "\u{FEFF}\n[%]\n",
    ])
    func `takes a list and an object with one`(_ frame: String) throws {
        let text = frame.replacing("%", with: ImportFixtures.json("a") + ",\n" + ImportFixtures.json("b"))
        let imported = try ImportFixtures.read(text, .json)
        #expect(imported.careers.map(\.id) == ["a", "b"])
        #expect(imported.problems.isEmpty)
        #expect(imported.sources == [ImportFixtures.source])
        #expect(imported.careers[0].source == "school" && imported.careers[0].cluster == "C")
        #expect(imported.careers[0].requiredEducation == RequiredEducation(level: .none, text: "Not stated"))
        #expect(imported.count("careers") == 2)
    }

    @Test func `drops white space around names and refuses numbers in quotes with a hint`() throws {
        let text = """
            {"cluster": " Z ", "sources": [{"name": " s ", "title": " T "}], "careers": [{"id": " a ", "name": "\\tN ",
             "description": " D ", "aliases": [" x", "y "], "soc_code": " 11-1011 ", "source": " s ",
             "attributes": {"k": " v ", "l": ["\u{A0}w "]}, "abilities": \(ImportFixtures.abilities)},
             \(ImportFixtures.json("a")),
             \(ImportFixtures.json("b").replacing("\"creativity\": 5", with: "\"creativity\": \"3,5\""))]}
            """
        let imported = try ImportFixtures.read(text, .json)
        let career = try #require(imported.careers.only)
        #expect(career.id == "a" && career.name == "N" && career.description == " D " && career.cluster == "Z")
        #expect(career.aliases == ["x", "y"] && career.socCode == "11-1011" && career.source == "s")
        #expect(career.attributes == ["k": .words(["v"]), "l": .words(["w"])])
        #expect(imported.sources == [CareerSource(name: "s", title: "T")])
        let problems = imported.problems.kept.map(\.message)
        #expect(problems.contains { $0.contains("the id “a” was used in line 1 already") }, "\(problems)")
        #expect(
            problems.contains { $0.contains("`abilities.creativity` is “3,5”, with a decimal comma") }, "\(problems)")
    }

    @Test(arguments: [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32], CareerFileFormat.allCases)
    func `says so where a file is not UTF-8`(_ encoding: String.Encoding, _ format: CareerFileFormat) throws {
        let data = try #require("[\(ImportFixtures.json("a"))]".data(using: encoding))
        let error = #expect(throws: ImportError.self) {
            try CareerFileReader.read(data, named: "f", format: format, defaultSource: ImportFixtures.source)
        }
        #expect(
            error?.description.hasPrefix("f: the file is not UTF-8 but UTF-16") == true, "\(String(describing: error))")
    }

    @Test func `shows nothing that a terminal would obey`() throws {
        let error = #expect(throws: ImportError.self) {
            try ImportFixtures.read("[\(ImportFixtures.json("a", ", \"\\u001b[31m\\nx\\u202e\": 1"))]", .json)
        }
        let text = try #require(error?.description)
        #expect(text.contains("`\u{FFFD}[31m\u{FFFD}x\u{FFFD}`"), "\(text)")
    }

    @Test func `takes the cluster of the file where a career names none`() throws {
        let career = ImportFixtures.json("a").replacing("\"cluster\": \"C\", ", with: "")
        let imported = try ImportFixtures.read("{\"careers\": [\(career)], \"cluster\": \"Z\"}", .json)
        #expect(imported.careers.first?.cluster == "Z")
    }

    @Test func `names line, field and remedy of each mistake, and keeps the others`() throws {
        let text = """
            [
              \(ImportFixtures.json("good")),
              \(ImportFixtures.json("a", ", \"descripton\": 1")),
              \(ImportFixtures.json("b", ", \"salary\": {\"min\": 5, \"max\": 3, \"currency\": \"eur\", \"year\": 1}")),
              \(ImportFixtures.json("c", ", \"aliases\": \"x\"")),
              \(ImportFixtures.json("d").replacing("\"creativity\": 5", with: "\"creativity\": 11")),
              \(ImportFixtures.json("e").replacing("\"creativity\": 5, ", with: "")),
              {"id": "has space"},
              \(ImportFixtures.json("good")),
              7,
              {"id": "f", "name": },
              \(ImportFixtures.json("g", ", \"required_education\": {\"level\": \"bachelors\"}")),
              \(ImportFixtures.json("h", ", \"growth\": {\"percent\": 1e999, \"from\": 2020, \"to\": 2030}")),
              \(ImportFixtures.json("also-good"))
            ]
            """
        let imported = try ImportFixtures.read(text, .json)
        #expect(imported.careers.map(\.id) == ["good", "also-good"])
        let lines = imported.problems.kept.map(\.description)
        func has(_ line: Int, _ words: String) -> Bool {
            lines.contains { $0.hasPrefix("file:\(line): ") && $0.contains(words) }
        }
        #expect(has(3, "`descripton` is not a field of a career; did you mean `description`?"), "\(lines)")
        #expect(has(4, "`salary.max` is 3, less than the minimum of 5"), "\(lines)")
        #expect(has(4, "`salary.currency` is “eur”") && has(4, "years run from 1900"), "\(lines)")
        #expect(has(5, "`aliases` is the text “x”; write a list of texts"), "\(lines)")
        #expect(has(6, "`abilities.creativity` is 11.0; abilities lie between 0 and 10"), "\(lines)")
        #expect(has(7, "`abilities.creativity` is missing"), "\(lines)")
        #expect(has(8, "`id` is “has space”") && has(8, "`name` is missing"), "\(lines)")
        #expect(has(9, "the id “good” was used in line 2 already"), "\(lines)")
        #expect(has(10, "this is not a career"), "\(lines)")
        #expect(has(11, "not valid JSON"), "\(lines)")
        #expect(has(12, "did you mean `bachelor`?"), "\(lines)")
        #expect(has(13, "`growth.percent` is a number out of range"), "\(lines)")
        #expect(imported.count("rows_refused") == 11)
    }

    @Test(arguments: [
        ("", "the file is empty"), ("7", "a list of careers"), ("{\"id\": \"a\"}", "put the careers into a list"),
        ("{\"carers\": []}", "did you mean `careers`?"), ("[]", "has no careers"), ("{}", "has no list `careers`"),
        ("{\"careers\": 5}", "has no list"), ("{\"careers\"", "a colon"),
    ])
    func `refuses a file that is something else`(_ text: String, _ words: String) throws {
        let error = #expect(throws: ImportError.self) { try ImportFixtures.read(text, .json) }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }

    @Test func `goes on after a missing comma and tells where a list breaks off`() throws {
        let imported = try ImportFixtures.read(
            "[\(ImportFixtures.json("a"))\n\(ImportFixtures.json("b")),\n\(ImportFixtures.json("c").dropLast())", .json)
        #expect(imported.careers.map(\.id) == ["a", "b"])
        #expect(imported.problems.kept.map(\.line) == [2, 3])
        #expect(imported.problems.kept.last?.message.contains("has no end") == true)
    }
}

@Suite struct `Reading careers from JSON Lines` {
    @Test func `takes a mark, CRLF and blank lines and names bad lines`() throws {
        let text =
            "\u{FEFF}{\"sources\": [{\"name\": \"school\", \"title\": \"T\", \"licence\": \"L\"}]}\r\n\r\n"
            + ImportFixtures.json("a") + "\r\nnonsense\n" + ImportFixtures.json("a") + "\n" + ImportFixtures.json("b")
            + " " + ImportFixtures.json("c") + "\n" + ImportFixtures.json("d")
        let imported = try ImportFixtures.read(text, .jsonl)
        #expect(imported.careers.map(\.id) == ["a", "d"])
        #expect(imported.sources.map(\.title) == ["T"])
        #expect(imported.problems.kept.map(\.line) == [4, 5, 6])
        #expect(imported.problems.kept[1].message.contains("line 3"))
    }

    @Test func `reports bytes that are not UTF-8`() throws {
        var data = Data((ImportFixtures.json("a") + "\n" + ImportFixtures.json("b")).utf8)
        data.replaceSubrange(data.count - 200..<data.count - 199, with: [0xFF])
        let imported = try CareerFileReader.read(
            data, named: "f", format: .jsonl, defaultSource: ImportFixtures.source)
        #expect(imported.careers.map(\.id) == ["a"])
        #expect(imported.problems.kept.first?.description.hasPrefix("f:2: ") == true)
    }
}

@Suite struct `Reading careers from CSV` {
    static let header = "id,name,cluster,description," + Ability.allCases.map(\.rawValue).joined(separator: ",")
    static let numbers = Array(repeating: "5", count: Ability.count).joined(separator: ",")

    static func row(_ id: String, _ more: String = "") -> String { "\(id),N,C,D,\(numbers)\(more)" }

    @Test(arguments: [",", ";", "\t"], ["\n", "\r\n", "\r"])
    func `finds the separator and takes every line end`(_ separator: String, _ end: String) throws {
        let text = [Self.header + ",aliases", Self.row("a", ",\"x; y|z\""), "", ",,,", Self.row("b", ",")]
            .joined(separator: end).replacing(",", with: separator)
        let blank = String(repeating: separator, count: 3)
        let imported = try ImportFixtures.read("\u{FEFF}" + text, .csv)
        #expect(imported.careers.map(\.id) == ["a", "b"], "\(blank)")
        #expect(imported.careers[0].aliases == ["x", "y", "z"] && imported.careers[1].aliases.isEmpty)
        #expect(imported.problems.isEmpty)
    }

    @Test func `reads every column`() throws {
        let header =
            Self.header + ",salary_min,salary_max,currency,salary_year,growth_percent,growth_from,growth_to,"
            + "education_level,education_text,attribute:campus,attribute:places,attribute:code,source"
        let text =
            header + "\n" + Self.row("a", ",1,2,EUR,2024,-3.5,2020,2030,master,,\"n;s\", 7 ,\\7,other")
        let career = try #require(try ImportFixtures.read(text, .csv).careers.first)
        #expect(career.salary == SalaryRange(min: 1, max: 2, currency: "EUR", year: 2024))
        #expect(career.growth == JobGrowth(percent: -3.5, from: 2020, to: 2030))
        #expect(career.requiredEducation == RequiredEducation(level: .master, text: "Master's degree"))
        #expect(
            career.attributes == ["campus": .words(["n", "s"]), "places": .number(7), "code": .words(["7"])])
        #expect(career.source == "other")
    }

    @Test func `names the line of each mistake by the column`() throws {
        let text = [
            Self.header + ",salary_min,salary_max", Self.row("a", ",,"), Self.row("b", ",nan,5"), Self.row("c", ","),
            Self.row("d\nd", ",,"), "\"e\ne\"x" + Self.row("", ",,"), Self.row("f\"f", ",,"), Self.row("a", ",,"),
            Self.row("g", ",,").replacing("5", with: "inf"), Self.row("\"open", ",,"), Self.row("z", ",,"),
        ].joined(separator: "\n")
        let imported = try ImportFixtures.read(text, .csv)
        // A line end outside quotes splits “d” into a bad row and a good one.
        #expect(imported.careers.map(\.id) == ["a", "d"])
        let lines = imported.problems.kept.map(\.description)
        func has(_ line: Int, _ words: String) -> Bool {
            lines.contains { $0.hasPrefix("file:\(line): ") && $0.contains(words) }
        }
        #expect(
            has(3, "`salary_min` is the text “nan”; write a whole number") && has(3, "`currency` is missing"),
            "\(lines)")
        #expect(has(4, "the row has 20 cells, the header 21"), "\(lines)")
        #expect(has(5, "the row has 1 cells"), "\(lines)")
        #expect(has(8, "text follows a closing quote"), "\(lines)")
        #expect(has(9, "a quote stands inside"), "\(lines)")
        #expect(has(10, "the id “a” was used in line 2 already"), "\(lines)")
        #expect(has(11, "`analytical_reasoning` is the text “inf”"), "\(lines)")
        #expect(has(12, "the quote that opens here is never closed"), "\(lines)")
    }

    @Test(arguments: [
        (
            "salary_min", "20.000",
            "is “20.000”, which could be two numbers; write whole numbers by their digits alone: 20000"
        ),
        ("salary_min", "\"1,234,567\"", "by their digits alone: 1234567"), ("salary_min", "20 000", "alone: 20000"),
        ("salary_year", "2.024", "alone: 2024"), ("salary_min", "3.5", "is 3.5; write a whole number"),
        ("salary_min", "\"3,5\"", "is the text “3,5”; write a whole number"),
        ("growth_percent", "\"3,5\"", "is “3,5”, with a decimal comma; write a decimal point: 3.5"),
        ("growth_percent", "\"1.234,5\"", "is “1.234,5”; write digits and a decimal point"),
        ("growth_percent", "5%", "is the text “5%”; write a number"),
    ])
    func `refuses numbers that could be others, and says how to write them`(
        _ column: String, _ cell: String, _ words: String
    ) throws {
        let good = [
            "salary_min": "10", "salary_max": "9000000", "currency": "EUR", "salary_year": "2024",
            "growth_percent": "1", "growth_from": "2020", "growth_to": "2030",
        ]
        let names = good.keys.sorted()
        func row(_ id: String, _ cells: [String: String]) -> String {
            Self.row(id, names.map { "," + (cells[$0] ?? "") }.joined())
        }
        let text = [
            Self.header + "," + names.joined(separator: ","), row("good", good),
            row("bad", good.merging([column: cell]) { $1 }),
        ].joined(separator: "\n")
        let imported = try ImportFixtures.read(text, .csv)
        #expect(imported.careers.map(\.id) == ["good"])
        let problem = try #require(imported.problems.kept.first?.message)
        #expect(problem.contains("`\(column)` \(words)") || problem.contains(words), "\(problem)")
    }

    @Test func `takes whole numbers with a point that can mean nothing else`() throws {
        let text =
            Self.header + ",salary_min,salary_max,currency,salary_year\n" + Self.row("a", ",20000.0,3e4,EUR,2024.00")
        let career = try #require(try ImportFixtures.read(text, .csv).careers.first)
        #expect(career.salary == SalaryRange(min: 20_000, max: 30_000, currency: "EUR", year: 2024))
    }

    @Test(arguments: [
        ("", "the file is empty"), ("id,nmae\n", "`nmae` is no column of careers; did you mean `name`?"),
        ("id,id\n", "twice"), ("id,,name\n", "column 2 has no name"),
        ("id\n", "these columns are missing: name, cluster"),
        ("\"id\n", "never closed"),
    ])
    func `refuses a header with mistakes`(_ text: String, _ words: String) throws {
        let error = #expect(throws: ImportError.self) { try ImportFixtures.read(text, .csv) }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }

    @Test func `counts problems that it does not keep`() throws {
        let rows = (0..<10_050).map { "r\($0),N" }
        let imported = try ImportFixtures.read(([Self.header, Self.row("a")] + rows).joined(separator: "\n"), .csv)
        #expect(imported.problems.count == 10_050 && imported.problems.kept.count == 10_000)
    }
}

extension Array {
    /// The element of a list of one.
    fileprivate var only: Element? { count == 1 ? self[0] : nil }
}
