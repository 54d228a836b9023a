import Engine
import Foundation
import Store
import TestSupport
import Testing

@Suite(.enabled(if: SharedData.has("onet/Occupation Data.txt"), "\(SharedData.skipReason)"))
struct `The O*NET release` {
    static let imported = Result { try read() }

    static func read() throws -> ImportedCareers {
        try OnetImporter.read(
            directory: SharedData.url("onet"), wages: SharedData.url("bls/national_May2021_dl.csv"),
            projections: SharedData.url("bls/occupations_projections_processed.csv"), progress: { _ in })
    }

    let imported: ImportedCareers
    let careers: [Career]

    init() throws {
        imported = try Self.imported.get()
        careers = imported.careers
    }

    @Test func `is read whole, without problems, and the same each time`() throws {
        #expect(careers.count == 1_016)
        #expect(imported.problems.isEmpty, "\(imported.problems.kept.prefix(5))")
        let clock = ContinuousClock()
        var again: ImportedCareers?
        let time = try clock.measure { again = try Self.read() }
        #expect(again?.careers == careers)
        #expect(again?.sources == imported.sources)
        #expect(time < .seconds(30), "\(time)")
        print("O*NET read in \(time): \(imported.statistics.map { "\($0.name) \($0.count)" }.joined(separator: ", "))")
    }

    @Test func `gives valid careers that survive an export`() throws {
        for format in CareerFileFormat.allCases {
            let data = try CareerExporter.write(careers, sources: imported.sources, format: format)
            let back = try CareerFileReader.read(
                data, named: "onet", format: format, defaultSource: CareerSource(name: "x", title: "x"))
            #expect(back.careers == careers && back.problems.isEmpty, "\(format) \(back.problems.kept.prefix(3))")
            #expect(back.sources == imported.sources)
        }
        try CareerFile.validate(careers)
    }

    @Test func `lands in the product's clusters, all of them`() {
        #expect(Set(careers.map(\.cluster)) == Set(Self.clusters))
    }

    @Test(arguments: [
        ("Registered Nurses", Ability.empathy, 0.25), ("Software Developers", .digitalLiteracy, 0.1),
        ("Construction Laborers", .physicalAbility, 0.1), ("Actuaries", .numericalReasoning, 0.05),
        ("Chief Executives", .leadership, 0.05), ("Physicists", .analyticalReasoning, 0.05),
        ("Fine Artists, Including Painters, Sculptors, and Illustrators", .creativity, 0.05),
        ("Mechanical Engineers", .technicalAptitude, 0.15), ("Lawyers", .verbalCommunication, 0.05),
        ("Proofreaders and Copy Markers", .attentionToDetail, 0.25), ("Firefighters", .teamwork, 0.25),
        ("Emergency Medicine Physicians", .adaptability, 0.25), ("Real Estate Brokers", .entrepreneurship, 0.1),
        ("Administrative Services Managers", .organisation, 0.1), ("Chemical Engineers", .problemSolving, 0.1),
    ])
    func `rates occupations as people would`(_ name: String, _ ability: Ability, _ top: Double) throws {
        let career = try #require(careers.first { $0.name == name })
        let own = career.abilities[ability.position]
        let above = careers.filter { $0.abilities[ability.position] > own }.count
        #expect(Double(above) / Double(careers.count) < top, "\(own), \(above) are above")
    }

    @Test(arguments: Ability.allCases)
    func `spreads each ability over its range`(_ ability: Ability) {
        let values = careers.map { $0.abilities[ability.position] }
        let mean = values.reduce(0, +) / Double(values.count)
        let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
        #expect(deviation > 1.5 && (3...7).contains(mean))
        #expect(values.allSatisfy(abilityRange.contains) && (values.min() ?? 9) < 1.5 && (values.max() ?? 0) > 8.5)
    }

    @Test func `fills the fields of an occupation`() throws {
        let nurse = try #require(careers.first { $0.id == "29-1141.00" })
        #expect(nurse.name == "Registered Nurses" && nurse.cluster == "Health Care" && nurse.source == "onet")
        #expect(nurse.aliases.count > 20 && Set(nurse.aliases.map { $0.lowercased() }).count == nurse.aliases.count)
        #expect(nurse.tasks.count == 12 && (8...10).contains(nurse.requiredSkills.count))
        #expect((10...24).contains(nurse.technologies.count))
        #expect(nurse.suitableFor.hasPrefix("People who enjoy ") && nurse.suitableFor.hasSuffix("."))
        #expect(nurse.salary == SalaryRange(min: 61_790, max: 97_580, currency: "USD", year: 2021), "\(nurse)")
        #expect(nurse.growth?.from == 2020 && nurse.growth?.to == 2030)
        #expect(nurse.relatedCareers.count == 10)
        #expect(nurse.attributes["ratings"] == .words(["rated"]))
        let soldiers = careers.filter { $0.id.hasPrefix("55-") }
        #expect(soldiers.allSatisfy { $0.attributes["ratings"] == .words(["estimated"]) && $0.salary == nil })
        let developer = try #require(careers.first { $0.id == "15-1252.00" })
        #expect(developer.attributes["ratings"] == .words(["partly estimated"]))
        let dentist = try #require(careers.first { $0.id == "29-1021.00" })
        #expect(dentist.salary?.max == 208_000)
        #expect(careers.first { $0.name == "Models" }?.salary == nil)
        #expect(careers.allSatisfy { !$0.suitableFor.isEmpty && !$0.requiredSkills.isEmpty })
    }

    @Test func `names its source as the licence asks`() {
        #expect(imported.sources.count == 1)
        let source = imported.sources[0]
        #expect(source.name == "onet" && source.version == "29.0" && source.licence == "CC BY 4.0")
        #expect(source.title == "O*NET 29.0 Database")
        #expect(source.attribution?.contains("information from the O*NET 29.0 Database by the U.S. Department") == true)
        #expect(source.attribution?.contains("Bureau of Labor Statistics") == true)
    }

    static let clusters = [
        "Agriculture & Environment", "Art & Design", "Business & Management", "Counselling & Social Care", "Data & AI",
        "Education", "Engineering", "Finance", "Government & Community", "Health Care", "Hospitality & Food",
        "Law & Public Safety", "Manufacturing & Transport", "Media & Performance", "Science & Research",
        "Skilled Trades & Construction", "Sport & Personal Services", "Technology",
    ]
}

@Suite struct `The description of the O*NET import` {
    let text: String

    init() throws { text = try String(contentsOf: RepositoryRoot.file("docs/onet.md"), encoding: .utf8) }

    @Test(arguments: Ability.allCases)
    func `gives the elements and weights that are used`(_ ability: Ability) {
        let parts = OnetAbilityMap.parts(of: ability).map { part in
            let weight = part.weight == part.weight.rounded() ? "\(Int(part.weight))" : "\(part.weight)"
            return "\(weight) × \(part.name) (\(part.element))"
        }
        #expect(text.contains("| \(ability.rawValue) | \(parts.joined(separator: ", ")) |"))
    }

    @Test func `gives the prefixes of every cluster`() {
        let rows = text.split(separator: "\n").map {
            $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        for (prefix, cluster) in OnetClusters.table {
            let isThere = rows.contains {
                $0.count == 2 && $0[0] == cluster && $0[1].split(separator: " ").contains(prefix[...])
            }
            #expect(isThere, "\(prefix) of \(cluster)")
        }
    }

    @Test(.enabled(if: SharedData.has("onet/Content Model Reference.txt"), "\(SharedData.skipReason)"))
    func `calls elements as the content model does`() throws {
        let file = SharedData.url("onet/Content Model Reference.txt")
        let names = Dictionary(
            try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
                let fields = line.split(separator: "\t")
                return (String(fields[0]), String(fields[1]))
            }, uniquingKeysWith: { first, _ in first })
        for part in Ability.allCases.flatMap(OnetAbilityMap.parts) where part.element.contains(".") {
            #expect(names[part.element] == part.name)
        }
    }
}
