import Embedder
import Engine
import Foundation
import Store
import TestSupport
import Testing
import VectorIndex

/// A catalogue of made-up careers that is embedded, changed and embedded again.
private struct Bench {
    let database: any SQLDatabase
    let vectorizer: ScriptedVectorizer
    let encoder: EncodingQueue
    let reembedder: Reembedder
    var careers: [Career]

    init(_ count: Int = 150, database given: (any SQLDatabase)? = nil, space: String = "words@1") async throws {
        if let given { database = given } else { database = try await EngineFixture.newDatabase() }
        vectorizer = ScriptedVectorizer(WordVectorizer(id: space))
        encoder = EncodingQueue(vectorizer)
        reembedder = Reembedder(database)
        careers = MadeUpCareers.make(count)
    }

    @discardableResult
    func run(
        isForced: Bool = false, limit: Int? = nil, keepsStale: Bool = false, isUnasked: Bool = false
    ) async throws -> ReembedReport {
        try await reembedder.run(
            careers, encoder: encoder,
            options: .init(isForced: isForced, limit: limit, keepsStale: keepsStale, isUnasked: isUnasked))
    }

    var asked: Int { vectorizer.base.asked.withLock { $0 } }

    func rows() async throws -> [String: StoredRows.Row] { try await StoredRows.current(database) }

    func fail(after texts: Int?) { vectorizer.textsBeforeFailure.withLock { $0 = texts } }

    /// What a run from nothing gives for the careers as they are.
    func fresh() async throws -> [String: StoredRows.Row] {
        var other = try await Bench(0, space: encoder.space.id)
        other.careers = careers
        try await other.run()
        return try await other.rows()
    }

    func texts(of careers: [Career]) -> Int {
        Set(careers.flatMap { CareerTexts($0).all(for: encoder.space) }).count
    }
}

@Suite struct `Re-embedding` {
    /// Careers of a stored block.
    private static let blockRows = 64

    @Test func `embeds everything once, and a second run makes nothing new`() async throws {
        let bench = try await Bench()
        let report = try await bench.run()
        #expect(report.isComplete && report.isSwitched && report.embedded == 150 && report.reused == 0)
        #expect(report.texts == bench.texts(of: bench.careers))
        #expect(report.sampled == 8 && report.greatestDifference < 1e-6)
        let rows = try await bench.rows()
        #expect(Set(rows.keys) == Set(bench.careers.map(\.id)))
        for (id, row) in rows {
            let norm = row.values.reduce(0) { $0 + Double($1) * Double($1) }
            #expect(abs(norm - 1) < 1e-5, "\(id)")
        }
        let record = try #require(try await bench.reembedder.current())
        #expect(record.rowCount == 150 && record.spaceID == "words@1" && record.id == report.generation)
        let document = try #require(record.document)
        #expect(try JSONDecoder().decode(ReembedReport.self, from: Data(document.utf8)).embedded == 150)

        let (asked, revision) = (bench.asked, try await CareerRepository(bench.database).revision())
        let second = try await bench.run()
        #expect(bench.asked == asked && second.embedded == 0 && second.reused == 150)
        #expect(second.isComplete && !second.isSwitched && second.generation == record.id)
        #expect(try await bench.reembedder.current() == record)
        #expect(try await bench.reembedder.building() == nil)
        #expect(try await CareerRepository(bench.database).revision() == revision)
    }

    @Test func `embeds only what changed`() async throws {
        var bench = try await Bench()
        try await bench.run()
        let before = try await bench.rows()
        bench.careers[3].description += " with something more"
        bench.careers[70].aliases.append("another title")
        bench.careers[149].requiredSkills.append("another skill")
        // What is not embedded changes nothing.
        bench.careers[9].cluster = "elsewhere"
        bench.careers[10].salary = SalaryRange(min: 1, max: 2, currency: "EUR", year: 2_025)
        bench.careers[11].abilities[0] = 5
        // One goes, one comes.
        let gone = bench.careers.remove(at: 100)
        bench.careers.append(MadeUpCareers.make(number: 777))
        let changed = [bench.careers[3], bench.careers[70], bench.careers[148], bench.careers[149]]

        let asked = bench.asked
        let report = try await bench.run()
        #expect(report.embedded == 4 && report.reused == 146 && report.isSwitched)
        #expect(report.texts == bench.texts(of: changed))
        // Beside them only the sample of the check is embedded: eight careers of at most four texts each.
        #expect(bench.asked - asked > report.texts && bench.asked - asked <= report.texts + 8 * 4)
        let after = try await bench.rows()
        #expect(Set(after.keys) == Set(bench.careers.map(\.id)) && after[gone.id] == nil)
        for career in bench.careers where !changed.contains(career) {
            #expect(after[career.id] == before[career.id], "\(career.id)")
        }
        #expect(try await StoredRows.difference(after, bench.fresh()) < 1e-6)
    }

    @Test func `a career that only goes needs no new generation`() async throws {
        var bench = try await Bench(20)
        let first = try await bench.run()
        bench.careers.removeLast(5)
        let report = try await bench.run()
        #expect(report.isComplete && !report.isSwitched && report.generation == first.generation)
    }

    @Test func `makes everything anew when forced to, each time`() async throws {
        let bench = try await Bench(70)
        let first = try await bench.run()
        let rows = try await bench.rows()
        var generations: Set<Int64?> = [first.generation]
        for _ in 0..<3 {
            let asked = bench.asked
            let report = try await bench.run(isForced: true)
            #expect(report.embedded == 70 && report.reused == 0 && report.resumed == 0 && report.isSwitched)
            #expect(bench.asked - asked >= bench.texts(of: bench.careers))
            #expect(generations.insert(report.generation).inserted)
            #expect(try await StoredRows.difference(rows, bench.rows()) < 1e-6)
        }
    }

    @Test(arguments: [1, 7, 63, 64, 65, 100, 149])
    func `a limit stops it, and the next runs go on to the same result`(limit: Int) async throws {
        let bench = try await Bench()
        var (runs, embedded) = (0, 0)
        while true {
            let report = try await bench.run(limit: limit)
            embedded += report.embedded
            runs += 1
            #expect(report.embedded <= limit && report.embedded + report.resumed <= 150)
            if report.isComplete { break }
            #expect(!report.isSwitched && report.embedded == limit)
            #expect(try await bench.reembedder.current() == nil)
            #expect(try await bench.reembedder.building() != nil)
            try #require(runs < 200)
        }
        #expect(embedded == 150 && runs == (150 + limit - 1) / limit)
        #expect(try await StoredRows.difference(bench.rows(), bench.fresh()) < 1e-6)
    }

    @Test func `a limit that is enough for what changed is enough`() async throws {
        var bench = try await Bench()
        try await bench.run()
        bench.careers[0].description += " more"
        let report = try await bench.run(limit: 1)
        #expect(report.isComplete && report.isSwitched && report.embedded == 1)
        bench.careers[1].description += " more"
        #expect(try await bench.run(limit: 0).isComplete == false)
        #expect(try await bench.run(limit: 0).isComplete == false)
        #expect(try await bench.run(limit: 1).isComplete)
    }

    @Test func `a forced run that a limit stopped goes on by being forced again`() async throws {
        let bench = try await Bench()
        try await bench.run()
        var (embedded, runs) = (0, 0)
        while true {
            let report = try await bench.run(isForced: true, limit: 40)
            embedded += report.embedded
            runs += 1
            if report.isComplete { break }
            try #require(runs < 20)
        }
        #expect(embedded == 150 && runs == 4)
    }

    @Test func `an interrupted first run goes on where it was, wherever it stopped`() async throws {
        let total = try await Bench().texts(of: MadeUpCareers.make(150))
        for stop in stride(from: 0, to: total, by: 23) {
            let bench = try await Bench()
            bench.fail(after: stop)
            await #expect(throws: VectorizerFailure.self, "stopped after \(stop)") { try await bench.run() }
            #expect(try await bench.reembedder.current() == nil)
            bench.fail(after: nil)
            let report = try await bench.run()
            #expect(report.resumed + report.embedded == 150 && report.isComplete, "stopped after \(stop)")
            #expect(report.resumed.isMultiple(of: Self.blockRows) || report.resumed == 150, "stopped after \(stop)")
            let rest = bench.careers.sorted { $0.id < $1.id }.dropFirst(report.resumed)
            #expect(report.texts == bench.texts(of: Array(rest)), "stopped after \(stop)")
            #expect(try await StoredRows.difference(bench.rows(), bench.fresh()) < 1e-6, "stopped after \(stop)")
        }
    }

    @Test func `an interrupted run leaves the generation in use as it was`() async throws {
        var bench = try await Bench()
        try await bench.run()
        let (before, record) = (try await bench.rows(), try await bench.reembedder.current())
        for i in bench.careers.indices where i % 2 == 0 { bench.careers[i].description += " changed" }
        // About 100 texts for a block: some of these get through one, and none through all.
        for stop in [0, 60, 120, 100, 0] {
            bench.fail(after: stop)
            await #expect(throws: VectorizerFailure.self) { try await bench.run() }
            #expect(try await bench.rows() == before, "stopped after \(stop)")
            #expect(try await bench.reembedder.current() == record, "stopped after \(stop)")
        }
        bench.fail(after: nil)
        let report = try await bench.run()
        // What the interrupted runs wrote, changed or not, is taken from their blocks.
        #expect(report.isSwitched && report.reused + report.resumed + report.embedded == 150)
        #expect(report.resumed >= Self.blockRows && report.embedded < 75)
        #expect(try await StoredRows.difference(bench.rows(), bench.fresh()) < 1e-6)
    }

    @Test func `what fits of an interrupted run is used, even if careers changed meanwhile`() async throws {
        var bench = try await Bench()
        bench.fail(after: bench.texts(of: Array(bench.careers.prefix(128))))
        await #expect(throws: VectorizerFailure.self) { try await bench.run() }
        bench.fail(after: nil)
        bench.careers[5].description += " changed"
        bench.careers.remove(at: 20)
        bench.careers.append(MadeUpCareers.make(number: 999))
        let report = try await bench.run()
        // 128 rows were written; one is of a career that went, one of another text.
        #expect(report.resumed == 126 && report.embedded == 150 - 126 && report.isComplete)
        #expect(try await StoredRows.difference(bench.rows(), bench.fresh()) < 1e-6)
        #expect(try await bench.reembedder.building() == nil)
    }

    @Test func `a damaged block of an interrupted run is not used`() async throws {
        let bench = try await Bench()
        bench.fail(after: bench.texts(of: Array(bench.careers.prefix(128))))
        await #expect(throws: VectorizerFailure.self) { try await bench.run() }
        bench.fail(after: nil)
        let building = try #require(try await bench.reembedder.building())
        let blocks = try await GenerationRepository(bench.database).blocks(of: building.id)
        #expect(blocks.count == 2)
        var bytes = blocks[0].bytes
        bytes[bytes.count - 1] ^= 1
        try await StoredRows.setBytes(bytes, ofBlock: 0, in: building.id, bench.database)
        let report = try await bench.run()
        #expect(report.resumed == 127 && report.embedded == 23 && report.isComplete)
        #expect(try await StoredRows.difference(bench.rows(), bench.fresh()) < 1e-6)
    }

    @Test func `rows that come out otherwise when computed again are thrown away`() async throws {
        var bench = try await Bench()
        try await bench.run()
        let (before, record) = (try await bench.rows(), try await bench.reembedder.current())
        for i in bench.careers.indices { bench.careers[i].description += " changed" }
        bench.vectorizer.textsBeforeConfusion.withLock { $0 = bench.texts(of: bench.careers) }
        let error = await #expect(throws: ReembedError.self) { try await bench.run() }
        guard case .checkFailed(let problems)? = error else { return #expect(Bool(false), "\(error as Any)") }
        #expect(problems.count == 8 && problems.allSatisfy { $0.contains("career-") })
        #expect(try await bench.rows() == before)
        #expect(try await bench.reembedder.current() == record)
        #expect(try await bench.reembedder.building() == nil)
        bench.vectorizer.textsBeforeConfusion.withLock { $0 = nil }
        #expect(try await bench.run().isSwitched)
    }

    @Test func `one lane is one lane, in the check too`() async throws {
        var bench = try await Bench(8)
        // Texts of several portions, in every career: more lanes would take them side by side.
        for i in bench.careers.indices {
            bench.careers[i].description = (0..<1_500).map { MadeUpCareers.word(i * 10_000 + $0) }.joined(
                separator: " ")
        }
        let report = try await bench.reembedder.run(bench.careers, encoder: bench.encoder, options: .init(lanes: 1))
        #expect(report.isSwitched && report.sampled == 8)
        #expect(bench.vectorizer.underWay.withLock { $0.most } == 1)
    }

    @Test func `goes back to the generation before, and forth again`() async throws {
        var bench = try await Bench(30)
        await #expect(throws: ReembedError.noPrevious) { try await bench.reembedder.rollback() }
        try await bench.run()
        await #expect(throws: ReembedError.noPrevious) { try await bench.reembedder.rollback() }
        let (old, oldID) = (try await bench.rows(), try await bench.reembedder.current()?.id)
        bench.careers[0].description += " changed"
        try await bench.run()
        let (new, newID) = (try await bench.rows(), try await bench.reembedder.current()?.id)
        #expect(old != new && oldID != newID)
        for (rows, id) in [(old, oldID), (new, newID), (old, oldID)] {
            let revision = try await CareerRepository(bench.database).revision()
            #expect(try await bench.reembedder.rollback().id == id)
            #expect(try await bench.rows() == rows)
            // Served processes look for a new revision.
            #expect(try await CareerRepository(bench.database).revision() == revision + 1)
        }
        // The next run mends what the rollback made old, from the rows that were rolled back.
        let report = try await bench.run()
        #expect(report.embedded == 0 && report.reused == 30 && report.isSwitched)
        #expect(try await bench.rows() == new)
    }

    @Test func `texts that come back are not embedded again`() async throws {
        var bench = try await Bench()
        try await bench.run()
        let (earlier, rows) = (bench.careers, try await bench.rows())
        for i in 0..<100 { bench.careers[i].description += " changed" }
        bench.careers.removeLast(20)
        #expect(try await bench.run().embedded == 100)
        bench.careers = earlier
        let report = try await bench.run()
        #expect(report.embedded == 0 && report.texts == 0 && report.reused == 150 && report.isSwitched)
        #expect(try await bench.rows() == rows)
        // Who asks for everything gets everything made anew.
        #expect(try await bench.run(isForced: true).embedded == 150)
    }

    @Test func `a damaged generation before lends its sound rows alone`() async throws {
        var bench = try await Bench()
        try await bench.run()
        let (earlier, rows) = (bench.careers, try await bench.rows())
        let record = try #require(try await bench.reembedder.current())
        for i in bench.careers.indices { bench.careers[i].description += " changed" }
        try await bench.run()
        try await StoredRows.setBytes([1, 2, 3], ofBlock: 1, in: record.id, bench.database)
        bench.careers = earlier
        let report = try await bench.run()
        #expect(report.embedded == Self.blockRows && report.reused == 150 - Self.blockRows)
        #expect(try await StoredRows.difference(bench.rows(), rows) < 1e-6)
    }
}

@Suite struct `What a rollback holds` {
    /// Two generations of 150 careers; in the second, of 90 other texts, come ten new ones. The first is in use again.
    private static func rolledBack() async throws -> (
        bench: Bench, old: [String: StoredRows.Row], new: [String: StoredRows.Row]
    ) {
        var bench = try await Bench()
        try await bench.run()
        let old = try await bench.rows()
        for i in 0..<90 { bench.careers[i].description += " changed" }
        bench.careers += (500..<510).map(MadeUpCareers.make(number:))
        try await bench.run()
        let new = try await bench.rows()
        try await bench.reembedder.rollback()
        return (bench, old, new)
    }

    @Test func `careers keep their rows of earlier texts, and those without any get one`() async throws {
        var (bench, old, new) = try await Self.rolledBack()
        #expect(try await bench.reembedder.isHeld())
        let coverage = try #require(try await bench.reembedder.coverage(of: bench.careers))
        #expect(coverage.isHeld && coverage.model == "words" && coverage.damage.isEmpty)
        #expect(coverage.state.current == 60 && coverage.state.stale == 90 && coverage.state.pending == 10)
        // One that no generation has, and a block that is damaged: careers 64…127, 26 of them with newer texts.
        bench.careers.append(MadeUpCareers.make(number: 777))
        try await StoredRows.setBytes([1], ofBlock: 1, in: coverage.generation.id, bench.database)
        let previous = try await GenerationRepository(bench.database).previous(Reembedder.kind)

        let report = try await bench.run(isUnasked: true)
        // What is missing or damaged is taken from the generation that was rolled back, or embedded.
        #expect(report.isSwitched && report.embedded == 1 && report.reused == 160 && report.stale == 64)
        #expect(report.sampled == 8 && !report.damaged.isEmpty)
        let rows = try await bench.rows()
        #expect(Set(rows.keys) == Set(bench.careers.map(\.id)))
        for career in bench.careers where career.id != "career-0777" {
            let isLost = (64..<128).contains(Int(career.id.suffix(4)) ?? 0)
            #expect(rows[career.id] == (isLost ? new : old)[career.id] ?? new[career.id], "\(career.id)")
        }
        // The rollback is not undone, and can be.
        #expect(try await bench.reembedder.isHeld())
        #expect(try await GenerationRepository(bench.database).previous(Reembedder.kind) == previous)
        let again = try await bench.run(isUnasked: true)
        #expect(!again.isSwitched && again.isComplete && again.stale == 64 && again.reused == 161)
        let built = try await EngineFixture.build(
            bench.careers, encoder: bench.encoder, database: bench.database, quiz: BuiltIn.quiz())
        #expect(built.generation.embedding.stale == 64 && built.generation.embedding.current == 161 - 64)
        #expect(built.generation.embedding.generation == report.generation && built.statistics.careers == 161)

        // Asked for, the newer texts' vectors come back, without being embedded again.
        let asked = try await bench.run()
        #expect(asked.isSwitched && asked.embedded == 0 && asked.stale == 0)
        #expect(try await bench.reembedder.isHeld() == false)
        #expect(try await StoredRows.difference(bench.rows(), bench.fresh()) < 1e-6)
    }

    @Test func `a build embeds what has no row, and counts the rest as stale`() async throws {
        var (bench, _, _) = try await Self.rolledBack()
        bench.careers.append(MadeUpCareers.make(number: 777))
        let generation = try await bench.reembedder.current()?.id
        for (completing, pending) in [(.never, 11), (.upTo(10), 11), (.upTo(11), 0)]
            as [(CareerGenerationBuilder.Completion, Int)]
        {
            let built = try await EngineFixture.build(
                bench.careers, encoder: bench.encoder, database: bench.database, quiz: BuiltIn.quiz(),
                completing: completing)
            let state = built.generation.embedding
            #expect(state.stale == 90 && state.pending == pending && state.current == 161 - 90 - pending)
            #expect(built.generation.careers.count == 161 - pending)
            #expect((state.generation == generation) == (pending > 0))
        }
    }

    @Test func `keeping stale rows embeds the others from their own texts`() async throws {
        var bench = try await Bench(30)
        try await bench.run()
        let before = try await bench.rows()
        bench.careers[3].description += " changed"
        bench.careers.append(MadeUpCareers.make(number: 500))
        let report = try await bench.run(keepsStale: true)
        #expect(report.embedded == 1 && report.stale == 1 && report.reused == 30)
        let rows = try await bench.rows()
        for (id, row) in before { #expect(rows[id] == row) }
        let fresh = try await bench.fresh()
        #expect(rows["career-0500"]?.hash == fresh["career-0500"]?.hash)
        // The generation was replaced; there is none before it still.
        await #expect(throws: ReembedError.noPrevious) { try await bench.reembedder.rollback() }
    }

    @Test func `who was not asked leaves another model's vectors in use`() async throws {
        let bench = try await Bench(20)
        try await bench.run()
        let record = try await bench.reembedder.current()
        let other = EncodingQueue(WordVectorizer(id: "others@1", model: "others"))
        await #expect(throws: ReembedError.otherModel("words")) {
            try await bench.reembedder.run(bench.careers, encoder: other, options: .init(isUnasked: true))
        }
        #expect(try await bench.reembedder.current() == record)
        #expect(try await bench.reembedder.run(bench.careers, encoder: other).isSwitched)
    }

    @Test func `who was not asked leaves another space of the same model in use while it is held`() async throws {
        let database = try await EngineFixture.newDatabase()
        let old = try await Bench(20, database: database)
        try await old.run()
        // Not held: a space of the same model may take the place of another.
        let new = try await Bench(20, database: database, space: "words@2")
        #expect(try await new.run(isUnasked: true).isSwitched)
        let held = try await new.reembedder.rollback()
        #expect(try await new.reembedder.spaceInUse()?.id == "words@1")

        let refusal = ReembedError.held(space: "words@1", made: "words@2")
        #expect("\(refusal)".contains("pathlight reembed"))
        await #expect(throws: refusal) { try await new.run(isUnasked: true) }
        let quiz = try BuiltIn.quiz()
        await #expect(throws: refusal) {
            _ = try await EngineFixture.build(new.careers, encoder: new.encoder, database: database, quiz: quiz)
        }
        #expect(try await new.reembedder.current() == held)
        #expect(try await new.reembedder.isHeld())
        // Who makes vectors of the space that is held goes on.
        #expect(try await old.run(isUnasked: true).isSwitched == false)

        #expect(try await new.run().isSwitched)
        #expect(try await new.reembedder.isHeld() == false)
        #expect(try await new.reembedder.spaceInUse()?.id == "words@2")
    }

    @Test(
        arguments: [
            ("{}", "float32"), ("", "float32"), (#"{"model":"m","precision":"float32"}"#, "float32"),
            (#"{"precision":"int8"}"#, "int8"), (#"{"precision":"int2"}"#, nil),
        ] as [(String, String?)])
    func `the precision of stored vectors is that of their space's description`(description: String, name: String?) {
        let space = SpaceRecord(id: "m@1", modelID: "m", weightsSHA256: "00", description: description)
        #expect(space.precision == name.flatMap(EncoderPrecision.init(rawValue:)))
    }
}

@Suite struct `Re-embedding by several` {
    @Test func `the second is told that it is busy, and takes over when the first is gone`() async throws {
        let bench = try await Bench(20)
        let first = try #require(try bench.database.lock("reembed"))
        let second = Reembedder(bench.database)
        await #expect(throws: ReembedError.busy) { try await second.run(bench.careers, encoder: bench.encoder) }
        await #expect(throws: ReembedError.busy) { try await second.rollback() }
        #expect(bench.asked == 0)
        first.release()
        #expect(try await second.run(bench.careers, encoder: bench.encoder).isSwitched)
        // Given back at the end: a third need not wait.
        #expect(try bench.database.lock("reembed") != nil)
    }

    @Test func `several at once leave one sound generation`() async throws {
        let bench = try await Bench()
        let outcomes = await withTaskGroup(of: Result<ReembedReport, any Error>.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    do {
                        return .success(
                            try await Reembedder(bench.database).run(bench.careers, encoder: bench.encoder))
                    } catch {
                        return .failure(error)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var switched = 0
        for outcome in outcomes {
            switch outcome {
            case .success(let report): switched += report.isSwitched ? 1 : 0
            case .failure(let error): #expect(error as? ReembedError == .busy)
            }
        }
        #expect(switched == 1)
        #expect(try await StoredRows.difference(bench.rows(), bench.fresh()) < 1e-6)
    }
}

@Suite struct `A new model` {
    @Test func `keeps the old generation in use until its own is whole`() async throws {
        let database = try await EngineFixture.newDatabase()
        let old = try await Bench(150, database: database)
        try await old.run()
        let rows = try await old.rows()
        let new = try await Bench(150, database: database, space: "words@2")
        #expect(try await new.run(limit: 100).isComplete == false)
        #expect(try await old.rows() == rows)
        #expect(try await old.reembedder.current()?.spaceID == "words@1")
        // The old model's texts are still all there: nothing to do for it.
        #expect(try await old.run().embedded == 0)
        let report = try await new.run()
        #expect(report.isSwitched && report.resumed == 100 && report.embedded == 50 && report.reused == 0)
        #expect(try await new.reembedder.current()?.spaceID == "words@2")
        #expect(try await new.reembedder.modelInUse() == "words")
        #expect(try await new.reembedder.rollback().spaceID == "words@1")
        #expect(try await old.rows() == rows)
        // Back to the new model: its rows are those of the generation before.
        let again = try await new.run()
        #expect(again.isSwitched && again.embedded == 0 && again.reused == 150)
    }

    @Test func `a shadow of one model is not resumed by another`() async throws {
        let database = try await EngineFixture.newDatabase()
        let old = try await Bench(150, database: database)
        _ = try await old.run(limit: 64)
        let new = try await Bench(150, database: database, space: "words@2")
        let report = try await new.run()
        #expect(report.resumed == 0 && report.embedded == 150)
        #expect(try await StoredRows.difference(new.rows(), new.fresh()) < 1e-6)
    }

    @Test func `is never asked about careers of another`() async throws {
        let database = try await EngineFixture.newDatabase()
        let first = try await EngineFixture(database: database, careers: MadeUpCareers.make(40))
        let other = EncodingQueue(WordVectorizer(id: "words@2"))
        let next = try await EngineFixture.build(
            first.careers, encoder: other, database: database, quiz: first.quiz)
        #expect(next.generation.space?.id == "words@2" && next.statistics.reused == 0)
        // Each generation with its own encoder answers; crossed, neither does.
        let recommender = first.recommender
        _ = try await recommender.recommend(RecommendationRequest(text: "wordbc things"))
        recommender.publish(next.generation, encoder: other)
        _ = try await recommender.recommend(RecommendationRequest(text: "wordbc things"))
        recommender.publish(next.generation, encoder: first.encoder)
        await #expect(throws: SpaceMismatch(encoder: "words@1", generation: "words@2")) {
            try await recommender.recommend(RecommendationRequest(text: "wordbc things"))
        }
    }

    @Test func `leaves older pages to the old encoder`() async throws {
        let database = try await EngineFixture.newDatabase()
        let first = try await EngineFixture(database: database, careers: MadeUpCareers.make(40))
        let request = RecommendationRequest(text: "wordbc things")
        let before = try await first.recommender.recommend(request)
        let other = EncodingQueue(WordVectorizer(id: "words@2"))
        let next = try await EngineFixture.build(first.careers, encoder: other, database: database, quiz: first.quiz)
        first.recommender.publish(next.generation, encoder: other)
        var page = request
        page.generation = before.generation
        let again = try await first.recommender.recommend(page)
        #expect(again.generation == before.generation && again.generation != next.generation.number)
        #expect(again.recommendations.map(\.score.bitPattern) == before.recommendations.map(\.score.bitPattern))
    }
}
