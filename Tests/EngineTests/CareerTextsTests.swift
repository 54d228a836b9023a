import Engine
import Store
import TestSupport
import Testing

@Suite struct `The texts of a career` {
    private let career: Career

    init() {
        career = Career(
            id: "a", name: "Welder", aliases: ["Fitter", "Joiner of metals"], description: "Joins metal.",
            requiredSkills: ["welding", "drawing"], suitableFor: "Steady hands.",
            salary: SalaryRange(min: 1, max: 2, currency: "USD", year: 2_024),
            requiredEducation: RequiredEducation(level: .certificate, text: "A course."), cluster: "Trades",
            abilities: Array(repeating: 5, count: 15), tasks: ["Cuts.", "Welds.", "Cleans."],
            technologies: (0..<9).map { "tool \($0)" })
    }

    private func hash(_ change: (inout Career) -> Void) -> String {
        var career = career
        change(&career)
        return CareerTexts(career).hash
    }

    @Test func `every text that is embedded is in the hash`() {
        let changes: [(inout Career) -> Void] = [
            { $0.name += "s" }, { $0.description += "." }, { $0.aliases[1] = "Joiner" }, { $0.aliases.removeLast() },
            { $0.aliases.append("Plater") }, { $0.aliases.swapAt(0, 1) }, { $0.requiredSkills[0] = "soldering" },
            { $0.requiredSkills.append("patience") }, { $0.suitableFor = "" }, { $0.requiredEducation.text = "None." },
            { $0.tasks[0] = "Saws." }, { $0.tasks[1] = "Solders." }, { $0.technologies[0] = "hammer" },
            { $0.technologies[5] = "hammer" }, { $0.technologies.removeAll() }, { $0.tasks.removeAll() },
        ]
        let hashes = changes.map(hash)
        #expect(Set(hashes).count == changes.count && !hashes.contains(CareerTexts(career).hash))
    }

    @Test func `and nothing else`() {
        let changes: [(inout Career) -> Void] = [
            { $0.id = "b" }, { $0.salary = nil }, { $0.growth = JobGrowth(percent: 1, from: 1, to: 2) },
            { $0.typicalCompanies = ["ACME"] }, { $0.requiredEducation.level = .master }, { $0.relatedCareers = ["c"] },
            { $0.socCode = "11-1111.00" }, { $0.cluster = "Arts" }, { $0.abilities[3] = 9 }, { $0.source = "me" },
            { $0.attributes["remote"] = .words(["yes"]) }, { $0.tasks[2] = "Sweeps." }, { $0.tasks.append("Rests.") },
            { $0.technologies[6] = "hammer" }, { $0.technologies.append("hammer") },
        ]
        for (position, change) in changes.enumerated() {
            #expect(hash(change) == CareerTexts(career).hash, "change \(position)")
        }
    }

    @Test func `words moved from one text to the next are another hash`() {
        let one = hash { $0.aliases = ["ab", "c"] }
        #expect(one != hash { $0.aliases = ["a", "bc"] } && one != hash { $0.aliases = ["abc"] })
        #expect(one != hash { $0.aliases = ["ab", "c", ""] })
    }

    @Test(arguments: [0, 1, 23, 24, 25, 47, 48, 100, 1_000])
    func `titles are spread evenly over the list`(count: Int) {
        var many = career
        many.aliases = (0..<count).map { "title \($0)" }
        let taken = CareerTexts(many).aliases
        #expect(taken == CareerTexts(many).aliases && taken.count == min(count, CareerTexts.maximumAliases))
        #expect(Set(taken).count == taken.count)
        let places = taken.compactMap { Int($0.split(separator: " ")[1]) }
        #expect(places == places.sorted() && places.first ?? 0 == 0)
        // No stretch of the list is left out for long, nor is its end.
        let widest = max(1, (count + CareerTexts.maximumAliases - 1) / CareerTexts.maximumAliases)
        for (a, b) in zip(places, places.dropFirst() + [count]) { #expect(b - a <= widest) }
    }

    @Test(arguments: [1, 2])
    func `rows have unit length`(views: Int) throws {
        let vectorizer = WordVectorizer(views: views)
        for number in 0..<60 {
            var career = MadeUpCareers.make(number: number)
            career.aliases = (0..<number).map { "title number \(MadeUpCareers.word($0))" }
            let row = try Self.row(of: career, vectorizer)
            #expect(row.count == 768)
            #expect(abs(row.reduce(0) { $0 + Double($1) * Double($1) } - 1) < 1e-5)
            // Each view has its share.
            for (v, view) in vectorizer.space.views.enumerated() {
                let part = row[v * vectorizer.space.dimension..<(v + 1) * vectorizer.space.dimension]
                #expect(abs(part.reduce(0) { $0 + Double($1) * Double($1) } - Double(view.weight)) < 1e-5)
            }
        }
    }

    @Test func `without titles a career has its description's vector`() throws {
        let vectorizer = WordVectorizer()
        var bare = career
        bare.aliases = []
        let texts = CareerTexts(bare)
        #expect(texts.all(for: vectorizer.space) == [texts.work, texts.takes])
        let vectors = try vectorizer.vectors(of: [texts.work, texts.takes], role: .document)
        let scale = Float(0.5).squareRoot()
        let expected = vectors.flatMap { vector in vector.map { $0 * scale } }
        #expect(try Self.row(of: bare, vectorizer) == expected)
    }

    @Test func `titles move what the work is, and not what it takes`() throws {
        let vectorizer = WordVectorizer()
        var bare = career
        bare.aliases = []
        let (with, without) = (try Self.row(of: career, vectorizer), try Self.row(of: bare, vectorizer))
        #expect(with[384...] == without[384...] && with[..<384] != without[..<384])
        // Two titles: their share is 0.75·2/4.5 = 1/3 of the mean.
        let texts = CareerTexts(career)
        let vectors = try vectorizer.vectors(of: [texts.work] + texts.aliases, role: .document)
        var mean = (0..<384).map { Double(vectors[1][$0]) + Double(vectors[2][$0]) }
        let length = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
        for i in mean.indices { mean[i] = mean[i] / length / 3 + Double(vectors[0][i]) * 2 / 3 }
        let norm = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let expected = mean.map { $0 / norm * 0.5.squareRoot() }
        #expect(zip(with, expected).allSatisfy { abs(Double($0) - $1) < 1e-6 })
    }

    @Test func `titles that cancel out leave the description`() throws {
        let vectorizer = WordVectorizer()
        let texts = CareerTexts(career)
        let description = try vectorizer.vectors(of: [texts.work], role: .document)[0]
        let takes = try vectorizer.vectors(of: [texts.takes], role: .document)[0]
        // Two opposite titles; and five that together point exactly against the description, at a share of one half.
        let opposite = [texts.aliases[0]: takes, texts.aliases[1]: takes.map { -$0 }]
        let vectors = opposite.merging([texts.work: description, texts.takes: takes]) { $1 }
        let row = texts.row(from: vectors, in: vectorizer.space)
        let scale = Float(0.5).squareRoot()
        #expect(zip(row, description).allSatisfy { abs($0 - $1 * scale) < 1e-6 })
        var five = career
        five.aliases = (0..<5).map { "title \($0)" }
        let against = CareerTexts(five)
        var all = [against.work: description, against.takes: takes]
        for alias in against.aliases { all[alias] = description.map { -$0 } }
        let left = against.row(from: all, in: vectorizer.space)
        #expect(abs(left.reduce(0) { $0 + Double($1) * Double($1) } - 1) < 1e-5)
    }

    private static func row(of career: Career, _ vectorizer: WordVectorizer) throws -> [Float] {
        let texts = CareerTexts(career)
        let all = texts.all(for: vectorizer.space)
        let vectors = Dictionary(
            zip(all, try vectorizer.vectors(of: all, role: .document)), uniquingKeysWith: { first, _ in first })
        return texts.row(from: vectors, in: vectorizer.space)
    }
}

@Suite struct `Ability weights in the catalogue's frame` {
    @Test(arguments: AbilityComparison.allCases)
    func `the inner product is the weighted cosine`(comparison: AbilityComparison) {
        var random = SeededGenerator(seed: 12)
        func profile() -> [Double] { (0..<15).map { _ in Double.random(in: 0...10, using: &random) } }
        let profiles = (0..<20).map { _ in profile() }
        for _ in 0..<50 {
            let weights = (0..<15).map { _ in Double.random(in: 0.25...4, using: &random) }
            let frame = AbilityFrame(profiles: profiles, comparison: comparison, weights: weights)
            let (a, b) = (profile(), profile())
            let mean = comparison == .centred ? frame.mean : Array(repeating: 0, count: 15)
            func product(_ x: [Double], _ y: [Double]) -> Double {
                var sum = 0.0
                for k in 0..<15 { sum += weights[k] * (x[k] - mean[k]) * (y[k] - mean[k]) }
                return sum
            }
            let expected = product(a, b) / (product(a, a) * product(b, b)).squareRoot()
            let (u, v) = (frame.unitVector(a), frame.unitVector(b))
            let cosine = zip(u, v).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            #expect(abs(cosine - expected) < 1e-5, "\(random)")
            #expect(abs(u.reduce(0) { $0 + Double($1) * Double($1) } - 1) < 1e-5)
        }
    }

    @Test func `equal weights are none`() {
        let careers = MadeUpCareers.make(30).map(\.abilities)
        let plain = AbilityFrame(profiles: careers, comparison: .centred)
        let equal = AbilityFrame(
            profiles: careers, comparison: .centred, weights: Array(repeating: 1, count: Ability.count))
        for profile in careers { #expect(plain.unitVector(profile) == equal.unitVector(profile)) }
        #expect(plain.weights == nil)
    }

    @Test func `weights in use count in a built generation, and again without`() async throws {
        let database = try await EngineFixture.newDatabase()
        let plain = try await EngineFixture(database: database)
        let weights = Ability.allCases.map { $0 == .empathy ? 4.0 : 11.0 / 14 }
        let revision = try await CareerRepository(database).revision()
        try await AbilityWeightSetting.write(weights, to: database)
        // Served processes look for a new revision.
        #expect(try await CareerRepository(database).revision() == revision + 1)
        let read = try #require(try await AbilityWeightSetting.read(from: database))
        #expect(zip(read, weights).allSatisfy { abs($0 - $1) < 1e-12 })
        let weighted = try await EngineFixture(database: database)
        #expect(weighted.recommender.current.frame.weights == read)
        #expect(weighted.recommender.current.number > plain.recommender.current.number)
        let abilities = Ability.allCases.map { $0 == .empathy ? 10.0 : 4 }
        func scores(_ fixture: EngineFixture) async throws -> [String: Float] {
            let list = try await fixture.wholeList(RecommendationRequest(abilities: abilities, diversity: false))
            for item in list { `Recommendations`.checkParts(of: item, alpha: 0) }
            return Dictionary(uniqueKeysWithValues: list.map { ($0.career.id, $0.score) })
        }
        #expect(try await scores(plain) != scores(weighted))
        try await AbilityWeightSetting.write(nil, to: database)
        #expect(try await AbilityWeightSetting.read(from: database) == nil)
        #expect(try await scores(EngineFixture(database: database)) == scores(plain))
    }

    @Test(arguments: [
        "", "null", "{}", "[]", "[1,2,3]", "nonsense", "\"text\"", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1]",
        "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,0]", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,-1]", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1e999]",
        "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,null]", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,\"1\"]",
    ])
    func `a damaged setting does not rank`(text: String) async throws {
        let database = try await EngineFixture.newDatabase()
        try await SettingRepository(database).set("ability_weights", to: text)
        #expect(try await AbilityWeightSetting.read(from: database) == nil)
    }
}
