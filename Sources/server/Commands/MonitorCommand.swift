internal import ArgumentParser
internal import Foundation
internal import Logging
internal import Metrics
internal import Monitor
internal import Platform
internal import Store

/// `pathlight monitor`
struct MonitorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "monitor",
        abstract: "Brings students' recommendations and courses' paths up to date: once, or again and again.",
        discussion: """
            A running service does the same by itself (`monitor.schedule`). There is one run at a time on a database; \
            stopped anywhere, it is gone on with by the next. docs/monitoring.md describes sources, lists and files.
            """)

    @Flag(help: "Run once, print the report and end; the default.")
    var once = false

    @Option(help: "Run now and then again after so long, until it is told to stop: 30m, 6h, 1d.")
    var every: TimeSpan?

    @Flag(help: "Print each report as one JSON document.")
    var json = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if once, every != nil { throw ValidationError("give --once or --every, not both") }
    }

    func run() async throws {
        // What runs tell is for the console, too.
        let (settings, logger) = try common.settings(quiet: every == nil)
        // In a folder whose name is mistyped, or that a timetable starts it in, it would keep nobody's lists fresh for ever.
        guard DatabasePlace(Pathways.databasePath(settings)) == .taken else {
            throw DatabasePlace.absence(at: Pathways.databasePath(settings))
        }
        let registry = MetricsRegistry()
        let pathways = try await Pathways.open(settings, logger: logger)
        let transport = try pathways.outside.transport()
        let models = LanguageModels.make(
            settings.llm, prompts: try settings.makePrompts(database: pathways.database), transport: transport,
            database: pathways.database, cipher: pathways.cipher, slots: pathways.outside.slots, factory: registry,
            logger: logger)
        do {
            let monitor = try MonitorService(
                settings.monitor, dataDirectory: settings.dataDirectory, pathways: pathways, models: models,
                registry: registry, logger: logger)
            try await runs(of: monitor, over: pathways.catalogue)
            await Self.close(models, pathways)
        } catch {
            await Self.close(models, pathways)
            throw error
        }
    }

    private static func close(_ models: LanguageModels, _ pathways: Pathways) async {
        await pathways.outside.close()
        await models.gateway.settled()
        try? await pathways.database.close()
    }

    private func runs(of monitor: MonitorService, over catalogue: ServedCatalogue) async throws {
        guard let every else {
            guard try await self.run(monitor) else { throw ExitCode(1) }
            return
        }
        // As the watcher of a service does every second; careers that were embedded are followed once more.
        try await RepeatedRuns.run(
            every: .seconds(every.seconds),
            before: [
                { try await catalogue.checkModel() }, { try await catalogue.follow() },
                { try await catalogue.complete() }, { try await catalogue.follow() },
            ],
            problem: { Terminal.error("\($0)") },
            run: { _ = try await self.run(monitor) })
    }

    /// - Returns: whether all of it went well.
    private func run(_ monitor: MonitorService) async throws -> Bool {
        let report: MonitorReport
        do {
            report = try await monitor.run(id: RandomID.make(), reason: .command)
        } catch is MonitorService.Busy {
            throw StartProblem("another run is under way on this database; wait for it to end")
        }
        try Terminal.data(json ? report.json : Self.lines(report))
        return !report.hasFailed
    }

    private static func lines(_ report: MonitorReport) -> String {
        func line(_ name: String, _ tally: MonitorReport.Tally) -> String {
            "\(name): \(tally.checked) checked; \(tally.new) new, \(tally.changed) changed, \(tally.outdated) outdated; "
                + "\(tally.generated) generated (\(tally.worded) worded by a model, \(tally.fallenBack) predefined), "
                + "\(tally.reused) reused, \(tally.reworded) of earlier runs worded by a model, \(tally.failed) failed"
        }
        var lines = [line("students", report.students), line("courses", report.courses)]
        lines.append(
            "taken in: \(report.roster.added) added, \(report.roster.changed) changed, \(report.roster.renamed) renamed, "
                + "\(report.roster.unchanged) as they were")
        if report.unreadable > 0 {
            lines.append("damaged: what \(report.unreadable) students said cannot be opened; nothing is made for them")
        }
        lines += report.problems.sorted { $0.key < $1.key }.map { "not as it should be: \($0.key), \($0.value) times" }
        lines += report.setAside.sorted { $0.key < $1.key }.map { "set aside: \($0.key): \($0.value)" }
        lines += report.fileProblems.sorted { $0.key < $1.key }.map { "FILE: \($0.value)" }
        let written = report.written.joined(separator: ", ")
        lines.append(written.isEmpty ? "files: as they were" : "files written: \(written)")
        let cost = USD.text(nanodollars: report.costNanodollars)
        lines.append("checked in \(report.checkSeconds) s, done in \(report.seconds) s; models cost \(cost)")
        return lines.joined(separator: "\n")
    }
}
