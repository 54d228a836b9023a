import Engine
import Store
import TestSupport
import Testing
import VectorIndex

@Suite struct `Recommendations` {
    @Test func `a score is what its parts add up to, in every reply`() async throws {
        let fixture = try await EngineFixture()
        for seed in 0..<25 {
            for alpha in [nil, 0.2, 0.5, 0.95] as [Float?] {
                let sheet = try fixture.randomSheet(UInt64(seed))
                let reply = try await fixture.recommender.recommend(RecommendationRequest(answers: sheet, alpha: alpha))
                #expect(reply.recommendations.count == 5 && reply.exact && reply.complete)
                #expect(Set(reply.recommendations.map(\.career.cluster)).count == 5)
                for item in reply.recommendations { Self.checkParts(of: item, alpha: reply.alpha) }
            }
        }
    }

    static func checkParts(of item: Recommendation, alpha: Float) {
        let embedding = item.embeddingSimilarity ?? 0
        let ability = item.abilitySimilarity ?? 0
        #expect(abs(alpha * embedding + (1 - alpha) * ability - item.score) < 1e-5)
        let shown = Percent(
            score: item.score, embedding: item.embeddingSimilarity, ability: item.abilitySimilarity, alpha: alpha)
        // As shown: the two points sum to the score, and so do the weighted similarities after rounding.
        #expect(abs(shown.embeddingPoints + shown.abilityPoints - shown.score) < 1e-9)
        let sum = Double(alpha) * (shown.embedding ?? 0) + Double(1 - alpha) * (shown.ability ?? 0)
        #expect(abs(sum - shown.score) <= 0.05 + 1e-6)
        #expect(abs(shown.score - Double(item.score) * 100) <= 0.05 + 1e-6)
        // The explanation's effects and its baseline sum to the score as shown.
        let explanation = item.explanation
        let effects =
            explanation.answers.reduce(0) { $0 + $1.points } + explanation.abilities.reduce(0) { $0 + $1.points }
        #expect(abs(explanation.baseline + effects - shown.score) < 0.0051)
        // The views' cosines, weighted, are the embedding similarity.
        if item.embeddingSimilarity != nil {
            let cosine = explanation.views.reduce(0) { $0 + $1.weight * $1.cosine }
            #expect(abs((1 + cosine) / 2 - embedding) < 1e-5)
        }
    }

    @Test func `an effect is the same for a career whoever else is in the list`() async throws {
        // The baseline is what an average career scores, so it may differ between careers by rounding alone.
        let fixture = try await EngineFixture()
        let reply = try await fixture.recommender.recommend(
            RecommendationRequest(answers: try fixture.randomSheet(3), topN: 18))
        let baselines = reply.recommendations.map(\.explanation.baseline)
        #expect((baselines.max() ?? 0) - (baselines.min() ?? 0) < 0.35)
    }

    @Test func `the α that is used is told`() async throws {
        let fixture = try await EngineFixture()
        func alpha(_ request: RecommendationRequest) async throws -> Float {
            try await fixture.recommender.recommend(request).alpha
        }
        let abilities = Ability.allCases.map { $0 == .empathy ? 10.0 : 4 }
        #expect(try await alpha(RecommendationRequest(text: "caring for patients")) == 1)
        #expect(try await alpha(RecommendationRequest(skills: ["welding", "blueprints"])) == 1)
        #expect(try await alpha(RecommendationRequest(abilities: abilities)) == 0)
        #expect(try await alpha(RecommendationRequest(abilities: abilities, alpha: 0.9)) == 0)
        #expect(try await alpha(RecommendationRequest(text: "caring for patients", abilities: abilities)) == 0.7)
        #expect(
            try await alpha(RecommendationRequest(text: "caring for patients", abilities: abilities, alpha: 0.1)) == 0.1
        )
    }

    @Test func `text finds the career that shares its words`() async throws {
        let fixture = try await EngineFixture()
        let target = try #require(fixture.careers.first { $0.id == "welder" })
        let reply = try await fixture.recommender.recommend(RecommendationRequest(text: target.description))
        #expect(reply.recommendations.first?.career.id == "welder")
    }

    @Test func `filters, exclusions, likes and dislikes hold`() async throws {
        let fixture = try await EngineFixture()
        var request = RecommendationRequest(text: "teaching children", topN: 10, diversity: false)
        request.filter = .anyOf("education", ["secondary", "none", "certificate"])
        let reply = try await fixture.recommender.recommend(request)
        #expect(
            reply.recommendations.allSatisfy {
                ["secondary", "none", "certificate"].contains($0.career.requiredEducation.level.rawValue)
            })
        #expect(reply.matched < fixture.careers.count && reply.scanned == reply.matched)

        let first = try #require(reply.recommendations.first?.career.id)
        request.excluded = [first]
        #expect(!(try await fixture.recommender.recommend(request)).recommendations.contains { $0.career.id == first })

        let liked = try await fixture.recommender.recommend(RecommendationRequest(liked: ["carpenter"]))
        #expect(!liked.recommendations.contains { $0.career.id == "carpenter" } && liked.alpha == 1)
        #expect(
            liked.recommendations.first?.explanation.answers.first?.origin
                == .example(career: "carpenter", name: "Carpenter", liked: true))
    }

    @Test func `mistakes are typed`() async throws {
        let fixture = try await EngineFixture()
        func error(_ request: RecommendationRequest) async -> RecommendationError? {
            do {
                _ = try await fixture.recommender.recommend(request)
                return nil
            } catch {
                return error as? RecommendationError
            }
        }
        #expect(await error(RecommendationRequest()) == .nothingToGoOn)
        #expect(await error(RecommendationRequest(text: " \n ")) == .nothingToGoOn)
        #expect(await error(RecommendationRequest(text: "a", topN: 0)) == .topNOutOfRange(0))
        #expect(await error(RecommendationRequest(text: "a", alpha: 1.5)) == .alphaOutOfRange(1.5))
        #expect(await error(RecommendationRequest(text: "a", maxPerCluster: 0)) == .maxPerClusterOutOfRange(0))
        #expect(await error(RecommendationRequest(abilities: [1, 2])) == .abilityCount(2))
        #expect(
            await error(RecommendationRequest(abilities: Array(repeating: 5, count: 14) + [10.5]))
                == .abilityOutOfRange(position: 14, value: 10.5))
        #expect(
            await error(RecommendationRequest(text: "a", excluded: ["nobody"]))
                == .unknownCareers(field: "exclude", ids: ["nobody"]))
        #expect(await error(RecommendationRequest(abilities: fixture.recommender.current.frame.mean)) == .nothingToGoOn)
    }

    @Test func `the same request gives the same reply`() async throws {
        let fixture = try await EngineFixture()
        let sheet = try fixture.randomSheet(8)
        let request = RecommendationRequest(answers: sheet, text: "maps and mountains", topN: 18)
        let first = try await fixture.recommender.recommend(request)
        for _ in 0..<5 {
            let again = try await fixture.recommender.recommend(request)
            #expect(again.recommendations.map(\.career.id) == first.recommendations.map(\.career.id))
            #expect(again.recommendations.map(\.score.bitPattern) == first.recommendations.map(\.score.bitPattern))
            #expect(
                again.recommendations.map(\.explanation.summary) == first.recommendations.map(\.explanation.summary))
        }
    }

    @Test func `a space of one view works like one of two`() async throws {
        let fixture = try await EngineFixture(vectorizer: WordVectorizer(views: 1, id: "words@2"))
        let reply = try await fixture.recommender.recommend(RecommendationRequest(answers: try fixture.randomSheet(1)))
        #expect(reply.recommendations.count == 5)
        for item in reply.recommendations {
            #expect(item.explanation.views.count == 1)
            Self.checkParts(of: item, alpha: reply.alpha)
        }
    }
}

@Suite struct `Without a model` {
    @Test func `careers are ranked by abilities alone, and the reply says so`() async throws {
        let fixture = try await EngineFixture(vectorizer: nil)
        let reply = try await fixture.recommender.recommend(RecommendationRequest(answers: try fixture.randomSheet(4)))
        #expect(reply.degradation?.reason == .noModel && reply.alpha == 0)
        #expect(Set(reply.recommendations.map(\.career.cluster)).count == 5)
        for item in reply.recommendations {
            #expect(item.embeddingSimilarity == nil && item.explanation.answers.isEmpty)
        }
    }

    @Test func `text alone is refused with the reason`() async throws {
        let fixture = try await EngineFixture(vectorizer: nil)
        await #expect(
            throws: RecommendationError.textNeedsModel(Degradation(reason: .noModel, detail: "no model here"))
        ) {
            try await fixture.recommender.recommend(RecommendationRequest(text: "horses"))
        }
    }
}

@Suite struct `Building a generation` {
    @Test func `embeds each text once, and again only where text or space changed`() async throws {
        let database = try await EngineFixture.newDatabase()
        let first = try await EngineFixture(database: database)
        let phrases = Set(first.quiz.phrases.work + first.quiz.phrases.takes).count
        #expect(first.statistics.reused == 0 && first.statistics.embedded == first.careers.count + phrases)
        let again = try await EngineFixture(database: database)
        #expect(again.statistics.embedded == 0 && again.statistics.reused == first.statistics.embedded)
        let other = try await EngineFixture(vectorizer: WordVectorizer(id: "words@other"), database: database)
        #expect(other.statistics.reused == 0)
    }

    @Test func `makes damaged vectors anew and names them`() async throws {
        let database = try await EngineFixture.newDatabase()
        let first = try await EngineFixture(database: database)
        let before = try await StoredRows.current(database)
        let record = try #require(try await Reembedder(database).current())
        let blocks = try await GenerationRepository(database).blocks(of: record.id)
        // The last byte of a block is one of its last row's numbers.
        var bytes = blocks[0].bytes
        bytes[bytes.count - 1] ^= 0x10
        try await StoredRows.setBytes(bytes, ofBlock: 0, in: record.id, database)
        let mended = try await EngineFixture(database: database)
        #expect(mended.statistics.embedded == 1 && mended.statistics.damaged.count == 1)
        let name = first.careers.map(\.id).sorted()[blocks[0].rowCount - 1]
        #expect(mended.statistics.damaged.allSatisfy { $0.contains(name) })
        #expect(try await StoredRows.difference(before, StoredRows.current(database)) < 1e-6)
        #expect(try await EngineFixture(database: database).statistics.damaged.isEmpty)
    }

    @Test func `makes damaged phrases anew and names them`() async throws {
        let database = try await EngineFixture.newDatabase()
        _ = try await EngineFixture(database: database)
        let changed = try await database.write { connection in
            try connection.execute(
                """
                UPDATE vectors SET checksum = checksum + 1 WHERE item_kind = 'phrase'
                    AND item_id IN (SELECT item_id FROM vectors WHERE item_kind = 'phrase' ORDER BY item_id LIMIT 2)
                """)
        }
        let mended = try await EngineFixture(database: database)
        #expect(changed == 2 && mended.statistics.embedded == 2 && mended.statistics.damaged.count == 2)
        #expect(mended.statistics.damaged.allSatisfy { $0.contains("phrase") })
        #expect(try await EngineFixture(database: database).statistics.damaged.isEmpty)
    }

    @Test func `never compares vectors of two spaces`() async throws {
        let fixture = try await EngineFixture()
        let stranger = Recommender(
            generation: fixture.recommender.current, encoder: EncodingQueue(WordVectorizer(id: "words@stranger")))
        await #expect(throws: SpaceMismatch(encoder: "words@stranger", generation: "words@1")) {
            try await stranger.recommend(RecommendationRequest(text: "horses"))
        }
    }
}

@Suite struct `Calibration of scores` {
    @Test func `λ is the ratio of the spreads, at most 1`() async throws {
        let calibration = try await EngineFixture().recommender.current.calibration
        #expect(abs(Double(calibration.lambda) - min(1, calibration.textSpread / calibration.abilitySpread)) < 1e-6)
        #expect(calibration.lambda > 0 && calibration.lambda < 1)
        let plain = try await EngineFixture(comparison: .plain).recommender.current.calibration
        #expect(plain.abilitySpread < calibration.abilitySpread / 3 && plain.abilityMean > 0.8)
    }

    @Test func `bands follow the score`() async throws {
        let fixture = try await EngineFixture()
        let reply = try await fixture.recommender.recommend(
            RecommendationRequest(answers: try fixture.randomSheet(2), topN: 100, diversity: false))
        let bands = reply.recommendations.map { Band.allCases.firstIndex(of: $0.band) ?? 0 }
        #expect(bands == bands.sorted())
        #expect(Set(reply.recommendations.map(\.band)).count >= 3)
    }
}
