import Engine
import Foundation
import Store
import TestSupport
import Testing

/// Careers whose vectors are the axes of the space, so that a query can be read off its cosines with them; queries are
/// vectorised by their words.
private struct AxisVectorizer: TextVectorizer {
    static let careerCount = 384

    let space = TextSpace(
        id: "axes@1", modelID: "axes", weightsSHA256: "", description: "{}",
        views: [
            TextView(content: .work, name: "what the work is", weight: 0.7),
            TextView(content: .takes, name: "what it takes", weight: 0.3),
        ], dimension: careerCount)
    private let words = WordVectorizer()

    func vectors(of texts: [String], role: TextRole) throws -> [[Float]] {
        if role == .query { return try words.vectors(of: texts, role: role) }
        return texts.map { text in
            var vector = [Float](repeating: 0, count: Self.careerCount)
            let number = text.split { !$0.isNumber }.first.flatMap { Int($0) } ?? 0
            // Another axis in each view.
            vector[text.contains("takes") ? (number * 5 + 3) % Self.careerCount : number] = 1
            return vector
        }
    }

    func cachedVectors(of texts: [String], role: TextRole) -> [[Float]]? { nil }

    static func careers() -> [Career] {
        (0..<careerCount).map { number in
            var career = MadeUpCareers.make(number: number)
            career.name = "Career \(number)"
            career.aliases = []
            career.requiredSkills = ["takes \(number)"]
            return career
        }
    }
}

@Suite struct `What somebody did before` {
    /// Two unit vectors whose angle is asin(0.25) differ by this much.
    private static let farthest = 2 * sin(asin(0.25) / 2)

    private static func query(of list: [Recommendation], view: Int) -> [String: Double] {
        Dictionary(
            uniqueKeysWithValues: list.map { ($0.career.id, Double($0.explanation.views[view].cosine)) })
    }

    private static func requests(_ fixture: EngineFixture, seed: UInt64) throws -> [(String, RecommendationRequest)] {
        var random = SplitMix64(seed: seed)
        let partial = fixture.quiz.questions.shuffled(using: &random).compactMap { question -> (String, Answer)? in
            guard let choice = question.choices?.randomElement(using: &random) else { return nil }
            return (question.id, .text(choice.id))
        }.prefix(Int.random(in: 1...3, using: &random))
        return [
            ("a sheet", RecommendationRequest(answers: try fixture.randomSheet(seed))),
            (
                "a few answers",
                RecommendationRequest(answers: try fixture.sheet(Dictionary(uniqueKeysWithValues: partial)))
            ),
            ("text", RecommendationRequest(text: "Word\(seed) about horses and meadows")),
            // Said of one view alone: the other is filled.
            ("skills", RecommendationRequest(skills: ["welding \(seed)", "patience"])),
            (
                "text and abilities",
                RecommendationRequest(
                    text: "teaching number \(seed)", abilities: fixture.careers[Int(seed)].abilities, alpha: 0.4)
            ),
        ]
    }

    @Test func `turns a query's direction by no more than its bound, in every view`() async throws {
        #expect(
            Personalisation.greatestChange >= Self.farthest && Personalisation.greatestChange < Self.farthest + 0.002)
        let fixture = try await EngineFixture(vectorizer: AxisVectorizer(), careers: AxisVectorizer.careers())
        var greatestAngle = 0.0
        for seed in 0..<6 as Range<UInt64> {
            var random = SeededGenerator(seed: 100 + seed)
            for (name, request) in try Self.requests(fixture, seed: seed) {
                var plain = request
                plain.diversity = false
                var personal = plain
                let isMixed = Bool.random(using: &random)
                let kinds: [HistoryEntry.Kind] = isMixed ? [.saved, .chosen, .dismissed] : [.saved, .chosen]
                personal.history = (0..<Int.random(in: 1...30, using: &random)).map { _ in
                    HistoryEntry(
                        kinds.randomElement(using: &random)!, fixture.careers.randomElement(using: &random)!.id)
                }
                let before = try await fixture.wholeList(plain)
                let after = try await fixture.wholeList(personal)
                for view in 0..<2 {
                    let (old, new) = (Self.query(of: before, view: view), Self.query(of: after, view: view))
                    let length = old.values.reduce(0) { $0 + $1 * $1 }
                    #expect(old.count == AxisVectorizer.careerCount && abs(length - 1) < 1e-4, "\(name), \(random)")
                    var (product, distance) = (0.0, 0.0)
                    for (id, cosine) in new {
                        let was = old[id] ?? 0
                        product += cosine * was
                        distance += (cosine - was) * (cosine - was)
                        #expect(abs(cosine - was) <= Personalisation.greatestChange + 1e-5, "\(name), \(id), \(random)")
                    }
                    // Careers that were dismissed are not in the list, so a part of the distance may be missing.
                    #expect(distance.squareRoot() <= Self.farthest + 1e-4, "\(name), view \(view), \(random)")
                    if !isMixed {
                        #expect(new.count == AxisVectorizer.careerCount)
                        let angle = acos(min(1, product))
                        #expect(angle <= asin(0.25) + 1e-3, "\(name), view \(view), \(random)")
                        greatestAngle = max(greatestAngle, angle)
                    }
                }
                for item in after.prefix(40) {
                    let alpha: Float = request.abilities != nil ? 0.4 : request.answers != nil ? 0.7 : 1
                    // A few answers may say nothing of abilities, and then the texts rank alone.
                    Recommendations.checkParts(of: item, alpha: item.abilitySimilarity == nil ? 1 : alpha)
                }
            }
        }
        // The bound is used: what people do is not without effect.
        #expect(greatestAngle > 0.15)
    }

    @Test func `changes every career's similarity by no more than that`() async throws {
        let fixture = try await EngineFixture()
        for seed in 0..<8 as Range<UInt64> {
            var random = SeededGenerator(seed: 300 + seed)
            for (name, request) in try Self.requests(fixture, seed: seed) {
                var plain = request
                plain.diversity = false
                var personal = plain
                personal.history = (0..<Int.random(in: 1...10, using: &random)).map { _ in
                    HistoryEntry(
                        [.saved, .chosen, .dismissed].randomElement(using: &random)!,
                        fixture.careers.randomElement(using: &random)!.id)
                }
                let before = Dictionary(
                    uniqueKeysWithValues: try await fixture.wholeList(plain).map {
                        ($0.career.id, $0.embeddingSimilarity ?? 0)
                    })
                let list = try await fixture.wholeList(personal)
                // A similarity is (1 + cosine) / 2.
                for item in list {
                    let change = abs((item.embeddingSimilarity ?? 0) - (before[item.career.id] ?? 0))
                    #expect(
                        Double(change) <= Personalisation.greatestChange / 2 + 1e-5,
                        "\(name), \(item.career.id), \(random)")
                }
                var last: [String: HistoryEntry.Kind] = [:]
                for entry in personal.history { last[entry.career] = entry.kind }
                let dismissed = Set(last.filter { $0.value == .dismissed }.keys)
                #expect(Set(list.map(\.career.id)) == Set(before.keys).subtracting(dismissed), "\(name), \(random)")
            }
        }
    }

    @Test func `counts more with more of it, up to three careers`() async throws {
        let fixture = try await EngineFixture()
        let text = "numbers, tables and accounts"
        let plain = try await fixture.wholeList(RecommendationRequest(text: text, diversity: false))
        let before = Dictionary(uniqueKeysWithValues: plain.map { ($0.career.id, $0.score) })
        func change(_ saved: [String]) async throws -> Float {
            let list = try await fixture.wholeList(
                RecommendationRequest(
                    text: text, diversity: false, history: saved.map { HistoryEntry(.saved, $0) }))
            return list.map { abs($0.score - (before[$0.career.id] ?? 0)) }.max() ?? 0
        }
        let changes = try await [change(["chef"]), change(["chef", "baker"]), change(["chef", "baker", "welder"])]
        #expect(changes[0] > 0.005 && changes[1] > changes[0])
        // One event may do a third of what is allowed, two two thirds.
        #expect(Double(changes[0]) <= sin(asin(0.25 / 3) / 2) + 1e-4)
        #expect(Double(changes[1]) <= sin(asin(0.5 / 3) / 2) + 1e-4)
    }

    @Test func `leaves out what was dismissed, by the last word`() async throws {
        let fixture = try await EngineFixture()
        func list(_ history: [HistoryEntry]) async throws -> Set<String> {
            Set(
                try await fixture.wholeList(
                    RecommendationRequest(text: "cooking in a kitchen", diversity: false, history: history)
                ).map(\.career.id))
        }
        #expect(try await !list([HistoryEntry(.dismissed, "chef")]).contains("chef"))
        #expect(try await list([HistoryEntry(.dismissed, "chef"), HistoryEntry(.saved, "chef")]).contains("chef"))
        #expect(try await !list([HistoryEntry(.saved, "chef"), HistoryEntry(.dismissed, "chef")]).contains("chef"))
        // However long ago: only what counts for the direction is limited.
        let many = fixture.careers.filter { $0.id != "chef" }.map { HistoryEntry(.saved, $0.id) }
        #expect(try await !list([HistoryEntry(.dismissed, "chef")] + many).contains("chef"))
        for strategy in ExampleStrategy.allCases {
            let reply = try await fixture.recommender.recommend(
                RecommendationRequest(
                    topN: 100, diversity: false, liked: ["baker", "welder"], examples: strategy,
                    history: [HistoryEntry(.dismissed, "chef"), HistoryEntry(.saved, "carpenter")]))
            #expect(!reply.recommendations.contains { $0.career.id == "chef" })
            for item in reply.recommendations { Recommendations.checkParts(of: item, alpha: reply.alpha) }
        }
    }

    @Test func `of careers that there no longer are is ignored, and none changes nothing`() async throws {
        let fixture = try await EngineFixture()
        for request in try Self.requests(fixture, seed: 5).map(\.1) {
            let plain = try await fixture.recommender.recommend(request)
            #expect(plain.personalisation == nil)
            var gone = request
            gone.history = [HistoryEntry(.saved, "no such career"), HistoryEntry(.dismissed, "nor this")]
            let reply = try await fixture.recommender.recommend(gone)
            #expect(ReplyPrint(reply) == ReplyPrint(plain) && reply.personalisation == nil)
            // Beside one that is there they change nothing either.
            var one = request
            one.history = [HistoryEntry(.saved, "chef")]
            let with = try await fixture.recommender.recommend(one)
            one.history = [HistoryEntry(.saved, "gone"), HistoryEntry(.saved, "chef"), HistoryEntry(.chosen, "gone")]
            #expect(ReplyPrint(try await fixture.recommender.recommend(one)) == ReplyPrint(with))
        }
    }

    @Test func `leaves abilities alone`() async throws {
        let fixture = try await EngineFixture()
        let request = RecommendationRequest(
            abilities: Ability.allCases.map { $0 == .empathy ? 10.0 : 4 }, topN: 50, diversity: false)
        let plain = try await fixture.recommender.recommend(request)
        var personal = request
        personal.history = [HistoryEntry(.saved, "chef"), HistoryEntry(.chosen, "welder")]
        let reply = try await fixture.recommender.recommend(personal)
        #expect(reply.alpha == 0 && ReplyPrint(reply) == ReplyPrint(plain) && reply.personalisation == nil)
        // A dismissal counts all the same, and is told.
        let first = try #require(plain.recommendations.first?.career)
        personal.history.append(HistoryEntry(.dismissed, first.id))
        let without = try await fixture.recommender.recommend(personal)
        #expect(without.alpha == 0 && !without.recommendations.contains { $0.career.id == first.id })
        let causes = try #require(without.personalisation?.causes)
        #expect(causes.map(\.kind) == [.dismissed] && causes.map(\.name) == [first.name])
    }

    @Test func `is told latest first, each career once`() async throws {
        let fixture = try await EngineFixture()
        let reply = try await fixture.recommender.recommend(
            RecommendationRequest(
                text: "cooking in a kitchen",
                history: [
                    HistoryEntry(.saved, "chef"), HistoryEntry(.saved, "welder"), HistoryEntry(.dismissed, "baker"),
                    HistoryEntry(.saved, "gone"), HistoryEntry(.chosen, "chef"),
                ]))
        let causes = try #require(reply.personalisation?.causes)
        #expect(causes.map(\.career) == ["chef", "baker", "welder"])
        #expect(causes.map(\.kind) == [.chosen, .dismissed, .saved])
        #expect(causes.map(\.name) == causes.map { fixture.recommender.current.careers[$0.career]?.name ?? "" })
        let many = try await fixture.recommender.recommend(
            RecommendationRequest(
                text: "cooking in a kitchen", history: fixture.careers.map { HistoryEntry(.saved, $0.id) }))
        #expect(many.personalisation?.causes.map(\.career) == fixture.careers.suffix(20).reversed().map(\.id))
    }

    @Test(arguments: [HistoryEntry.Kind.saved, .chosen])
    func `is given as the reason where it is one`(kind: HistoryEntry.Kind) async throws {
        let fixture = try await EngineFixture()
        let name = try #require(fixture.recommender.current.careers["chef"]?.name)
        let verb = kind == .saved ? "saved" : "chose"
        let list = try await fixture.wholeList(
            RecommendationRequest(
                text: "numbers, tables and accounts", diversity: false, history: [HistoryEntry(kind, "chef")]))
        var (told, untold) = (0, 0)
        for item in list {
            let effects = item.explanation.answers
            guard let effect = effects.first(where: { if case .history = $0.origin { true } else { false } }) else {
                Issue.record("\(item.career.id) tells nothing of what was saved")
                continue
            }
            #expect(effect.origin == .history(career: "chef", name: name, kind: kind))
            let sentence = "Because you \(verb) \(name): this is related."
            if item.career.id == "chef" {
                // What was saved counts for itself, and is no reason for itself.
                #expect(effect.points > 0.05 && !item.explanation.speaksFor.contains(sentence))
                continue
            }
            let strongest = effects.map { abs($0.points) }.max() ?? 0
            if effect.points >= max(0.15 * strongest, 0.05) {
                #expect(item.explanation.speaksFor.contains(sentence), "\(item.career.id)")
                told += 1
            } else {
                #expect(!item.explanation.speaksFor.contains(sentence), "\(item.career.id)")
                untold += 1
            }
        }
        #expect(told > 3 && untold > 3)
    }

    @Test func `never takes the place of what was said`() async throws {
        let fixture = try await EngineFixture()
        await #expect(throws: RecommendationError.nothingToGoOn) {
            try await fixture.recommender.recommend(
                RecommendationRequest(diversity: false, history: [HistoryEntry(.saved, "chef")]))
        }
    }

    @Test func `an attribute that is a number here and a word there is words everywhere`() async throws {
        let database = try await EngineFixture.newDatabase()
        var careers = Array(try BuiltIn.careers().prefix(3))
        careers[0].attributes["fee"] = .number(100)
        careers[1].attributes["fee"] = .words(["Free"])
        let built = try await CareerGenerationBuilder(database: database, quiz: BuiltIn.quiz()).build(
            CatalogueContent(careers: careers), encoder: nil, degradation: nil)
        #expect(built.generation.ownAttributes == ["fee": false])
    }
}

/// Ids that an integrator holds of careers that were served once.
@Suite struct `Retired careers` {
    private func recommender() async throws -> Recommender {
        let database = try await EngineFixture.newDatabase()
        let encoder = EncodingQueue(WordVectorizer())
        let built = try await CareerGenerationBuilder(database: database, quiz: BuiltIn.quiz()).build(
            CatalogueContent(careers: try BuiltIn.careers(), retired: ["lamplighter", "wheelwright"]),
            encoder: encoder, degradation: nil)
        return Recommender(generation: built.generation, encoder: encoder)
    }

    @Test func `do not count as examples, and the reply says so`() async throws {
        let recommender = try await recommender()
        let plain = RecommendationRequest(text: "working with wood", liked: ["carpenter"])
        var naming = plain
        naming.liked.append("lamplighter")
        naming.disliked = ["wheelwright"]
        naming.excluded = ["lamplighter", "wheelwright"]
        for examples in ExampleStrategy.allCases {
            var (plain, naming) = (plain, naming)
            plain.examples = examples
            naming.examples = examples
            let (expected, found) = (
                try await recommender.recommend(plain), try await recommender.recommend(naming)
            )
            #expect(ReplyPrint(found) == ReplyPrint(expected))
            #expect(expected.passedOver.isEmpty)
            #expect(
                found.passedOver == [
                    PassedOver(field: "liked", career: "lamplighter", reason: .retired),
                    PassedOver(field: "disliked", career: "wheelwright", reason: .retired),
                ])
        }
    }

    @Test func `leave nothing to go on where nothing else was said`() async throws {
        let recommender = try await recommender()
        for request in [
            RecommendationRequest(liked: ["lamplighter"]),
            RecommendationRequest(liked: ["lamplighter"], examples: .bestScore),
        ] {
            await #expect(
                throws: RecommendationError.absentExamplesAlone([
                    PassedOver(field: "liked", career: "lamplighter", reason: .retired)
                ])
            ) { try await recommender.recommend(request) }
        }
        await #expect(throws: RecommendationError.unknownCareers(field: "liked", ids: ["nobody"])) {
            try await recommender.recommend(RecommendationRequest(liked: ["nobody", "lamplighter"]))
        }
    }

    @Test func `dislikes alone are told what to add where each example is a query`() async throws {
        let recommender = try await recommender()
        await #expect(throws: RecommendationError.dislikesAlone) {
            try await recommender.recommend(RecommendationRequest(disliked: ["chef"], examples: .bestScore))
        }
        let average = try await recommender.recommend(RecommendationRequest(disliked: ["chef"]))
        #expect(!average.recommendations.isEmpty)
        let varied = RecommendationRequest(marginalRelevance: 0.7, disliked: ["chef"], examples: .bestScore)
        #expect(!(try await recommender.recommend(varied)).recommendations.isEmpty)
    }
}
