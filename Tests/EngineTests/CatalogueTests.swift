import Engine
import Foundation
import TestSupport
import Testing

@Suite struct `The built-in catalogue` {
    let careers: [Career]

    init() throws { careers = try BuiltIn.careers() }

    @Test func `has at least 120 valid careers in at least 14 clusters`() throws {
        #expect(careers.count >= 120)
        #expect(Set(careers.map(\.cluster)).count >= 14)
        try CareerFile.validate(careers)
    }

    @Test func `gives every field of every career`() {
        for career in careers {
            #expect(career.aliases.count >= 3, "\(career.id)")
            #expect(career.requiredSkills.count >= 5, "\(career.id)")
            #expect(career.description.split(separator: " ").count >= 40, "\(career.id)")
            #expect(!career.suitableFor.isEmpty && !career.typicalCompanies.isEmpty, "\(career.id)")
            #expect(career.relatedCareers.count >= 2 && !career.relatedCareers.contains(career.id), "\(career.id)")
            #expect(career.salary?.currency == "USD" && career.growth != nil, "\(career.id)")
            #expect(career.socCode?.wholeMatch(of: /\d\d-\d{4}\.\d\d/) != nil, "\(career.id)")
        }
    }

    @Test func `uses every ability over its range, and no two careers ask for the same`() {
        let frame = AbilityFrame(profiles: careers.map(\.abilities), comparison: .centred)
        for (k, ability) in Ability.allCases.enumerated() {
            let values = careers.map { $0.abilities[k] }
            #expect((values.min() ?? 9) <= 3 && (values.max() ?? 0) >= 9, "\(ability)")
        }
        let vectors = careers.map { frame.unitVector($0.abilities) }
        for a in careers.indices {
            for b in careers.indices where b > a {
                let cosine = zip(vectors[a], vectors[b]).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(cosine < 0.97, "\(careers[a].id) and \(careers[b].id)")
            }
        }
    }

    @Test func `survives writing and reading`() throws {
        let data = try JSONEncoder().encode(careers)
        #expect(try JSONDecoder().decode([Career].self, from: data) == careers)
    }

    @Test func `a mistake in it is named`() throws {
        var broken = careers
        broken[3].abilities[2] = 11
        #expect(throws: CatalogueError.self) { try CareerFile.validate(broken) }
        broken = careers
        broken[5].relatedCareers.append("nobody")
        #expect(
            throws: CatalogueError.invalidCareer(
                id: careers[5].id, problem: "the related career “nobody” is not in the catalogue")
        ) {
            try CareerFile.validate(broken)
        }
        broken = careers + [careers[0]]
        #expect(throws: CatalogueError.invalidCareer(id: careers[0].id, problem: "its id is used twice")) {
            try CareerFile.validate(broken)
        }
    }

    @Test func `shows salaries and growth in words`() {
        #expect(careers.first { $0.id == "registered-nurse" }?.salary?.text.wholeMatch(of: /\$\d+k – \$\d+k/) != nil)
        #expect(SalaryRange(min: 900, max: 64_499, currency: "CHF", year: 2_024).text == "CHF 900 – CHF 64k")
        #expect(JobGrowth(percent: -3, from: 2_023, to: 2_033).text == "-3% over 2023–2033")
    }
}

@Suite struct `Abilities in the catalogue's frame` {
    @Test func `are centred on the mean and of unit length`() {
        let frame = AbilityFrame(
            profiles: [Array(repeating: 4, count: 15), Array(repeating: 6, count: 15)], comparison: .centred)
        #expect(frame.mean == Array(repeating: 5, count: 15))
        let vector = frame.unitVector([10] + Array(repeating: 5, count: 14))
        #expect(vector == [1] + Array(repeating: 0, count: 14))
        #expect(frame.unitVector(frame.mean) == Array(repeating: 0, count: 15))
    }

    @Test func `keep to the range when answers go beyond it`() {
        let frame = AbilityFrame(profiles: [Array(repeating: 9, count: 15)], comparison: .centred)
        #expect(
            frame.profile(deviations: [4] + Array(repeating: -12, count: 14)) == [10] + Array(repeating: 0, count: 14))
    }
}
