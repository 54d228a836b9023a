package import Foundation
package import Store
package import VectorIndex

/// Makes generations of careers from what the store has: rows and phrases whose texts are unchanged are read, the others
/// embedded.
package struct CareerGenerationBuilder: Sendable {
    /// What to do about careers whose vector is missing or of an earlier text; while a rollback is held, about those
    /// alone that have none.
    package enum Completion: Sendable, Equatable {
        /// Embed them before the generation is built.
        case always
        /// Embed them if there are at most so many, or if there is no generation at all yet; otherwise serve what is
        /// there, and leave the rest to whoever watches the catalogue.
        case upTo(Int)
        case never
    }

    /// What building a generation took, for logs and metrics.
    package struct Statistics: Sendable, Equatable {
        package var careers = 0
        /// Rows and phrases read from the store, and made anew.
        package var reused = 0
        package var embedded = 0
        /// Stored vectors that failed their checks.
        package var damaged: [String] = []
        /// What was wrong with the file that the index is kept in.
        package var indexFile: [String] = []
    }

    private let database: any SQLDatabase
    private let facts: GenerationFactRepository
    private let phrases: PhraseVectors
    private let quiz: Quiz
    private let comparison: AbilityComparison
    private let layout: RowLayout
    private let indexPlace: IndexPlace?
    private let clock: @Sendable () -> Date

    /// - Parameter indexPlace: where the index is kept between starts; nil for nowhere.
    package init(
        database: any SQLDatabase, quiz: Quiz, comparison: AbilityComparison = .centred,
        indexPlace: IndexPlace? = nil, clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.indexPlace = indexPlace
        self.database = database
        self.clock = clock
        facts = GenerationFactRepository(database, clock: clock)
        phrases = PhraseVectors(database, clock: clock)
        self.quiz = quiz
        self.comparison = comparison
        layout = .standard
    }

    /// Builds a generation of the catalogue.
    ///
    /// - Parameters:
    ///   - encoder: nil where there is no model; careers are then ranked by abilities alone.
    ///   - degradation: why there is none.
    ///   - progress: of embedding, if there is any to do.
    /// - Throws: `CatalogueError.empty`; `.invalidCareer` where two ids are the same text; `ReembedError`, an error of
    ///   the encoder (of one outside, `VectorsUnavailable`) or of the store.
    package func build(
        _ content: CatalogueContent, encoder: EncodingQueue?, degradation: Degradation?,
        completing: Completion = .always, progress: @Sendable (ReembedProgress) -> Void = { _ in }
    ) async throws -> (generation: CareerGeneration, statistics: Statistics) {
        guard !content.careers.isEmpty else { throw CatalogueError.empty }
        let careers = content.careers
        try await OwnThread.run { try Self.requireDistinctIDs(careers) }
        var content = content
        var statistics = Statistics(careers: content.careers.count)
        var rows = CareerRows.empty
        var phraseVectors: [String: [Float]] = [:]
        if let encoder {
            rows = try await completed(&content, encoder, completing, progress, &statistics)
            phraseVectors = try await phrases.vectors(of: quiz, encoder: encoder, statistics: &statistics)
        }
        let weights = try await AbilityWeightSetting.read(from: database)
        let plan = BuildPlan(
            content: content, encoder: encoder, degradation: degradation, rows: rows, phraseVectors: phraseVectors,
            abilityWeights: weights)
        // Some tenths of a second of arithmetic for a thousand careers: not on the threads that answer requests.
        let generation: CareerGeneration
        (generation, statistics.indexFile) = try await OwnThread.run { [self] in try assemble(plan) }
        if let encoder {
            try await facts.set("calibration", of: encoder.space.id, to: try Self.summary(of: generation.calibration))
        }
        return (generation, statistics)
    }

    /// The store tells ids apart by their bytes; here those that look alike are the same (“ä” as one scalar or two).
    private static func requireDistinctIDs(_ careers: [Career]) throws {
        var ids: Set<String> = []
        for career in careers where !ids.insert(career.id).inserted {
            throw CatalogueError.invalidCareer(id: career.id, problem: "its id is used twice")
        }
    }

    /// Makes the vectors of the quiz's phrases that are missing, so that a later `build` finds them.
    ///
    /// - Throws: an error of the encoder or of the store.
    package func preparePhrases(_ encoder: EncodingQueue) async throws {
        var statistics = Statistics()
        _ = try await phrases.vectors(of: quiz, encoder: encoder, statistics: &statistics)
    }

    // MARK: Rows

    /// The rows in use, after embedding what `completing` asks for.
    private func completed(
        _ content: inout CatalogueContent, _ encoder: EncodingQueue, _ completing: Completion,
        _ progress: @Sendable (ReembedProgress) -> Void, _ statistics: inout Statistics
    ) async throws -> CareerRows {
        let reembedder = Reembedder(database, clock: clock)
        var rows = try await reembedder.rows(of: encoder.space)
        statistics.damaged = rows.damage
        let (careers, known) = (content.careers, rows)
        let state = try await OwnThread.run { known.state(of: careers) }
        let misfits = try await reembedder.isHeld() ? state.pending : state.stale + state.pending
        statistics.reused = content.careers.count - misfits
        let isDue =
            switch completing {
            case .always: true
            case .upTo(let count): misfits <= count || rows.generation == nil
            case .never: false
            }
        guard isDue, misfits > 0 || rows.generation == nil || !rows.damage.isEmpty else { return rows }
        let report: ReembedReport
        do {
            report = try await reembedder.run(
                content.careers, encoder: encoder, options: .init(isUnasked: true), progress: progress)
        } catch ReembedError.busy {
            // Another process makes these vectors. Who can serve meanwhile does, the others wait.
            if completing != .always, rows.generation != nil { return rows }
            try await Task.sleep(for: .milliseconds(200))
            return try await completed(&content, encoder, completing, progress, &statistics)
        } catch is VectorsUnavailable where rows.generation != nil {
            // A provider outside is down: what there is can be served, and the rest is left to whoever watches.
            return rows
        }
        statistics.reused = report.reused + report.resumed
        statistics.embedded = report.embedded
        rows = try await reembedder.rows(of: encoder.space)
        // Putting the vectors in use counted the revision up by one. If it went further, the careers themselves changed
        // meanwhile, and keeping the old number makes whoever watches read them again.
        let revision = try await CareerRepository(database).revision()
        if revision == content.revision + 1 { content.revision = revision }
        return rows
    }

    // MARK: From rows to a generation

    private struct BuildPlan: Sendable {
        let content: CatalogueContent
        let encoder: EncodingQueue?
        let degradation: Degradation?
        let rows: CareerRows
        let phraseVectors: [String: [Float]]
        let abilityWeights: [Double]?
    }

    private func assemble(_ plan: BuildPlan) throws -> (CareerGeneration, indexFile: [String]) {
        var state = EmbeddingState()
        state.generation = plan.rows.generation?.id
        var careers: [Career] = []
        var absent = Dictionary(plan.content.retired.map { ($0, CareerAbsence.retired) }) { first, _ in first }
        for career in plan.content.careers {
            guard plan.encoder != nil else {
                careers.append(career)
                continue
            }
            let found = plan.rows.hash(of: career.id)
            state.count(found, wanted: CareerTexts(career).hash)
            guard found != nil else {
                // Without a vector it would rank below everything; it appears once it has one.
                absent[career.id] = .pending
                continue
            }
            careers.append(career)
        }
        guard !careers.isEmpty else { throw CatalogueError.empty }
        // Retired under an id of other bytes, served under this one.
        for career in careers { absent[career.id] = nil }
        let frame = AbilityFrame(
            profiles: careers.map(\.abilities), comparison: comparison, weights: plan.abilityWeights)
        let mixed = CareerAttributes.mixedNames(of: careers)
        let items = careers.map { career in
            let abilities = frame.unitVector(career.abilities)
            let attributes = CareerAttributes.indexed(career, mixed: mixed)
            guard let rows = plan.rows.rows, let position = plan.rows.position(of: career.id) else {
                return IndexItem(
                    id: ItemID(career.id), embedding: [], abilities: abilities, cluster: career.cluster,
                    attributes: attributes)
            }
            return IndexItem(
                id: ItemID(career.id), row: position, of: rows, abilities: abilities, cluster: career.cluster,
                attributes: attributes)
        }
        let (live, notes) =
            try indexPlace.map { try LiveIndex.kept(items, at: $0, layout: layout) }
            ?? (LiveIndex(layout: layout), [])
        let index = indexPlace == nil ? try live.replaceAll(with: items) : live.current
        let space = plan.encoder?.space
        let centres = space.map { PhraseVectors.centres(of: quiz, plan.phraseVectors, in: $0) } ?? []
        let calibration = ReferenceQueries(
            quiz: quiz, space: space, phraseVectors: plan.phraseVectors, centres: centres, frame: frame
        ).calibrate(on: index)
        let generation = CareerGeneration(
            number: UInt64(max(plan.content.revision, 0)), index: index,
            careers: Dictionary(uniqueKeysWithValues: careers.map { ($0.id, $0) }), absent: absent, frame: frame,
            space: space, calibration: calibration, degradation: plan.degradation, sources: plan.content.sources,
            embedding: state, quizCentres: centres, phraseVectors: plan.phraseVectors)
        return (generation, notes)
    }

    private struct CalibrationSummary: Encodable {
        let lambda: Float
        let textSpread: Double
        let abilitySpread: Double
        let textMean: Double
        let abilityMean: Double
    }

    private static func summary(of calibration: Calibration) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let summary = CalibrationSummary(
            lambda: calibration.lambda, textSpread: calibration.textSpread, abilitySpread: calibration.abilitySpread,
            textMean: calibration.textMean, abilityMean: calibration.abilityMean)
        return String(decoding: try encoder.encode(summary), as: UTF8.self)
    }
}

extension TextSpace {
    /// The space as the store keeps it.
    package var record: SpaceRecord {
        SpaceRecord(id: id, modelID: modelID, weightsSHA256: weightsSHA256, description: description)
    }
}
