internal import Embedder
internal import Engine
internal import Foundation
internal import Logging
internal import Platform
internal import Store
internal import VectorIndex

/// Everything that answers requests, put together once: database, encoder, careers, quiz.
struct Pathways: Sendable {
    let database: any SQLDatabase
    /// Seals what people said and who they are.
    let cipher: any ColumnCipher
    let sessions: SessionRepository
    let recommendations: RecommendationRepository
    let events: CareerEventRepository
    let quiz: Quiz
    let recommender: Recommender
    let catalogue: ServedCatalogue
    let outside: OutsideModels

    /// Nil where there is no usable model here.
    var embedder: TextEmbedder? { catalogue.model.embedder }
    /// Of all queues there are.
    var embeddingStatistics: EmbeddingQueueStatistics? {
        let model = catalogue.model
        guard let own = model.queue?.statistics else { return nil }
        return model.references?.statistics(besides: model.queue).map { own + $0 } ?? own
    }
    var degradation: Degradation? { catalogue.model.degradation }
    var modelID: String { catalogue.model.id }

    /// Opens the data, loads the model and builds the careers' index.
    ///
    /// - Parameters:
    ///   - keepsIndex: whether the index is kept in the data folder between starts; not where it is another than the
    ///     service's.
    ///   - completing: what to do about careers without a fitting vector.
    /// - Throws: `StoreError`, `KeyRingError`, `CatalogueError` or what the encoder throws; each says how to mend it.
    static func open(
        _ settings: ServiceSettings, comparison: AbilityComparison = .centred, keepsIndex: Bool = true,
        completing: CareerGenerationBuilder.Completion = .always, logger: Logger
    ) async throws -> Pathways {
        let start = ContinuousClock.now
        let database = try await openDatabase(settings, makes: true, logger: logger)
        do {
            let cipher = try await PrivateColumns.open(settings, database: database, logger: logger).cipher
            let quiz = try BuiltInContent.quiz()
            let outside = OutsideModels(settings, database: database, logger: logger)
            try await updateCatalogue(in: database, logger: logger)
            let catalogue = try await ServedCatalogue.open(
                database: database, quiz: quiz, comparison: comparison, settings: settings, outside: outside,
                indexPlace: keepsIndex ? settings.indexPlace : nil, completing: completing, logger: logger)
            let generation = catalogue.recommender.current
            logger.info(
                "careers ready",
                metadata: [
                    "careers": "\(generation.index.count)", "space": "\(generation.space?.id ?? "none")",
                    "lambda": "\(generation.calibration.lambda)",
                    "seconds": "\((ContinuousClock.now - start).seconds)",
                ])
            return Pathways(
                database: database, cipher: cipher, sessions: SessionRepository(database, cipher: cipher),
                recommendations: RecommendationRepository(database, cipher: cipher),
                events: CareerEventRepository(database), quiz: quiz, recommender: catalogue.recommender,
                catalogue: catalogue, outside: outside)
        } catch {
            try? await database.close()
            throw error
        }
    }

    static func databasePath(_ settings: ServiceSettings) -> String {
        URL(fileURLWithPath: settings.dataDirectory, isDirectory: true).appendingPathComponent("pathlight.db").path
    }

    /// - Throws: `SettingsError` where the settings name a database server: the same would fail again and again.
    static func requireSQLite(_ settings: ServiceSettings) throws(SettingsError) {
        guard let url = settings.databaseURL, !url.isEmpty else { return }
        throw .unusable(
            "DATABASE_URL is set, and this version keeps its data in SQLite alone, in the folder that `data` "
                + "(PATHLIGHT_DATA, --data) names; unset DATABASE_URL for this program, whoever sets it (systemd: "
                + "`UnsetEnvironment=DATABASE_URL`; a shell: `env -u DATABASE_URL pathlight …`)")
    }

    /// - Parameters:
    ///   - makes: whether folder and database are made where there are none. What looks, erases or revokes must not: in
    ///     a folder whose name is mistyped it would find that nothing is there, and call that a proof.
    ///   - migrates: whether the schema is brought up to date; false leaves it as it is, for who only looks.
    /// - Throws: `StartProblem` where there is no database and none is to be made; `SettingsError`, `StoreError`.
    static func openDatabase(
        _ settings: ServiceSettings, makes: Bool = false, migrates: Bool = true, logger: Logger
    ) async throws -> any SQLDatabase {
        try requireSQLite(settings)
        let path = databasePath(settings)
        if !makes, DatabasePlace(path) != .taken { throw DatabasePlace.absence(at: path) }
        let database = try await SQLiteDatabase.open(SQLiteSettings(path: path))
        guard migrates else { return database }
        // A file of this program's in which nothing has ever been stored is no better than none.
        if !makes, try await SchemaMigrator().version(of: database) == 0 {
            try await database.close()
            throw DatabasePlace.absence(at: path)
        }
        let report = try await SchemaMigrator().migrate(database)
        if !report.applied.isEmpty {
            logger.info("database migrated", metadata: ["from": "\(report.from)", "to": "\(report.to)"])
        }
        return database
    }

    /// Brings the built-in careers into the store, unless an import took their place.
    static func updateCatalogue(in database: any SQLDatabase, logger: Logger) async throws {
        guard try await SettingRepository(database).value(of: BuiltInContent.retiredSetting) == nil else { return }
        let careers = CareerRepository(database)
        // An id that an import took over stays with the import.
        let taken = Set(
            try await careers.owners().filter { $0.value != BuiltInContent.source }.map(\.key))
        let contents = try BuiltInContent.careers().filter { !taken.contains($0.id) }.map {
            try $0.content(defaultSource: BuiltInContent.source)
        }
        let report = try await careers.update(contents, retiringMissingOf: BuiltInContent.source)
        if report.hasChanges {
            logger.info(
                "catalogue updated",
                metadata: [
                    "added": "\(report.added.count)", "changed": "\(report.changed.count)",
                    "retired": "\(report.retired.count)",
                ])
        }
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    var milliseconds: Double { seconds * 1_000 }
}
