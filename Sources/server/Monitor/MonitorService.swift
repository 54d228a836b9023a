internal import Engine
internal import Foundation
internal import Logging
internal import Monitor
internal import Platform
internal import Store

/// What runs, commands and routes of career monitoring share.
struct MonitorService: Sendable {
    /// Held by whoever runs, on all replicas.
    private static let lockName = "monitor"

    let settings: MonitorSettings
    let students: StudentRepository
    let courses: CourseRepository
    let runs: MonitorRunRepository
    let roster: Roster
    let files: MonitorFiles
    let predefined: PredefinedLists
    private let database: any SQLDatabase
    private let cipher: any ColumnCipher
    private let recommender: Recommender
    /// Nil where no model is to be asked.
    private let models: LanguageModels?
    private let log: MonitorLog
    private let metrics: MonitorMetrics

    /// - Throws: what is wrong with the predefined lists.
    init(
        _ options: MonitorOptions, dataDirectory: String, pathways: Pathways, models: LanguageModels?,
        registry: MetricsRegistry, logger: Logger
    ) throws {
        MonitorMetrics.register(in: registry)
        metrics = MonitorMetrics(factory: registry)
        settings = options.settings(dataDirectory: dataDirectory)
        database = pathways.database
        cipher = pathways.cipher
        recommender = pathways.recommender
        self.models = models
        students = StudentRepository(database, cipher: cipher)
        courses = CourseRepository(database)
        runs = MonitorRunRepository(database)
        roster = Roster(students: students, marker: InputMarker(cipher: cipher))
        files = MonitorFiles(
            folder: settings.folder, students: students, courses: courses, notes: MonitorFileRepository(database))
        predefined = try BuiltInContent.predefinedLists()
        log = MonitorLog(path: options.logFile, logger: logger)
    }

    /// A run that may not begin, since another is under way.
    struct Busy: Error, CustomStringConvertible {
        var description: String { "another run is under way" }
    }

    /// One run, from its beginning or from where a stopped one of that id left off.
    ///
    /// - Throws: `Busy`; what `MonitorRun.perform` throws. Each ending is in the log and in the table of runs.
    func run(
        id: String, reason: MonitorRunRecord.Reason,
        progress: @escaping @Sendable (MonitorReport) async throws -> Void = { _ in }
    ) async throws -> MonitorReport {
        guard let lock = try database.lock(Self.lockName) else { throw Busy() }
        defer { lock.release() }
        let record = try await runs.begin(id: id, reason: reason)
        let earlier = MonitorReport(goingOnWith: record.report)
        log.begins(id, reason)
        // What is known of a run that does not come to its end.
        let latest = Guarded(earlier)
        do {
            let run = makeRun(calls: settings.modelCalls - earlier.modelCalls) { [runs] report in
                latest.withLock { $0 = report }
                try await runs.update(id: id, report: report.json)
                try await progress(report)
            }
            let report = try await run.perform(goingOnWith: earlier)
            let state: MonitorRunRecord.State = report.hasFailed ? .failed : .done
            try await runs.end(id: id, state: state, report: report.json)
            metrics.ended(state)
            log.ended(id, report)
            return report
        } catch {
            let state: MonitorRunRecord.State = error is CancellationError ? .stopped : .failed
            log.broke(id, error)
            metrics.ended(state)
            // Also where this task is cancelled: whoever looks must not take it for one that runs.
            let (runs, report) = (runs, latest.withLock { $0.json })
            _ = try? await Task.detached { try await runs.end(id: id, state: state, report: report) }.value
            throw error
        }
    }

    /// - Parameter calls: of a model, that it may make.
    private func makeRun(
        calls: Int, observe: @escaping @Sendable (MonitorReport) async throws -> Void
    ) -> MonitorRun {
        // Without a provider nothing is amiss: there is none to be asked.
        let wording = models.flatMap { models in
            models.gateway.provider == nil
                ? nil
                : ModelWording(
                    gateway: models.gateway, prompts: models.prompts, market: settings.market,
                    allowance: ModelAllowance(calls: calls))
        }
        return MonitorRun(
            database, cipher: cipher, settings: settings,
            maker: ListMaker(recommender: recommender, predefined: predefined, model: wording), observe: observe)
    }
}
