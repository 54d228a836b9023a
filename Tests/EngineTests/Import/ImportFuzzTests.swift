import Engine
import Foundation
import Store
import TestSupport
import Testing

/// Damages bytes as transfers, editors and enemies do.
enum Mutation {
    private static let tokens: [[UInt8]] =
        [
            "\"", "\"\"", ",", ";", "\t", "\n", "\r\n", "{", "}", "[", "]", ":", "\\", "\\u", "\\ud800", "null", "nan",
            "inf",
            "1e999", "-", "0x10", "-0", "true", "\u{FEFF}", "\u{0}", "😀", "N/A", "*", "#", "11-1011.00", "id", "name",
            "{\"careers\":", "{\"sources\":[", "99999999999999999999",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0x80]]

    static func apply(to bytes: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            let end = min(bytes.count, place + Int.random(in: 0...12, using: &random))
            switch Int.random(in: 0..<7, using: &random) {
            case 0: bytes.insert(contentsOf: tokens.randomElement(using: &random) ?? [], at: place)
            case 1: bytes.removeSubrange(place..<end)
            case 2: if place < bytes.count { bytes[place] = UInt8.random(in: .min ... .max, using: &random) }
            case 3: bytes.replaceSubrange(place..<end, with: tokens.randomElement(using: &random) ?? [])
            case 4: if Int.random(in: 0..<8, using: &random) == 0 { bytes.removeSubrange(place...) }
            case 5:
                let copy = bytes[place..<min(bytes.count, place + Int.random(in: 0...200, using: &random))]
                bytes.insert(contentsOf: copy, at: Int.random(in: 0...bytes.count, using: &random))
            default: if place < bytes.count { bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
            }
        }
        return bytes
    }
}

@Suite struct `Damaged files` {
    static let rounds = 5_000

    @Test(arguments: CareerFileFormat.allCases)
    func `of careers give good careers, problems or an error`(_ format: CareerFileFormat) throws {
        var random = SeededGenerator(seed: 7_001)
        let careers = [ImportFixtures.career("first"), ImportFixtures.randomCareer(1, using: &random)]
        let original = Array(
            try CareerExporter.write(careers, sources: [ImportFixtures.source], format: format))
        var outcomes = (whole: 0, partial: 0, refused: 0)
        for round in 0..<Self.rounds {
            let bytes = Mutation.apply(to: original, using: &random)
            do throws(ImportError) {
                let imported = try CareerFileReader.read(
                    Data(bytes), named: "f", format: format, defaultSource: ImportFixtures.source)
                if imported.problems.isEmpty { outcomes.whole += 1 } else { outcomes.partial += 1 }
                for career in imported.careers {
                    let isGood =
                        !career.id.isEmpty && career.abilities.count == Ability.count
                        && career.abilities.allSatisfy(abilityRange.contains)
                    #expect(isGood, "round \(round), \(random): \(career)")
                }
                #expect(!imported.careers.isEmpty, "round \(round), \(random)")
            } catch {
                outcomes.refused += 1
                #expect(!error.description.isEmpty, "round \(round), \(random)")
            }
        }
        #expect(outcomes.whole > 0 && outcomes.partial > 0 && outcomes.refused > 0, "\(random): \(outcomes)")
    }

    /// Files that make a careless reader try everything again for every byte, or call itself for every bracket.
    @Test(arguments: [
        "\"", "\"\"", "[", "{", "[[", "]", "{\"a\":", "{}", "[],", "{},", ",", "\n", "\r", "\\", "a", "\"a\",", "[\"",
        ";|",
        "{\"id\":\"a\"},", "{\"id\":\"a\"}\n", "id,", "\u{FEFF}", "0,", " ", "\t",
    ])
    func `of endless repetitions end quickly`(_ token: String) {
        let clock = ContinuousClock()
        let starts: [(CareerFileFormat, String)] = [
            (.json, ""), (.json, "["), (.json, "{\"careers\":["), (.jsonl, ""), (.csv, ""),
            (.csv, `Reading careers from CSV`.header + "\n"),
        ]
        for (format, start) in starts {
            let data = Data((start + String(repeating: token, count: 250_000)).utf8)
            let time = clock.measure {
                _ = try? CareerFileReader.read(
                    data, named: "f", format: format, defaultSource: ImportFixtures.source)
            }
            #expect(time < .seconds(20), "\(token) as \(format): \(time)")
        }
    }

    @Test func `of five megabytes of quotes or brackets end quickly`() {
        let clock = ContinuousClock()
        for token in ["\"", "[", "{"] {
            let data = Data(("[" + String(repeating: token, count: 5_000_000)).utf8)
            for format in CareerFileFormat.allCases {
                let time = clock.measure {
                    _ = try? CareerFileReader.read(
                        data, named: "f", format: format, defaultSource: ImportFixtures.source)
                }
                #expect(time < .seconds(20), "\(token) as \(format): \(time)")
            }
        }
    }

    @Test func `with one enormous cell, list or name end quickly`() {
        let long = String(repeating: "x; ", count: 1_000_000)
        let clock = ContinuousClock()
        let time = clock.measure {
            _ = try? ImportFixtures.read(
                `Reading careers from CSV`.header + ",aliases\n" + `Reading careers from CSV`.row("a", "," + long), .csv
            )
            _ = try? ImportFixtures.read(long, .csv)
            _ = try? ImportFixtures.read("[" + ImportFixtures.json("a", ", \"\(long)\": 1") + "]", .json)
            _ = try? ImportFixtures.read("[" + ImportFixtures.json(long) + "]", .json)
            let many = Array(repeating: "\"x\"", count: 1_000_000).joined(separator: ",")
            _ = try? ImportFixtures.read("[" + ImportFixtures.json("a", ", \"tasks\": [\(many)]") + "]", .json)
        }
        #expect(time < .seconds(30), "\(time)")
    }

    @Test func `nested a hundred thousand deep are refused`() throws {
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        let text = "[\(ImportFixtures.json("a")), \(ImportFixtures.json("b", ", \"tasks\": \(deep)"))]"
        let imported = try ImportFixtures.read(text, .json)
        #expect(imported.careers.map(\.id) == ["a"])
        #expect(imported.problems.kept.first?.message.contains("nested 100001 deep") == true)
    }
}

@Suite struct `A damaged O*NET release` {
    static let files: [String: String] = [
        "Occupation Data.txt": """
        O*NET-SOC Code\tTitle\tDescription
        11-1011.00\tChief Executives\tDetermine policies.
        29-1141.00\tRegistered Nurses\tAssess patients.
        55-1011.00\tAir Crew Officers\tFly.

        """,
        "Alternate Titles.txt": """
        O*NET-SOC Code\tAlternate Title\tShort Title\tSource(s)
        11-1011.00\tCEO\tn/a\t08
        29-1141.00\tRN\tn/a\t08

        """,
        "Task Statements.txt": """
        O*NET-SOC Code\tTask ID\tTask\tTask Type\tDate
        29-1141.00\t1\tHelp.\tSupplemental\t08/2023
        29-1141.00\t2\tCare.\tCore\t08/2023

        """,
        "Technology Skills.txt": """
        O*NET-SOC Code\tExample\tCommodity Code\tCommodity Title\tHot Technology\tIn Demand
        11-1011.00\tExcel\t1\tSpreadsheet software\tY\tY

        """,
        "Scales Reference.txt": "Scale ID\tScale Name\tMinimum\tMaximum\nIM\tImportance\t1\t5\nLV\tLevel\t0\t7\n",
        "Job Zone Reference.txt": "Job Zone\tName\tEducation\n5\tFive\tGraduate school.\n",
        "Job Zones.txt": "O*NET-SOC Code\tJob Zone\tDate\n11-1011.00\t5\t08/2023\n",
        "Skills.txt": """
        O*NET-SOC Code\tElement ID\tElement Name\tScale ID\tData Value\tRecommend Suppress\tNot Relevant
        11-1011.00\t2.B.5.d\tManagement of Personnel Resources\tIM\t5.00\tN\t
        11-1011.00\t2.B.5.d\tManagement of Personnel Resources\tLV\t7.00\tN\tN
        29-1141.00\t2.B.5.d\tManagement of Personnel Resources\tIM\t2.00\tN\t
        29-1141.00\t2.B.5.d\tManagement of Personnel Resources\tLV\t1.00\tN\tY

        """,
        "Interests.txt": """
        O*NET-SOC Code\tElement ID\tElement Name\tScale ID\tData Value\tDate
        29-1141.00\t1.B.1.d\tSocial\tOI\t7.00\t11/2023

        """,
        "Related Occupations.txt": """
        O*NET-SOC Code\tRelated O*NET-SOC Code\tRelatedness Tier\tIndex
        11-1011.00\t29-1141.00\tPrimary-Short\t1

        """,
        "Read Me.txt": "O*NET 29.0 Database\n",
    ]
    static let wages = """
        \u{FEFF}OCC_CODE,OCC_TITLE,O_GROUP,A_PCT25,A_PCT75
        11-1011,Chief Executives,detailed,"111,080",#
        29-1141,Registered Nurses,detailed,*,*
        29-1140,Registered Nurses,broad,"61,790","97,580"

        """
    static let projections = "occupation,pct_emp_change_2020_2030\n\"Registered  nurses\",9.4\nChief executives,-10\n"

    private static func write(_ files: [String: [UInt8]], to folder: URL) throws {
        for (name, bytes) in files { try Data(bytes).write(to: folder.appendingPathComponent(name)) }
    }

    private static func read(_ folder: URL, bls: Bool = true) throws(ImportError) -> ImportedCareers {
        try OnetImporter.read(
            directory: folder, wages: bls ? folder.appendingPathComponent("national_May2021_dl.csv") : nil,
            projections: bls ? folder.appendingPathComponent("projections.csv") : nil, progress: { _ in })
    }

    private static var all: [String: [UInt8]] {
        var all = files.mapValues { Array($0.utf8) }
        all["national_May2021_dl.csv"] = Array(wages.utf8)
        all["projections.csv"] = Array(projections.utf8)
        return all
    }

    @Test func `is whole to begin with, and reads the same in any order of rows and line ends`() throws {
        let folder = try TemporaryDirectory()
        try Self.write(Self.all, to: folder.url)
        let imported = try Self.read(folder.url)
        #expect(imported.problems.isEmpty && imported.careers.count == 3, "\(imported.problems.kept)")
        let executive = imported.careers[0]
        #expect(executive.salary == SalaryRange(min: 111_080, max: 208_000, currency: "USD", year: 2021))
        #expect(executive.growth == JobGrowth(percent: -10, from: 2020, to: 2030))
        #expect(executive.requiredEducation.text == "Graduate school." && executive.aliases == ["CEO"])
        #expect(imported.careers[1].salary == nil && imported.careers[1].tasks == ["Care.", "Help."])
        #expect(
            executive.abilities[Ability.leadership.position]
                > imported.careers[1].abilities[Ability.leadership.position])

        var shuffled = Self.all
        var random = SeededGenerator(seed: 99)
        for (name, bytes) in shuffled
        where name.hasSuffix(".txt") && name != "Read Me.txt" && name != "Task Statements.txt" {
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            let text = ([lines[0]] + lines.dropFirst().shuffled(using: &random)).joined(separator: "\r\n")
            shuffled[name] = Array("\u{FEFF}\(text)".utf8)
        }
        try Self.write(shuffled, to: folder.url)
        #expect(try Self.read(folder.url).careers == imported.careers, "\(random)")
    }

    @Test(arguments: [
        ("Skills.txt", "2.00", "nan", 4, "is not a number"), ("Skills.txt", "2.00", "9.00", 4, "not on the scale IM"),
        (
            "Skills.txt", "29-1141.00\t2.B.5.d\tManagement of Personnel Resources\tIM", "99-9999.00\t2.B.5.d\tM\tIM", 4,
            "no occupation “99-9999.00”"
        ),
        ("Skills.txt", "LV\t1.00", "IM\t1.00", 5, "was given already"),
        ("Job Zones.txt", "\t5\t", "\t6\t", 2, "is not a job zone"),
        ("Alternate Titles.txt", "RN\t", "RN\t\t", 3, "has 5 fields, the header 4"),
        ("Related Occupations.txt", "29-1141.00", "29-1141.01", 2, "no occupation"),
        ("Occupation Data.txt", "55-1011.00", "99-1011.00", 4, "is not one of SOC 2018"),
        ("Occupation Data.txt", "55-1011.00", "11-1011.00", 4, "was described in line 2"),
        ("national_May2021_dl.csv", "\"111,080\"", "lots", 2, "is not a wage"),
        ("projections.csv", "-10", "ten", 3, "not a change in percent"),
    ])
    func `names file, line and mistake`(_ file: String, _ old: String, _ new: String, _ line: Int, _ words: String)
        throws
    {
        let folder = try TemporaryDirectory()
        var files = Self.all
        files[file] = Array(
            String(decoding: files[file] ?? [], as: UTF8.self).replacing(old, with: new, maxReplacements: 1).utf8)
        try Self.write(files, to: folder.url)
        let imported = try Self.read(folder.url)
        let found = imported.problems.kept.contains { $0.file == file && $0.line == line && $0.message.contains(words) }
        #expect(found, "\(imported.problems.kept)")
    }

    @Test func `names a folder that is no release and the files that make one`() throws {
        let folder = try TemporaryDirectory()
        func complaint(_ url: URL) -> String {
            do throws(ImportError) {
                _ = try OnetImporter.read(directory: url, wages: nil, projections: nil) { _ in }
                return ""
            } catch { return error.description }
        }
        let expected =
            "name the folder that holds a release of O*NET as text: Occupation Data.txt and at least one of "
            + "Abilities.txt, Skills.txt, Work Styles.txt, Interests.txt"
        let absent = folder.url.appendingPathComponent("absent")
        #expect(complaint(absent) == "\(absent.path) is not there; \(expected)")
        let file = folder.url.appendingPathComponent("db_29_0_text.zip")
        try Data("PK".utf8).write(to: file)
        #expect(complaint(file) == "\(file.path) is a file; \(expected)")
        #expect(complaint(folder.url) == "\(folder.url.path) has no Occupation Data.txt; \(expected)")
        var files = Self.all
        for name in ["Abilities.txt", "Skills.txt", "Work Styles.txt", "Interests.txt"] { files[name] = nil }
        try Self.write(files, to: folder.url)
        #expect(complaint(folder.url) == "\(folder.url.path) has no ratings; \(expected)")
        files["Skills.txt"] = Array((Self.all["Skills.txt"] ?? []).prefix { $0 != UInt8(ascii: "\n") })
        files["Technology Skills.txt"] = nil
        try Self.write(files, to: folder.url)
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent("Technology Skills.txt"))
        #expect(complaint(folder.url) == "\(folder.url.path) has no rating that can be read; \(expected)")
    }

    @Test func `names a missing file or column, and notes those it can do without`() throws {
        let folder = try TemporaryDirectory()
        let missing = #expect(throws: ImportError.self) { try Self.read(folder.url) }
        #expect(missing?.description.contains("has no Occupation Data.txt; name the folder") == true)
        var files = Self.all
        files["Alternate Titles.txt"] = nil
        files["Read Me.txt"] = nil
        try Self.write(files, to: folder.url)
        let imported = try Self.read(folder.url, bls: false)
        #expect(imported.notes.contains { $0.contains("Alternate Titles.txt is not there") }, "\(imported.notes)")
        #expect(imported.sources.first?.version == nil && imported.careers.allSatisfy { $0.salary == nil })
        files["Job Zones.txt"] = Array("O*NET-SOC Code\tZone\n".utf8)
        try Self.write(files, to: folder.url)
        let column = #expect(throws: ImportError.self) { try Self.read(folder.url) }
        #expect(column?.description.contains("Job Zones.txt:1: the column “Job Zone” is missing") == true)
    }

    @Test func `gives good careers, problems or an error`() throws {
        let folder = try TemporaryDirectory()
        let files = Self.all
        try Self.write(files, to: folder.url)
        let names = files.keys.sorted()
        var random = SeededGenerator(seed: 7_002)
        for round in 0..<5_000 {
            let name = names.randomElement(using: &random) ?? names[0]
            let url = folder.url.appendingPathComponent(name)
            try Data(Mutation.apply(to: files[name] ?? [], using: &random)).write(to: url)
            if let imported = try? Self.read(folder.url) {
                let isGood = imported.careers.allSatisfy { career in
                    !career.suitableFor.isEmpty && career.abilities.count == Ability.count
                        && career.abilities.allSatisfy(abilityRange.contains)
                        && (career.salary.map { $0.min <= $0.max } ?? true)
                }
                #expect(isGood && !imported.careers.isEmpty, "round \(round), \(name), \(random)")
            }
            try Data(files[name] ?? []).write(to: url)
        }
    }
}
