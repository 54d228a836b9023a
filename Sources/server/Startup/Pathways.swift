internal import Embedder
internal import Engine
internal import Foundation
internal import Logging
internal import Store
internal import VectorIndex

/// Everything that answers requests, put together once: database, encoder, careers, quiz.
struct Pathways: Sendable {
    let database: any SQLDatabase
    let sessions: SessionRepository
    let events: CareerEventRepository
    let quiz: Quiz
    let recommender: Recommender
    /// Nil where there is no usable model.
    let embedder: TextEmbedder?
    let encoder: EncodingQueue?
    let degradation: Degradation?
    let modelID: String

    /// Opens the data, loads the model and builds the careers' index.
    ///
    /// - Throws: `StoreError`, `CatalogueError` or what the encoder throws; each says how to mend it.
    static func open(
        _ settings: ServiceSettings, comparison: AbilityComparison = .centred, logger: Logger
    ) async throws -> Pathways {
        let clock = ContinuousClock()
        let start = clock.now
        let database = try await openDatabase(settings, logger: logger)
        do {
            let quiz = try BuiltInContent.quiz()
            let careers = try await updateCatalogue(in: database, logger: logger)
            let model = await loadModel(settings)
            var embedder: TextEmbedder?
            var encoder: EncodingQueue?
            var degradation: Degradation?
            switch model {
            case .ready(let loaded):
                embedder = loaded
                encoder = EncodingQueue(try ModelVectorizer(loaded))
            case .missing(let reason):
                degradation = reason
                logger.warning(
                    "degraded", metadata: ["reason": "\(reason.reason.rawValue)", "detail": "\(reason.detail)"])
            }
            let builder = CareerGenerationBuilder(database: database, quiz: quiz, comparison: comparison)
            let (generation, statistics) = try await builder.build(
                careers: careers, encoder: encoder, degradation: degradation, in: LiveIndex())
            if let embedder, statistics.embedded == 0 {
                // The first run faults the weights in and starts OpenBLAS's threads: not at somebody's expense.
                _ = try embedder.embedding(of: "warm")
            }
            for vector in statistics.damaged {
                logger.warning("a stored vector was damaged and made anew", metadata: ["vector": "\(vector)"])
            }
            logger.info(
                "careers ready",
                metadata: [
                    "careers": "\(statistics.careers)", "vectors_reused": "\(statistics.reused)",
                    "texts_embedded": "\(statistics.embedded)", "space": "\(encoder?.space.id ?? "none")",
                    "lambda": "\(generation.calibration.lambda)", "seconds": "\((clock.now - start).seconds)",
                ])
            return Pathways(
                database: database, sessions: SessionRepository(database), events: CareerEventRepository(database),
                quiz: quiz, recommender: Recommender(generation: generation, encoder: encoder), embedder: embedder,
                encoder: encoder, degradation: degradation, modelID: settings.model)
        } catch {
            try? await database.close()
            throw error
        }
    }

    static func databasePath(_ settings: ServiceSettings) -> String {
        URL(fileURLWithPath: settings.dataDirectory, isDirectory: true).appendingPathComponent("pathlight.db").path
    }

    static func openDatabase(_ settings: ServiceSettings, logger: Logger) async throws -> any SQLDatabase {
        if let url = settings.databaseURL, !url.isEmpty {
            throw StartProblem(
                "DATABASE_URL is set, and this version keeps its data in SQLite alone; unset it, or name a folder with --data"
            )
        }
        let database = try await SQLiteDatabase.open(SQLiteSettings(path: databasePath(settings)))
        let report = try await SchemaMigrator().migrate(database)
        if !report.applied.isEmpty {
            logger.info("database migrated", metadata: ["from": "\(report.from)", "to": "\(report.to)"])
        }
        return database
    }

    /// Brings the built-in careers into the store and returns all that are active.
    private static func updateCatalogue(in database: any SQLDatabase, logger: Logger) async throws -> [Career] {
        let repository = CareerRepository(database)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let contents = try BuiltInContent.careers().map { career in
            CareerContent(
                id: career.id, source: BuiltInContent.source, name: career.name, cluster: career.cluster,
                document: String(decoding: try encoder.encode(career), as: UTF8.self), abilities: career.abilities)
        }
        let report = try await repository.update(contents, retiringMissingOf: BuiltInContent.source)
        if report.unchanged.count != contents.count || !report.retired.isEmpty {
            logger.info(
                "catalogue updated",
                metadata: [
                    "added": "\(report.added.count)", "changed": "\(report.changed.count)",
                    "retired": "\(report.retired.count)",
                ])
        }
        return try await storedCareers(in: database)
    }

    /// The active careers as the store has them.
    ///
    /// - Throws: `StartProblem` for one that cannot be read.
    static func storedCareers(in database: any SQLDatabase) async throws -> [Career] {
        let records: [CareerRecord]
        do {
            records = try await CareerRepository(database).active()
        } catch let error as StoreError where error.code == .unexpectedValue {
            throw StartProblem(
                "a career in \(database.location) is damaged: \(error); restore a backup, or remove the rows of the table "
                    + "“careers”: the built-in ones are made anew at the next start")
        }
        let decoder = JSONDecoder()
        return try records.map { record in
            do {
                return try decoder.decode(Career.self, from: Data(record.content.document.utf8))
            } catch {
                throw StartProblem(
                    "the career “\(record.content.id)” in \(database.location) is damaged; restore a backup, or remove its row "
                        + "from the table “careers”: a built-in one is made anew at the next start (\(error))")
            }
        }
    }

    /// Reads the model on a thread of its own: it takes a good part of a second.
    private static func loadModel(_ settings: ServiceSettings) async -> LoadedModel {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    returning: LoadedModel.load(
                        settings.model, from: settings.modelsDirectory, cacheEntries: settings.cacheEntries))
            }
        }
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    var milliseconds: Double { seconds * 1_000 }
}
