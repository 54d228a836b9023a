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
        settings: ServiceSettings, logger: Logger, model: ActiveModel, revision: Int64, waitsForAll: Bool
    ) {
        self.recommender = recommender
        self.database = database
        self.builder = builder
        self.settings = settings
        self.logger = logger
        state = Mutex(State(model: model, progress: nil, revision: revision, waitsForAll: waitsForAll))
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

    /// - Parameter indexPlace: where the index is kept between starts; nil for nowhere.
    static func open(
        database: any SQLDatabase, quiz: Quiz, comparison: AbilityComparison, settings: ServiceSettings,
        indexPlace: IndexPlace?, completing: CareerGenerationBuilder.Completion, logger: Logger
    ) async throws -> ServedCatalogue {
        let content = try await CatalogueContent.read(from: database)
        let choice = try await modelToLoad(in: database, settings: settings, logger: logger)
        let model = try await ActiveModel.load(
            choice.id, precision: choice.precision, settings: settings, limits: settings.embedding)
        if let degradation = model.degradation {
            logger.warning(
                "degraded", metadata: ["reason": "\(degradation.reason.rawValue)", "detail": "\(degradation.detail)"])
        }
        let builder = CareerGenerationBuilder(
            database: database, quiz: quiz, comparison: comparison, indexPlace: indexPlace)
        let generation: CareerGeneration
        let statistics: CareerGenerationBuilder.Statistics
        var isSetAside = false
        do {
            (generation, statistics) = try await builder.build(
                content, encoder: model.encoder, degradation: model.degradation, completing: completing
            ) { progress in
                logger.info("embedding careers", metadata: ["done": "\(progress.done)", "of": "\(progress.total)"])
            }
        } catch ReembedError.otherModel {
            // Another process has just changed it.
            return try await open(
                database: database, quiz: quiz, comparison: comparison, settings: settings, indexPlace: indexPlace,
                completing: completing, logger: logger)
        } catch let error as ReembedError {
            // Vectors that nobody can ask about here, of other weights or composed in another way: the model waits
            // until they are made anew, which the watcher goes on to say.
            guard case .held = error else { throw error }
            guard try await ModelChoice.read(from: database, settings: settings) == choice else {
                // Somebody has just gone back; of what is in use now the model can be loaded.
                return try await open(
                    database: database, quiz: quiz, comparison: comparison, settings: settings, indexPlace: indexPlace,
                    completing: completing, logger: logger)
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
            database: database, builder: builder, settings: settings, logger: logger, model: model,
            revision: Int64(clamping: generation.number), waitsForAll: isSetAside)
        catalogue.report(generation, statistics)
        return catalogue
    }

    /// The model to load; tells where it is another than the settings have.
    private static func modelToLoad(
        in database: any SQLDatabase, settings: ServiceSettings, logger: Logger
    ) async throws -> ModelChoice {
        let choice = try await ModelChoice.read(from: database, settings: settings)
        if choice.id != settings.model {
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

    /// The model of the vectors in use now, and while a rollback is held, in their precision.
    private func followModel() async throws -> ActiveModel {
        let present = model
        guard try await Reembedder(database).spaceInUse() != nil else { return present }
        let choice = try await ModelChoice.read(from: database, settings: settings)
        guard choice != ModelChoice(id: present.id, precision: present.precision) else { return present }
        let next = try await ActiveModel.load(
            choice.id, precision: choice.precision, settings: settings, limits: settings.embedding)
        if let degradation = next.degradation {
            logger.error(
                "the careers were re-embedded with a model that is not usable here",
                metadata: ["model": "\(choice.id)", "detail": "\(degradation.detail)"])
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
