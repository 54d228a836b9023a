import Engine
import Store
import TestSupport
import Testing
import VectorIndex

/// What makes two replies the same: whom they name, in which order, with which numbers and words.
struct ReplyPrint: Equatable {
    let ids: [String]
    let scores: [UInt32]
    let ranks: [Int]
    let words: [String]
    let counts: [Int]

    init(_ reply: RecommendationReply) {
        ids = reply.recommendations.map(\.career.id)
        scores = reply.recommendations.map(\.score.bitPattern)
        ranks = reply.recommendations.flatMap { [$0.rank, $0.explanation.rankBeforeCap] }
        words = reply.recommendations.map {
            ([$0.explanation.summary] + $0.explanation.speaksFor + $0.explanation.speaksAgainst).joined(separator: "|")
        }
        counts = [reply.matched, reply.scanned, reply.setAside, reply.skip, Int(reply.generation)]
    }
}

@Suite struct `A batch of requests` {
    @Test func `is answered like each of them alone`() async throws {
        let fixture = try await EngineFixture()
        var requests: [RecommendationRequest] = []
        for seed in 0..<12 {
            requests.append(RecommendationRequest(answers: try fixture.randomSheet(UInt64(seed)), topN: 3 + seed))
        }
        let abilities: [Double?] = Ability.allCases.map { $0 == .empathy ? 9 : $0 == .leadership ? 2 : nil }
        requests += [
            RecommendationRequest(text: "caring for animals", topN: 8),
            RecommendationRequest(text: "caring for animals", topN: 4, diversity: false),
            RecommendationRequest(skills: ["welding"], filter: .anyOf("education", ["certificate", "secondary"])),
            RecommendationRequest(abilities: abilities),
            RecommendationRequest(text: "teaching", marginalRelevance: 0.5),
            RecommendationRequest(liked: ["chef", "welder"], disliked: ["carpenter"], examples: .bestScore),
            RecommendationRequest(liked: ["chef", "welder"], disliked: ["carpenter"]),
            RecommendationRequest(text: "numbers", skip: 3, history: [HistoryEntry(.saved, "chef")]),
            RecommendationRequest(answers: try fixture.randomSheet(3), alpha: 0),
            RecommendationRequest(answers: try fixture.randomSheet(4), alpha: 1, excluded: ["chef"]),
        ]
        let replies = try await fixture.recommender.recommend(batch: requests)
        #expect(replies.count == requests.count)
        for (position, request) in requests.enumerated() {
            let alone = try await fixture.recommender.recommend(request)
            #expect(ReplyPrint(try replies[position].get()) == ReplyPrint(alone), "request \(position)")
        }
        #expect(try await fixture.recommender.recommend(batch: []).isEmpty)
    }

    @Test func `a bad request in it fails alone`() async throws {
        let fixture = try await EngineFixture()
        let good = RecommendationRequest(text: "caring for animals")
        let bad: [(RecommendationRequest, RecommendationError)] = [
            (RecommendationRequest(), .nothingToGoOn), (RecommendationRequest(text: "a", topN: 0), .topNOutOfRange(0)),
            (RecommendationRequest(liked: ["nobody"]), .unknownCareers(field: "liked", ids: ["nobody"])),
            (RecommendationRequest(text: "a", skip: -1), .skipOutOfRange(-1)),
            (RecommendationRequest(text: "a", marginalRelevance: 2), .marginalRelevanceOutOfRange(2)),
            (
                RecommendationRequest(text: "a", generation: 99),
                .generationGone(99, current: fixture.recommender.current.number)
            ),
        ]
        let alone = ReplyPrint(try await fixture.recommender.recommend(good))
        var batch: [RecommendationRequest] = []
        for (request, _) in bad { batch += [good, request] }
        // One that only the index finds fault with, in the middle of plain searches.
        batch.append(RecommendationRequest(text: "a", filter: .anyOf("no such attribute", ["a"])))
        batch.append(good)
        let replies = try await fixture.recommender.recommend(batch: batch)
        for (position, (_, error)) in bad.enumerated() {
            #expect(ReplyPrint(try replies[2 * position].get()) == alone)
            #expect(throws: error) { try replies[2 * position + 1].get() }
        }
        #expect {
            try replies[replies.count - 2].get()
        } throws: { error in
            guard case .filter(.unknownAttribute("no such attribute", _))? = error as? RecommendationError else {
                return false
            }
            return true
        }
        #expect(ReplyPrint(try replies[replies.count - 1].get()) == alone)
    }

    @Test func `embeds its texts together, each once`() async throws {
        let vectorizer = WordVectorizer()
        let fixture = try await EngineFixture(vectorizer: vectorizer)
        let asked = vectorizer.asked.withLock { $0 }
        let request = RecommendationRequest(text: "caring for animals")
        _ = try await fixture.recommender.recommend(
            batch: [request, RecommendationRequest(text: "horses", liked: ["chef"]), request])
        #expect(vectorizer.asked.withLock { $0 } == asked + 2)
    }

    @Test func `a failing model concerns all of it`() async throws {
        let vectorizer = ScriptedVectorizer()
        let fixture = try await EngineFixture(vectorizer: vectorizer)
        vectorizer.textsBeforeFailure.withLock { $0 = 0 }
        await #expect(throws: VectorizerFailure.self) {
            try await fixture.recommender.recommend(batch: [RecommendationRequest(text: "horses")])
        }
        // What needs no text is still answered.
        #expect(try await fixture.recommender.recommend(RecommendationRequest(liked: ["chef"])).alpha == 1)
    }
}

@Suite struct `Maximal marginal relevance` {
    @Test func `with weight 1 is the list by relevance`() async throws {
        let fixture = try await EngineFixture()
        for seed in 0..<8 {
            var request = RecommendationRequest(
                answers: try fixture.randomSheet(UInt64(seed)), topN: 15, diversity: false)
            let plain = try await fixture.recommender.recommend(request)
            request.marginalRelevance = 1
            #expect(ReplyPrint(try await fixture.recommender.recommend(request)) == ReplyPrint(plain))
        }
    }

    @Test func `varies more the less relevance weighs`() async throws {
        let fixture = try await EngineFixture()
        var means: [Double] = []
        for weight in [1, 0.7, 0.3] as [Float] {
            var total = 0.0
            for seed in 0..<20 {
                let reply = try await fixture.recommender.recommend(
                    RecommendationRequest(
                        answers: try fixture.randomSheet(UInt64(seed)), topN: 8, diversity: false,
                        marginalRelevance: weight))
                #expect(reply.recommendations.count == 8)
                for item in reply.recommendations { Recommendations.checkParts(of: item, alpha: reply.alpha) }
                total += Self.meanSimilarity(of: reply, in: fixture.recommender.current)
            }
            means.append(total / 20)
        }
        #expect(means[0] > means[1] + 0.02 && means[1] > means[2] + 0.02, "\(means)")
    }

    /// The mean similarity of two careers of a list, as the search weighs it.
    private static func meanSimilarity(of reply: RecommendationReply, in generation: CareerGeneration) -> Double {
        let rows = reply.recommendations.compactMap { item in
            generation.index.slot(of: ItemID(item.career.id)).map { generation.index.row(at: $0) }
        }
        let abilityWeight = (1 - reply.alpha) * reply.lambda
        var (sum, count) = (0.0, 0)
        for a in rows.indices {
            for b in rows.indices where b > a {
                for i in 0..<783 {
                    let weight = i < 768 ? reply.alpha : abilityWeight
                    sum += Double(weight * rows[a][i] * rows[b][i])
                }
                count += 1
            }
        }
        return sum / Double(count)
    }
}

@Suite struct `Liked and disliked examples by best score` {
    @Test func `two unlike careers both draw near`() async throws {
        let fixture = try await EngineFixture()
        let liked = ["registered-nurse", "welder"]
        func rank(near id: String, in list: [Recommendation]) async throws -> Int {
            let alone = try await fixture.recommender.recommend(
                RecommendationRequest(topN: 1, diversity: false, excluded: liked.filter { $0 != id }, liked: [id]))
            let nearest = try #require(alone.recommendations.first?.career.id)
            return (list.firstIndex { $0.career.id == nearest } ?? 999) + 1
        }
        let best = try await fixture.wholeList(
            RecommendationRequest(diversity: false, liked: liked, examples: .bestScore))
        for id in liked { #expect(try await rank(near: id, in: best) <= 6, "\(id)") }
        #expect(best.count == fixture.careers.count - 2)
        // Explained by the one that drew it, and by that one alone.
        var drawn: Set<String> = []
        for item in best {
            Recommendations.checkParts(of: item, alpha: 1)
            #expect(item.explanation.answers.count == 1)
            if case .example(let id, _, true)? = item.explanation.answers.first?.origin { drawn.insert(id) }
        }
        #expect(drawn == Set(liked))
    }

    @Test func `a score is the best of those with one example each`() async throws {
        let fixture = try await EngineFixture()
        let liked = ["registered-nurse", "welder", "chef"]
        for text in [nil, "working outdoors"] as [String?] {
            var best: [String: Float] = [:]
            for id in liked {
                let others = liked.filter { $0 != id }
                let list = try await fixture.wholeList(
                    RecommendationRequest(text: text, diversity: false, excluded: others, liked: [id]))
                for item in list { best[item.career.id] = max(best[item.career.id] ?? 0, item.score) }
            }
            let list = try await fixture.wholeList(
                RecommendationRequest(text: text, diversity: false, liked: liked, examples: .bestScore))
            #expect(list.count == best.count)
            for item in list {
                #expect(abs(item.score - (best[item.career.id] ?? 0)) < 2e-6, "\(item.career.id)")
                Recommendations.checkParts(of: item, alpha: 1)
            }
        }
    }

    @Test func `what is nearer to a disliked one is left out and counted`() async throws {
        let fixture = try await EngineFixture()
        let generation = fixture.recommender.current
        let request = RecommendationRequest(
            topN: 100, diversity: false, liked: ["chef"], disliked: ["baker"], examples: .bestScore)
        let first = try await fixture.recommender.recommend(request)
        let list = try await fixture.wholeList(request)
        #expect(first.setAside > 0 && list.count == first.matched - first.setAside)
        #expect(first.matched == fixture.careers.count - 2)
        // Held against each alone.
        func scores(_ id: String, without other: String) async throws -> [String: Float] {
            let alone = try await fixture.wholeList(
                RecommendationRequest(diversity: false, excluded: [other], liked: [id]))
            return Dictionary(uniqueKeysWithValues: alone.map { ($0.career.id, $0.score) })
        }
        let chef = try await scores("chef", without: "baker")
        let baker = try await scores("baker", without: "chef")
        let kept = Set(list.map(\.career.id))
        for id in generation.careers.keys where id != "chef" && id != "baker" {
            let margin = (chef[id] ?? 0) - (baker[id] ?? 0)
            if abs(margin) > 1e-5 { #expect(kept.contains(id) == (margin > 0), "\(id)") }
        }
        for item in list { Recommendations.checkParts(of: item, alpha: first.alpha) }
    }

    @Test func `dislikes alone need something else to go on`() async throws {
        let fixture = try await EngineFixture()
        await #expect(throws: RecommendationError.dislikesAlone) {
            try await fixture.recommender.recommend(
                RecommendationRequest(disliked: ["chef"], examples: .bestScore))
        }
        let reply = try await fixture.recommender.recommend(
            RecommendationRequest(text: "cooking in a kitchen", disliked: ["baker"], examples: .bestScore))
        #expect(!reply.recommendations.isEmpty && !reply.recommendations.contains { $0.career.id == "baker" })
    }

    @Test func `with answers and abilities everything still adds up`() async throws {
        let fixture = try await EngineFixture()
        for seed in 0..<10 {
            let reply = try await fixture.recommender.recommend(
                RecommendationRequest(
                    answers: try fixture.randomSheet(UInt64(seed)), topN: 20, maxPerCluster: 3,
                    liked: ["chef", "welder"], disliked: ["carpenter"], examples: .bestScore))
            #expect(reply.alpha == 0.7)
            for item in reply.recommendations { Recommendations.checkParts(of: item, alpha: reply.alpha) }
        }
    }

    @Test func `with marginal relevance the average takes its place`() async throws {
        let fixture = try await EngineFixture()
        var request = RecommendationRequest(
            topN: 10, diversity: false, marginalRelevance: 0.6, liked: ["registered-nurse", "welder"],
            disliked: ["chef"])
        let average = try await fixture.recommender.recommend(request)
        request.examples = .bestScore
        #expect(ReplyPrint(try await fixture.recommender.recommend(request)) == ReplyPrint(average))
        let named = average.recommendations.flatMap(\.explanation.answers).compactMap { effect -> String? in
            if case .example(let id, _, _) = effect.origin { id } else { nil }
        }
        #expect(Set(named) == ["registered-nurse", "welder", "chef"])
    }
}

@Suite struct `Pages of a list` {
    @Test(arguments: 1...7)
    func `joined are the whole list, whatever their size`(size: Int) async throws {
        let fixture = try await EngineFixture(careers: Array(try BuiltIn.careers().prefix(40)))
        let sheet = try fixture.randomSheet(UInt64(size))
        let ways: [(String, RecommendationRequest)] = [
            ("cap", RecommendationRequest(answers: sheet, topN: 100, maxPerCluster: 2)),
            ("no cap", RecommendationRequest(answers: sheet, topN: 100, diversity: false)),
            ("MMR", RecommendationRequest(answers: sheet, topN: 100, diversity: false, marginalRelevance: 0.5)),
            ("MMR and cap", RecommendationRequest(answers: sheet, topN: 100, maxPerCluster: 2, marginalRelevance: 0.5)),
            (
                "best score",
                RecommendationRequest(
                    answers: sheet, topN: 100, diversity: false,
                    liked: ["actuary", "accountant"].filter {
                        fixture.recommender.current.careers[$0] != nil
                    }, examples: .bestScore)
            ),
            (
                "history",
                RecommendationRequest(
                    answers: sheet, topN: 100, diversity: false,
                    history: fixture.careers.prefix(3).map { HistoryEntry(.saved, $0.id) })
            ),
        ]
        for (name, request) in ways {
            let whole = try await fixture.recommender.recommend(request).recommendations
            let pages = try await fixture.wholeList(request, pageSize: size)
            #expect(whole.count > size, "\(name)")
            #expect(pages.map(\.career.id) == whole.map(\.career.id), "\(name)")
            #expect(pages.map(\.rank) == Array(1...whole.count), "\(name)")
            #expect(pages.map(\.score.bitPattern) == whole.map(\.score.bitPattern), "\(name)")
            #expect(pages.map(\.explanation.rankBeforeCap) == whole.map(\.explanation.rankBeforeCap), "\(name)")
            #expect(pages.map(\.explanation.summary) == whole.map(\.explanation.summary), "\(name)")
        }
    }

    @Test func `go on in their generation while others come, until it is no longer kept`() async throws {
        let database = try await EngineFixture.newDatabase()
        let fixture = try await EngineFixture(database: database, careers: MadeUpCareers.make(60))
        var careers = fixture.careers
        func publishNext() async throws {
            careers[0].description += " changed"
            careers.removeLast(3)
            let next = try await EngineFixture.build(
                careers, encoder: fixture.encoder, database: database, quiz: fixture.quiz)
            fixture.recommender.publish(next.generation, encoder: fixture.encoder)
        }
        var request = RecommendationRequest(text: "wordbc things", topN: 100, diversity: false)
        let whole = try await fixture.recommender.recommend(request)
        request.generation = whole.generation
        request.topN = 20
        var ids: [String] = []
        for page in 0..<3 {
            request.skip = ids.count
            let reply = try await fixture.recommender.recommend(request)
            #expect(reply.generation == whole.generation && reply.skip == 20 * page)
            ids += reply.recommendations.map(\.career.id)
            if page < 2 { try await publishNext() }
        }
        #expect(ids == whole.recommendations.map(\.career.id) && ids.count == 60)
        // A list that begins now comes from the newest.
        request.generation = nil
        request.skip = 0
        #expect(try await fixture.recommender.recommend(request).generation > whole.generation)
        // Two were published between the pages.
        for _ in 2..<Recommender.keptGenerations - 1 { try await publishNext() }
        request.generation = whole.generation
        #expect(try await fixture.recommender.recommend(request).generation == whole.generation)
        try await publishNext()
        let current = fixture.recommender.current.number
        await #expect(throws: RecommendationError.generationGone(whole.generation, current: current)) {
            try await fixture.recommender.recommend(request)
        }
        #expect(fixture.recommender.generation(number: whole.generation) == nil)
        #expect(fixture.recommender.generation(number: current) === fixture.recommender.current)
    }

    @Test func `past the end there is nothing, and further is refused`() async throws {
        let fixture = try await EngineFixture(careers: MadeUpCareers.make(30))
        let maximum = RecommendationRequest.maximumSkip
        var request = RecommendationRequest(text: "wordbc things", diversity: false, skip: 30)
        for skip in [30, 31, maximum] {
            request.skip = skip
            let reply = try await fixture.recommender.recommend(request)
            #expect(reply.recommendations.isEmpty && reply.matched == 30 && reply.skip == skip)
        }
        for skip in [-1, maximum + 1, .max, .min] {
            request.skip = skip
            await #expect(throws: RecommendationError.skipOutOfRange(skip)) {
                try await fixture.recommender.recommend(request)
            }
        }
    }
}

@Suite struct `An ability profile without a quiz` {
    @Test func `may be partial: what is missing is the mean and says nothing`() async throws {
        let fixture = try await EngineFixture()
        let mean = fixture.recommender.current.frame.mean
        var partial = [Double?](repeating: nil, count: Ability.count)
        partial[Ability.empathy.position] = 9.5
        partial[Ability.leadership.position] = 1
        let full = zip(partial, mean).map { $0 ?? $1 }
        let some = try await fixture.recommender.recommend(RecommendationRequest(abilities: partial, topN: 30))
        let whole = try await fixture.recommender.recommend(RecommendationRequest(abilities: full, topN: 30))
        #expect(some.recommendations.map(\.career.id) == whole.recommendations.map(\.career.id))
        #expect(some.recommendations.map(\.score.bitPattern) == whole.recommendations.map(\.score.bitPattern))
        #expect(some.profile == full && some.alpha == 0)
        for item in some.recommendations {
            Recommendations.checkParts(of: item, alpha: 0)
            for effect in item.explanation.abilities {
                let isSaid = effect.ability == .empathy || effect.ability == .leadership
                #expect((effect.you != nil) == isSaid)
                if !isSaid { #expect(effect.points == 0) }
            }
        }
        let nothing = [Double?](repeating: nil, count: Ability.count)
        await #expect(throws: RecommendationError.nothingToGoOn) {
            try await fixture.recommender.recommend(RecommendationRequest(abilities: nothing))
        }
        await #expect(throws: RecommendationError.abilityOutOfRange(position: 14, value: -1)) {
            try await fixture.recommender.recommend(RecommendationRequest(abilities: nothing.dropLast() + [-1]))
        }
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, 10.000001])
    func `refuses numbers that are none`(value: Double) async throws {
        let fixture = try await EngineFixture(vectorizer: nil, careers: MadeUpCareers.make(10))
        await #expect {
            _ = try await fixture.recommender.recommend(
                RecommendationRequest(abilities: [value] + Array(repeating: 5, count: 14)))
        } throws: { error in
            guard case .abilityOutOfRange(position: 0, _)? = error as? RecommendationError else { return false }
            return true
        }
    }
}

@Suite struct `Filters over what careers say of themselves` {
    @Test func `hold for the product's own attributes and for the operator's`() async throws {
        var careers = MadeUpCareers.make(60)
        for i in careers.indices {
            careers[i].salary =
                i % 4 == 0 ? nil : SalaryRange(min: 1_000 * i, max: 2_000 * i, currency: "EUR", year: 2_025)
            careers[i].growth = i % 5 == 0 ? nil : JobGrowth(percent: Double(i) - 30, from: 2_024, to: 2_034)
            careers[i].requiredEducation.level = EducationLevel.allCases[i % 7]
            careers[i].source = i % 2 == 0 ? "ours" : "theirs"
            careers[i].technologies = i % 3 == 0 ? ["Welding Rig"] : []
            if i % 2 == 0 { careers[i].attributes["Remote"] = .words(["Yes", "Hybrid"]) }
            careers[i].attributes["hours"] = .number(Double(30 + i % 10))
            // Named like one of the product's: neither hides the other.
            careers[i].attributes["cluster"] = .words(["mine"])
        }
        let fixture = try await EngineFixture(careers: careers)
        let name = CareerGeneration.indexName(ofAttribute:)
        let cases: [(Filter, (Career) -> Bool)] = [
            (.anyOf("cluster", ["cluster 1", "cluster 2"]), { ["cluster 1", "cluster 2"].contains($0.cluster) }),
            (.anyOf(name("cluster"), ["mine"]), { _ in true }),
            (.anyOf("education", ["master"]), { $0.requiredEducation.level == .master }),
            (.range("salary_min", 20_000...40_000), { $0.salary.map { (20_000...40_000).contains($0.min) } ?? false }),
            (.range("salary_max", 90_000...1e9), { ($0.salary?.max ?? 0) >= 90_000 }),
            (.anyOf("currency", ["EUR"]), { $0.salary != nil }),
            (.range("growth_percent", -5...5), { $0.growth.map { (-5...5).contains($0.percent) } ?? false }),
            (.anyOf("source", ["theirs"]), { $0.source == "theirs" }),
            (.anyOf("skills", ["welding rig"]), { !$0.technologies.isEmpty }),
            (.anyOf(name("Remote"), ["hybrid"]), { $0.attributes["Remote"] != nil }),
            (.allOf(name("Remote"), ["yes", "hybrid"]), { $0.attributes["Remote"] != nil }),
            (.not(.anyOf(name("Remote"), ["yes"])), { $0.attributes["Remote"] == nil }),
            (.range(name("hours"), 32...33), { [32, 33].contains(Int($0.id.suffix(1))! + 30) }),
            (
                .and([
                    .anyOf("source", ["ours"]), .or([.range(name("hours"), 30...30), .anyOf("education", ["none"])]),
                ]),
                { $0.source == "ours" && ($0.id.hasSuffix("0") || $0.requiredEducation.level == .none) }
            ),
        ]
        for (filter, holds) in cases {
            let request = RecommendationRequest(text: "wordbc things", topN: 100, diversity: false, filter: filter)
            let reply = try await fixture.recommender.recommend(request)
            let expected = Set(careers.filter(holds).map(\.id))
            #expect(Set(reply.recommendations.map(\.career.id)) == expected, "\(filter)")
            #expect(reply.matched == expected.count && reply.complete && reply.exact, "\(filter)")
        }
        #expect(fixture.recommender.current.ownAttributes == ["Remote": false, "hours": true, "cluster": false])
    }
}

@Suite struct `An id written in other bytes` {
    /// “bäcker” with “ä” as one scalar, and as two.
    private static let spellings = ["b\u{E4}cker", "ba\u{308}cker"]

    private static func careers(_ ids: [Int: String]) -> [Career] {
        var careers = MadeUpCareers.make(12)
        for (position, id) in ids { careers[position].id = id }
        return careers
    }

    @Test(arguments: [0, 1])
    func `names the same career`(spelling: Int) async throws {
        let (stored, asked) = (Self.spellings[spelling], Self.spellings[1 - spelling])
        try #require(stored == asked && !stored.utf8.elementsEqual(asked.utf8))
        let fixture = try await EngineFixture(careers: Self.careers([3: stored]))
        let generation = fixture.recommender.current
        #expect(generation.storedID(asked).utf8.elementsEqual(stored.utf8))
        #expect(generation.storedID("nobody") == "nobody")
        let text = "wordbc things"
        let requests = [
            RecommendationRequest(text: text, topN: 100, diversity: false, excluded: [asked]),
            RecommendationRequest(text: text, topN: 100, diversity: false, liked: [asked]),
            RecommendationRequest(text: text, topN: 100, diversity: false, disliked: [asked]),
            RecommendationRequest(topN: 100, diversity: false, liked: [asked], examples: .bestScore),
            RecommendationRequest(
                text: text, topN: 100, diversity: false, history: [HistoryEntry(.dismissed, asked)]),
        ]
        for (position, request) in requests.enumerated() {
            let found = try await fixture.recommender.recommend(request).recommendations.map(\.career.id)
            #expect(found.count == 11 && !found.contains(stored), "request \(position)")
        }
        let similar = try generation.similar(to: asked, limit: 20).items.map(\.career.id)
        #expect(similar.count == 11 && !similar.contains(stored))
    }

    @Test(arguments: [true, false])
    func `is refused beside the first`(hasModel: Bool) async throws {
        let careers = Self.careers([1: Self.spellings[0], 3: Self.spellings[1]])
        let database = try await EngineFixture.newDatabase()
        let quiz = try BuiltIn.quiz()
        let encoder = hasModel ? EncodingQueue(WordVectorizer()) : nil
        let refusal = CatalogueError.invalidCareer(id: Self.spellings[0], problem: "its id is used twice")
        await #expect(throws: refusal) {
            _ = try await EngineFixture.build(careers, encoder: encoder, database: database, quiz: quiz)
        }
    }
}
