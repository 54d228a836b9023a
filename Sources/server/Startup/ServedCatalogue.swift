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
    private let logger: Logger
    private let state: Mutex<State>

    private struct State {
        var model: ActiveModel
        var progress: ReembedProgress?
        /// The revision that was last looked at.
        var revision: Int64
        /// No career of the store has a vector yet: what was served before is served on.
        var waitsForAll = false
        /// The revision at which nothing was left to embed: what is stale there is to stay so.
        var settled: Int64?
        var problems = StandingProblems()
    }

    private init(
        recommender: Recommender, database: any SQLDatabase, builder: CareerGenerationBuilder,
        settings: ServiceSettings, logger: Logger, model: ActiveModel, revision: Int64
    ) {
        self.recommender = recommender
        self.database = database
        self.builder = builder
        self.settings = settings
        self.logger = logger
        state = Mutex(State(model: model, progress: nil, revision: revision))
    }

    var model: ActiveModel { state.withLock { $0.model } }

    /// How far the re-embedding that this process does is; nil where it does none.
    var progress: ReembedProgress? { state.withLock { $0.progress } }

    /// What keeps this process from serving the latest catalogue with its own vectors; nil where nothing does.
    var problem: String? { state.withLock { $0.problems.summary } }

    /// Remembers a problem; whether it is news.
    func note(_ problem: String, in step: StandingProblems.Step) -> Bool {
        state.withLock { $0.problems.note(problem, in: step) }
    }

    /// Forgets the problem of a step; gives what it was.
    func mended(_ step: StandingProblems.Step) -> String? { state.withLock { $0.problems.mended(step) } }

    static func open(
        database: any SQLDatabase, quiz: Quiz, comparison: AbilityComparison, settings: ServiceSettings,
        completing: CareerGenerationBuilder.Completion, logger: Logger
    ) async throws -> ServedCatalogue {
        let content = try await CatalogueContent.read(from: database)
        let model = try await ActiveModel.load(
            try await modelID(in: database, settings: settings, logger: logger), settings: settings,
            limits: settings.embedding)
        if let degradation = model.degradation {
            logger.warning(
                "degraded", metadata: ["reason": "\(degradation.reason.rawValue)", "detail": "\(degradation.detail)"])
        }
        let builder = CareerGenerationBuilder(
            database: database, quiz: quiz, comparison: comparison, indexPlace: settings.indexPlace)
        let generation: CareerGeneration
        let statistics: CareerGenerationBuilder.Statistics
        do {
            (generation, statistics) = try await builder.build(
                content, encoder: model.encoder, degradation: model.degradation, completing: completing
            ) { progress in
                logger.info("embedding careers", metadata: ["done": "\(progress.done)", "of": "\(progress.total)"])
            }
        } catch ReembedError.otherModel {
            // Another process has just changed it.
            return try await open(
                database: database, quiz: quiz, comparison: comparison, settings: settings, completing: completing,
                logger: logger)
        }
        let catalogue = ServedCatalogue(
            recommender: Recommender(generation: generation, encoder: model.encoder), database: database,
            builder: builder, settings: settings, logger: logger, model: model,
            revision: Int64(clamping: generation.number))
        catalogue.report(generation, statistics)
        return catalogue
    }

    /// The model of the vectors in use; the settings decide only where there are none.
    private static func modelID(
        in database: any SQLDatabase, settings: ServiceSettings, logger: Logger
    ) async throws -> String {
        guard let inUse = try await Reembedder(database).modelInUse(), inUse != settings.model else {
            return settings.model
        }
        logger.warning(
            "the settings name another model than the careers are embedded with; the latter is used",
            metadata: [
                "settings": "\(settings.model)", "used": "\(inUse)",
                "to change": "pathlight reembed --model \(settings.model)",
            ])
        return inUse
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

    // MARK: Keeping in step

    /// Counts up with every change that there is to follow.
    func storedRevision() async throws -> Int64 { try await CareerRepository(database).revision() }

    /// Serves what the store has now, if that is another state than what is served.
    func follow() async throws {
        let revision = try await storedRevision()
        guard revision != state.withLock({ $0.revision }) else { return }
        let content = try await CatalogueContent.read(from: database)
        let model = try await followModel()
        do {
            let (generation, statistics) = try await builder.build(
                content, encoder: model.encoder, degradation: model.degradation, completing: .never)
            recommender.publish(generation, encoder: model.encoder)
            report(generation, statistics)
            state.withLock { $0.waitsForAll = false }
        } catch CatalogueError.empty where !content.careers.isEmpty {
            state.withLock { $0.waitsForAll = true }
        }
        state.withLock { state in
            state.revision = content.revision
            state.model = model
        }
    }

    /// Whether careers are left that may need a vector.
    private var isIncomplete: Bool {
        let embedding = recommender.current.embedding
        return state.withLock { state in
            state.settled != state.revision && (embedding.stale + embedding.pending > 0 || state.waitsForAll)
        }
    }

    /// The model of the vectors in use now; the present one where it cannot be loaded.
    private func followModel() async throws -> ActiveModel {
        let present = model
        guard let inUse = try await Reembedder(database).modelInUse(), inUse != present.id else { return present }
        let next = try await ActiveModel.load(inUse, settings: settings, limits: settings.embedding)
        if let degradation = next.degradation {
            logger.error(
                "the careers were re-embedded with a model that is not usable here",
                metadata: ["model": "\(inUse)", "detail": "\(degradation.detail)"])
        }
        return next
    }

    /// Embeds what has no fitting vector; while a rollback is held, what has none at all.
    func complete() async throws {
        guard isIncomplete, let encoder = model.encoder else { return }
        let content = try await CatalogueContent.read(from: database)
        defer { state.withLock { $0.progress = nil } }
        // One core for the vectors, the others for requests.
        let report = try await Reembedder(database).run(
            content.careers, encoder: encoder, options: .init(lanes: 1, isUnasked: true)
        ) { progress in
            state.withLock { $0.progress = progress }
        }
        guard report.isSwitched else {
            state.withLock { $0.settled = content.revision }
            return
        }
        logger.notice(
            "careers re-embedded",
            metadata: [
                "embedded": "\(report.embedded)", "reused": "\(report.reused + report.resumed)",
                "seconds": "\(report.seconds)", "generation": "\(report.generation ?? 0)",
            ])
    }
}
