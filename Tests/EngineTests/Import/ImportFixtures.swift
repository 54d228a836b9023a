import Engine
import Foundation
import Store
import TestSupport

/// Careers to write and read back.
enum ImportFixtures {
    static let source = CareerSource(name: "school", title: "The school's own careers", licence: "CC0")

    static func career(_ id: String, change: (inout Career) -> Void = { _ in }) -> Career {
        var career = Career(
            id: id, name: "Name of \(id)", aliases: ["Other name"], description: "What \(id) does.",
            requiredSkills: ["care"], suitableFor: "Anybody.",
            salary: SalaryRange(min: 10, max: 20, currency: "EUR", year: 2024),
            growth: JobGrowth(percent: 1.5, from: 2023, to: 2033), typicalCompanies: ["A firm"],
            requiredEducation: RequiredEducation(level: .secondary, text: "School"), relatedCareers: [],
            socCode: "11-1011.00", cluster: "Education", abilities: Array(repeating: 5, count: Ability.count),
            tasks: ["To do"], technologies: ["Pencil"],
            attributes: ["campus": .words(["north", "south"]), "places": .number(12)], source: "school")
        change(&career)
        return career
    }

    /// A career in which every text is as awkward as a valid one can be.
    static func randomCareer(_ number: Int, using random: inout SeededGenerator) -> Career {
        let pieces = [
            "a", "B", "\"", "\"\"", ",", ";", "|", "\\", "\n", "\r\n", "\r", "\t", " ", "  ", "é", "e\u{301}", "日本",
            "👩‍🔬",
            "\u{2028}", "\u{200B}", "'", "=1+1", "3", "nan", "{", "]", "\u{FEFF}", "\u{1F}",
        ]
        func text() -> String {
            let words = (0..<Int.random(in: 0...8, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }
            return words.joined() + "x"
                + (Bool.random(using: &random) ? "" : pieces.randomElement(using: &random) ?? "")
        }
        // White space around names and entries of lists is dropped when they are read.
        func label() -> String { text().trimmingCharacters(in: .whitespacesAndNewlines) }
        func list() -> [String] { (0..<Int.random(in: 0...4, using: &random)).map { _ in label() } }
        func randomNumber() -> Double {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: Double(Int.random(in: -1000...1000, using: &random))
            case 1: Double.random(in: -1e-300...1e-300, using: &random)
            case 2: Double.random(in: -1e300...1e300, using: &random)
            default: Double.random(in: 0...1, using: &random)
            }
        }
        return career("career-\(number)") { career in
            career.name = label()
            career.aliases = list()
            career.description = text()
            career.requiredSkills = list()
            career.suitableFor = Bool.random(using: &random) ? "" : text()
            career.typicalCompanies = list()
            career.requiredEducation = RequiredEducation(
                level: EducationLevel.allCases.randomElement(using: &random) ?? .none, text: text())
            career.relatedCareers = list()
            career.cluster = label()
            career.tasks = list()
            career.technologies = list()
            if Bool.random(using: &random) { career.salary = nil }
            if Bool.random(using: &random) { career.growth = nil }
            if Bool.random(using: &random) { career.socCode = nil }
            career.growth?.percent = Double.random(in: -99...900, using: &random)
            career.abilities = career.abilities.map { _ in Double.random(in: 0...10, using: &random) }
            career.attributes = [:]
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let words = list()
                let name = "k" + text() + "k"
                if words.isEmpty {
                    career.attributes[name] = .number(randomNumber())
                } else if Bool.random(using: &random) {
                    career.attributes[name] = .words(words)
                } else {
                    career.attributes[name] = .words(["\(randomNumber())"])
                }
            }
        }
    }

    static func read(_ text: String, _ format: CareerFileFormat) throws -> ImportedCareers {
        try CareerFileReader.read(Data(text.utf8), named: "file", format: format, defaultSource: source)
    }

    /// An ability object of JSON with the same number for each.
    static let abilities =
        "{" + Ability.allCases.map { "\"\($0.rawValue)\": 5" }.joined(separator: ", ") + "}"

    /// A minimal career of JSON on one line.
    static func json(_ id: String, _ more: String = "") -> String {
        """
        {"id": "\(id)", "name": "N", "description": "D", "cluster": "C", "abilities": \(abilities)\(more)}
        """
    }
}
