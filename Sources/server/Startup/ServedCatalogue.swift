internal import Embedder
internal import Engine
internal import Logging
internal import Store
internal import Synchronization
internal import VectorIndex

/// The careers that are served, kept in step with the store: other processes import and re-embed beside this one.
final class ServedCatalogue: Sendable {
    let recommender: Recommender
    private let database: any SQLDatabase
    private let builder: CareerGenerationBuilder
    private let settings: ServiceSettings
    private let outside: OutsideModels
    private let logger: Logger
    private let state: Mutex<State>

    private struct State {
        var model: ActiveModel
        var progress: ReembedProgress?
        /// The revision that was last looked at.
        var revision: Int64
        /// A model outside is yet to be asked for something without which careers are served by their abilities.
        var asksModel: Bool
        /// No career of the store has a vector yet: what was served before is served on, or all by their abilities.
        var waitsForAll = false
        /// The revision at which nothing was left to embed: what is stale there is to stay so.
        var settled: Int64?
        /// What a model outside refuses of that revision.
        var refused: RefusedCareers?
        var problems = StandingProblems()
    }

    private init(
        recommender: Recommender, database: any SQLDatabase, builder: CareerGenerationBuilder,
        settings: ServiceSettings, outside: OutsideModels, logger: Logger, model: ActiveModel, revision: Int64,
        asksModel: Bool, waitsForAll: Bool
    ) {
        self.recommender = recommender
        self.database = database
        self.builder = builder
        self.settings = settings
        self.outside = outside
        self.logger = logger
        state = Mutex(
            State(
                model: model, progress: nil, revision: revision, asksModel: asksModel, waitsForAll: waitsForAll))
    }

    var model: ActiveModel { state.withLock { $0.model } }

    /// Where the database lies, which is for the log alone.
    var location: String { database.location }

    /// How far the re-embedding that this process does is; nil where it does none.
    var progress: ReembedProgress? { state.withLock { $0.progress } }

    /// Why people's texts are not read at present although the careers have vectors; nil where they are.
    var trouble: Degradation? {
        model.remote?.trouble.map {
            Degradation(
                reason: .init(rawValue: $0.reason), detail: "What people write is not read at present: \($0).")
        }
    }

    /// What keeps this process from serving the latest catalogue with its own vectors; nil where nothing does.
    var problem: String? { state.withLock { $0.problems.summary } }

    /// Remembers a problem; whether it is news.
    func note(_ problem: String, in step: StandingProblems.Step) -> Bool {
        state.withLock { $0.problems.note(problem, in: step) }
    }

    /// Forgets the problem of a step; gives what it was.
    func mended(_ step: StandingProblems.Step) -> String? { state.withLock { $0.problems.mended(step) } }

    /// - Parameter indexPlace: where the index is kept between starts; nil for nowhere.
    static func open(
        database: any SQLDatabase, quiz: Quiz, comparison: AbilityComparison, settings: ServiceSettings,
        outside: OutsideModels, indexPlace: IndexPlace?, completing: CareerGenerationBuilder.Completion, logger: Logger
    ) async throws -> ServedCatalogue {
        let content = try await CatalogueContent.read(from: database)
        let choice = try await modelToLoad(in: database, settings: settings, logger: logger)
        let model: ActiveModel
        do {
            model = try await ActiveModel.load(choice, settings: settings, outside: outside).grounded(
                choice.grounding, of: content.careers, in: database, settings: settings, logger: logger
            ) { progress in
                logger.info("embedding titles", metadata: ["done": "\(progress.done)", "of": "\(progress.total)"])
            }
        } catch let error as VectorsUnavailable {
            model = .waiting(for: choice, error)
        }
        if let degradation = model.degradation {
            var metadata: Logger.Metadata = [
                "reason": "\(degradation.reason.rawValue)", "detail": "\(degradation.detail)",
            ]
            if let problem = model.problem, problem != degradation.detail { metadata["problem"] = "\(problem)" }
            logger.warning("degraded", metadata: metadata)
        }
        let builder = CareerGenerationBuilder(
            database: database, quiz: quiz, comparison: comparison, indexPlace: indexPlace)
        let generation: CareerGeneration
        let statistics: CareerGenerationBuilder.Statistics
        var isSetAside = false
        var asksModel = model.isWaitedFor
        // A service answers at once, and has what a provider outside is to make made meanwhile.
        let remote = completing == .always ? nil : model.remote?.withoutAsking
        do {
            (generation, statistics) = try await builder.build(
                content, encoder: remote.map { EncodingQueue($0) } ?? model.encoder, degradation: model.degradation,
                completing: completing
            ) { progress in
                logger.info("embedding careers", metadata: ["done": "\(progress.done)", "of": "\(progress.total)"])
            }
        } catch ReembedError.otherModel {
            // Another process has just changed it.
            return try await open(
                database: database, quiz: quiz, comparison: comparison, settings: settings, outside: outside,
                indexPlace: indexPlace, completing: completing, logger: logger)
        } catch let error as VectorsUnavailable {
            logger.warning("degraded", metadata: ["reason": "\(error.reason)", "detail": "\(error)"])
            let waiting = ActiveModel.waiting(for: choice, error)
            (generation, statistics) = try await builder.build(
                content, encoder: nil, degradation: waiting.degradation, completing: .never)
            isSetAside = true
            asksModel = true
        } catch let error as ReembedError {
            // Vectors that nobody can ask about here, of other weights or composed in another way: the model waits
            // until they are made anew, which the watcher goes on to say.
            guard case .held = error else { throw error }
            guard try await ModelChoice.read(from: database, settings: settings) == choice else {
                // Somebody has just gone back; of what is in use now the model can be loaded.
                return try await open(
                    database: database, quiz: quiz, comparison: comparison, settings: settings, outside: outside,
                    indexPlace: indexPlace, completing: completing, logger: logger)
            }
            logger.warning("degraded", metadata: ["detail": "\(error)"])
            let degradation = Degradation(
                reason: .noModel, detail: "Careers are ranked by abilities alone: \(error).")
            (generation, statistics) = try await builder.build(
                content, encoder: nil, degradation: degradation, completing: .never)
            isSetAside = true
        }
        let catalogue = ServedCatalogue(
            recommender: Recommender(generation: generation, encoder: isSetAside ? nil : model.encoder),
            database: database, builder: builder, settings: settings, outside: outside, logger: logger, model: model,
            revision: Int64(clamping: generation.number), asksModel: asksModel, waitsForAll: isSetAside && !asksModel)
        catalogue.report(generation, statistics)
        catalogue.reportWeakness(of: model)
        return catalogue
    }

    /// The model to load; tells where it is another than the settings have.
    private static func modelToLoad(
        in database: any SQLDatabase, settings: ServiceSettings, logger: Logger
    ) async throws -> ModelChoice {
        let choice = try await ModelChoice.read(from: database, settings: settings)
        // Of one outside the degradation tells.
        if choice.id != settings.model, OutsideModel(choice.id) == nil {
            logger.warning(
                "the settings name another model than the careers are embedded with; the latter is used",
                metadata: [
                    "settings": "\(settings.model)", "used": "\(choice.id)",
                    "to change": "pathlight reembed --model \(settings.model)",
                ])
        }
        if choice.precision != settings.precision {
            logger.warning(
                "a rollback holds vectors of another precision than the settings name; the former is used",
                metadata: [
                    "settings": "\(settings.precision.rawValue)", "used": "\(choice.precision.rawValue)",
                    "to change": "pathlight reembed",
                ])
        }
        return choice
    }

    private func report(_ generation: CareerGeneration, _ statistics: CareerGenerationBuilder.Statistics) {
        for vector in statistics.damaged {
            logger.warning("a stored vector was damaged and set aside", metadata: ["vector": "\(vector)"])
        }
        for note in statistics.indexFile {
            logger.warning("the index file was not used as it was", metadata: ["detail": "\(note)"])
        }
        let embedding = generation.embedding
        logger.info(
            "careers served",
            metadata: [
                "careers": "\(generation.index.count)", "generation": "\(generation.number)",
                "vectors_reused": "\(statistics.reused)", "embedded": "\(statistics.embedded)",
                "stale": "\(embedding.stale)", "pending": "\(embedding.pending)",
            ])
    }

    private func reportWeakness(of model: ActiveModel) {
        guard let weakness = model.remote?.weakness else { return }
        logger.warning("the model outside is not looked after", metadata: ["detail": "\(weakness)"])
    }

    // MARK: Keeping in step

    /// Counts up with every change that there is to follow.
    func storedRevision() async throws -> Int64 { try await CareerRepository(database).revision() }

    /// Serves what the store has now, if that is another state than what is served.
    func follow() async throws {
        let revision = try await storedRevision()
        let (last, asksModel) = state.withLock { ($0.revision, $0.asksModel) }
        guard asksModel || revision != last else { return }
        let content = try await CatalogueContent.read(from: database)
        // A model outside may take its time, or be gone: careers that changed do not wait for it.
        if asksModel || self.model.remote != nil { try await serveWithoutVectors(content) }
        let model: ActiveModel
        do {
            model = try await followModel()
        } catch let error as VectorsUnavailable {
            tell(error)
            throw error
        }
        do {
            let (generation, statistics) = try await builder.build(
                content, encoder: model.encoder, degradation: model.degradation, completing: .never)
            recommender.publish(generation, encoder: model.encoder)
            report(generation, statistics)
            state.withLock { $0.waitsForAll = false }
        } catch CatalogueError.empty where !content.careers.isEmpty {
            try await serveWithoutVectors(content)
            state.withLock { $0.waitsForAll = true }
        }
        state.withLock { state in
            state.revision = content.revision
            state.asksModel = false
            state.model = model
        }
    }

    /// Serves careers by their abilities, where the ones that are served have no vectors either: nothing is lost by it.
    private func serveWithoutVectors(_ content: CatalogueContent) async throws {
        let current = recommender.current
        guard current.space == nil, Int64(clamping: current.number) != content.revision else { return }
        let (generation, statistics) = try await builder.build(
            content, encoder: nil, degradation: current.degradation, completing: .never)
        recommender.publish(generation, encoder: nil)
        report(generation, statistics)
    }

    /// Tells readers why a model outside gives nothing now, where it was for another reason that it gave nothing before.
    private func tell(_ error: VectorsUnavailable) {
        let current = recommender.current
        guard current.space == nil, model.isWaitedFor,
            let degradation = ActiveModel.waiting(for: model.choice, error).degradation,
            degradation != current.degradation
        else { return }
        recommender.publish(CareerGeneration(current, degradation: degradation), encoder: nil)
    }

    /// Whether careers are left that may need a vector.
    private var isIncomplete: Bool {
        let embedding = recommender.current.embedding
        return state.withLock { state in
            state.settled != state.revision && (embedding.stale + embedding.pending > 0 || state.waitsForAll)
        }
    }

    /// The model of the vectors in use now, and while a rollback is held, in their precision.
    private func followModel() async throws -> ActiveModel {
        let present = model
        if !present.isWaitedFor {
            guard try await Reembedder(database).spaceInUse() != nil else { return present }
        }
        let choice = try await ModelChoice.read(from: database, settings: settings)
        guard choice != present.choice || present.isWaitedFor else { return present }
        let careers = choice.grounding == .none ? [] : try await CatalogueContent.read(from: database).careers
        let next = try await ActiveModel.load(choice, settings: settings, outside: outside).grounded(
            choice.grounding, of: careers, in: database, settings: settings, logger: logger)
        reportWeakness(of: next)
        if let degradation = next.degradation, degradation != present.degradation {
            logger.error(
                "the careers were re-embedded with a model that is not usable here",
                metadata: ["model": "\(choice.id)", "detail": "\(next.problem ?? degradation.detail)"])
        }
        return next
    }

    /// Asks a model outside that failed, or that nobody has looked at for a while, whether it answers as before.
    ///
    /// - Throws: `VectorsUnavailable`.
    func checkModel() async throws {
        guard let remote = model.remote, remote.wantsCheck else { return }
        do {
            try await remote.check()
        } catch let error as VectorsUnavailable {
            throw remote.trouble ?? error
        }
    }

    /// Embeds what has no fitting vector; while a rollback is held, what has none at all.
    ///
    /// - Throws: `RefusedCareers`, as long as the careers are those, without asking again; any other error.
    func complete() async throws {
        guard isIncomplete, let encoder = model.encoder else {
            let refused = state.withLock { $0.settled == $0.revision ? $0.refused : nil }
            if let refused { throw refused }
            return
        }
        let content = try await CatalogueContent.read(from: database)
        defer { state.withLock { $0.progress = nil } }
        // One core for the vectors, the others for requests.
        let report = try await Reembedder(database).run(
            content.careers, encoder: encoder, options: .init(lanes: 1, isUnasked: true)
        ) { progress in
            state.withLock { $0.progress = progress }
        }
        guard report.isSwitched else {
            state.withLock { state in
                state.settled = content.revision
                state.refused = report.refused
            }
            if let refused = report.refused { throw refused }
            return
        }
        logger.notice(
            "careers re-embedded",
            metadata: [
                "embedded": "\(report.embedded)", "reused": "\(report.reused + report.resumed)",
                "seconds": "\(report.seconds)", "generation": "\(report.generation ?? 0)",
            ])
        if let refused = report.refused { throw refused }
    }
}
