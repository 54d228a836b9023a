import Engine
import Store
import TestSupport
import Testing

struct KnowledgeBaseTests {
    @Test func `has every title's vector, rounded`() async throws {
        let made = try await GroundedWords()
        #expect(made.base.titles == Jobs.titles() && made.base.rule == GroundedWords.rule)
        let vectors = try made.words.vectors(of: Jobs.titles().titles.map(\.text), role: .document)
        #expect(made.base.codes == TitleCodes(dimension: 384, rounding: vectors))
        #expect(made.base.projection == made.grounding.projection && made.base.projection.occupationCount == 5)
        let again = try await made.base.grounding()
        #expect(again.vectors(of: vectors) == made.grounding.vectors(of: vectors))
        // What a title says is read as that title's occupation.
        let reading = try made.words.vectors(of: ["Lorry Driver", "Theatre Nurse"], role: .query)
        #expect(made.grounding.shares(of: reading).map { $0.top(1).first?.occupation } == [2, 3])
    }

    @Test func `embeds no title again that it knows`() async throws {
        let made = try await GroundedWords()
        let titles = OccupationTitles(of: Jobs.few + [Jobs.career("vet", "Animal Doctor", ["Night Nurse"])])
        let encoder = EncodingQueue(made.words)
        let asked = made.words.base.asked.withLock { $0 }
        let more = try await KnowledgeBase.make(titles, rule: GroundedWords.rule, encoder: encoder, known: made.base)
        #expect(made.words.base.asked.withLock { $0 } == asked + 1)
        let fresh = try await KnowledgeBase.make(titles, rule: GroundedWords.rule, encoder: encoder)
        #expect(more.base == fresh.base && more.base.checksum != made.base.checksum)
    }

    @Test func `tells how far it is`() async throws {
        let progress = Guarded<[ReembedProgress]>([])
        _ = try await KnowledgeBase.make(
            Jobs.titles(), rule: GroundedWords.rule, encoder: EncodingQueue(QueuedWords())
        ) { step in progress.withLock { $0.append(step) } }
        let count = Jobs.titles().titles.count
        #expect(progress.withLock { $0.map { [$0.done, $0.total] } } == [[count, count]])
    }

    @Test func `is not made of nothing, nor of vectors that do not fit`() async throws {
        await #expect(throws: GroundingError.noTitles) {
            try await KnowledgeBase.make(
                OccupationTitles(of: []), rule: GroundedWords.rule, encoder: EncodingQueue(QueuedWords()))
        }
        let whole = QueuedWords(WordVectorizer(views: 1))
        await #expect(throws: GroundingError.unsupportedDimension(768)) {
            try await KnowledgeBase.make(Jobs.titles(), rule: GroundedWords.rule, encoder: EncodingQueue(whole))
        }
    }

    @Test func `its checksum is of all of it`() async throws {
        let base = try await GroundedWords().base
        var codes = base.codes.codes
        codes[17] = codes[17] == 3 ? 4 : 3
        var directions = base.projection.directions
        directions[5] += 1e-6
        let named = Jobs.few.map { $0.id == "cook" ? Jobs.career("cook", "Kitchen cook", $0.aliases) : $0 }
        let others = [
            KnowledgeBase(
                titles: OccupationTitles(of: named), codes: base.codes, rule: base.rule, projection: base.projection),
            KnowledgeBase(
                titles: base.titles, codes: TitleCodes(dimension: 384, codes: codes), rule: base.rule,
                projection: base.projection),
            KnowledgeBase(
                titles: base.titles, codes: base.codes, rule: .init(neighbours: 5, temperature: 0.1),
                projection: base.projection),
            KnowledgeBase(
                titles: base.titles, codes: base.codes, rule: .init(neighbours: 4, temperature: 0.1.nextUp),
                projection: base.projection),
            KnowledgeBase(
                titles: base.titles, codes: base.codes, rule: base.rule,
                projection: OccupationProjection(occupationCount: 5, directions: directions)),
        ]
        #expect(Set(others.map(\.checksum) + [base.checksum]).count == others.count + 1)
        let same = KnowledgeBase(
            titles: base.titles, codes: base.codes, rule: base.rule, projection: base.projection)
        #expect(same == base && same.checksum.utf8.count == 64)
    }

    /// One that never knew the titles is the measure: no vote of theirs is left, and no trace in the projection.
    @Test func `leaving titles out is never having known them`() async throws {
        let made = try await GroundedWords()
        let keys = Jobs.titles().titles.map { OccupationTitles.folded($0.text) }
        var random = SeededGenerator(seed: 360)
        for count in [0, 1, 3, keys.count - 1] {
            let heldOut = Set(keys.shuffled(using: &random).prefix(count) + ["no such title"])
            let left = try await made.base.leavingOut(heldOut)
            let titles = Jobs.titles(leavingOut: heldOut)
            let fresh = try await KnowledgeBase.make(
                titles, rule: GroundedWords.rule, encoder: EncodingQueue(made.words))
            #expect(left.base == fresh.base && left.base.titles == titles, "\(random)")
            #expect((left.base.checksum == made.base.checksum) == (count == 0), "\(random)")
            let texts = try made.words.vectors(of: ["Pastry Baker", "Night Teacher", "Coach"], role: .query)
            #expect(left.grounding.vectors(of: texts) == fresh.grounding.vectors(of: texts), "\(random)")
            #expect((left.base.projection == made.base.projection) == (count == 0), "\(random)")
        }
    }

    @Test func `an occupation whose titles are all left out gets no vote`() async throws {
        let made = try await GroundedWords()
        let nurses = Jobs.titles().titles.filter { $0.occupations == [3] }
        let left = try await made.base.leavingOut(Set(nurses.map { OccupationTitles.folded($0.text) }))
        #expect(left.base.titles.occupations == made.base.titles.occupations)
        let texts = try made.words.vectors(of: nurses.map(\.text), role: .query)
        #expect(made.grounding.shares(of: texts).allSatisfy { $0.top(1).first?.occupation == 3 })
        for shares in left.grounding.shares(of: texts) {
            #expect(!shares.shares.isEmpty && shares.shares.allSatisfy { $0.occupation != 3 })
        }
        await #expect(throws: GroundingError.noTitles) {
            try await made.base.leavingOut(Set(Jobs.titles().titles.map { OccupationTitles.folded($0.text) }))
        }
    }
}
