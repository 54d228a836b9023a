internal import Engine
internal import Foundation
internal import Store

/// The way of every import of careers: read, report, change the catalogue in one transaction, embed.
struct CareerImport {
    let options: ImportCommand.Options
    let common: CommonOptions
    /// Of careers that name no source.
    let fallbackSource: String

    /// Bad rows that are listed; a file of another kind would otherwise fill the screen.
    private static let listedProblems = 50

    struct Report: Encodable {
        struct Problem: Encodable {
            let file: String
            let line: Int?
            let message: String
        }

        var added = 0
        var changed = 0
        var unchanged = 0
        var retired = 0
        /// Why nothing was retired although careers are missing; nil where nothing stood against it.
        var keptBecause: String?
        var sources: [CareerSource] = []
        var badRows = 0
        var problems: [Problem] = []
        var notes: [String] = []
        var counts: [String: Int] = [:]
        var isDryRun = false
        var embedding: ReembedReport?
        var seconds = 0.0
    }

    func run(_ read: () throws -> ImportedCareers) async throws {
        let start = ContinuousClock.now
        let (settings, logger) = try common.settings()
        let imported = try read()
        var report = Report()
        report.isDryRun = options.dryRun
        report.sources = imported.sources
        report.badRows = imported.problems.count
        report.problems = imported.problems.kept.map { .init(file: $0.file, line: $0.line, message: $0.message) }
        report.notes = imported.notes
        report.counts = Dictionary(imported.statistics.map { ($0.name, $0.count) }, uniquingKeysWith: { $1 })
        listProblems(imported.problems)
        if options.strict, !imported.problems.isEmpty {
            throw StartProblem("\(imported.problems.count) problems, and --strict asks for none: nothing was imported")
        }
        let database = try await Pathways.openDatabase(settings, logger: logger)
        do {
            try await Pathways.updateCatalogue(in: database, logger: logger)
            try await update(database, imported, &report)
            if !options.dryRun, !options.noEmbed {
                do {
                    report.embedding = try await Embedding.complete(database, settings: settings, model: nil)
                } catch let problem as StartProblem {
                    Terminal.error("imported, but not embedded: \(problem)")
                }
            }
            try await database.close()
        } catch {
            try? await database.close()
            throw error
        }
        report.seconds = (ContinuousClock.now - start).seconds
        try Terminal.data(options.json ? try json(report) : Self.text(report))
    }

    private func update(
        _ database: any SQLDatabase, _ imported: ImportedCareers, _ report: inout Report
    ) async throws {
        let stored = Dictionary(
            uniqueKeysWithValues: try await CareerRepository(database).active().map { ($0.content.id, $0.content) })
        var update = CareerUpdate(
            careers: try imported.careers.map { try content($0, stored: stored) },
            sources: imported.sources.filter { $0.name != BuiltInContent.source })
        if imported.problems.isEmpty {
            // Built-in careers that an edited export no longer has would be back at the next start.
            update.retiringMissingOf = Set(update.careers.map(\.source)).subtracting([BuiltInContent.source])
            update.retiringAllOtherSources = options.only
        } else {
            // A career may be missing only because its row is bad.
            report.keptBecause = "some rows are bad, so that missing careers may only be unreadable"
        }
        let careers = CareerRepository(database)
        if options.dryRun {
            for career in update.careers {
                switch stored[career.id] {
                case nil: report.added += 1
                case career?: report.unchanged += 1
                default: report.changed += 1
                }
            }
            let kept = Set(update.careers.map(\.id))
            report.retired =
                stored.values.filter {
                    !kept.contains($0.id)
                        && (update.retiringAllOtherSources || update.retiringMissingOf.contains($0.source))
                }.count
            return
        }
        if update.retiringAllOtherSources {
            // Before the change: the next start must not bring them back.
            try await SettingRepository(database).set(BuiltInContent.retiredSetting, to: "true")
        }
        let done = try await careers.update(update)
        report.added = done.added.count
        report.changed = done.changed.count
        report.unchanged = done.unchanged.count
        report.retired = done.retired.count
    }

    /// A career as it is to be stored. A built-in one that was exported and edited becomes the editor's own: the built-in
    /// one would otherwise take its place again at the next start.
    private func content(_ career: Career, stored: [String: CareerContent]) throws -> CareerContent {
        var career = career
        if career.source == BuiltInContent.source {
            let content = try career.content(defaultSource: BuiltInContent.source)
            if stored[career.id] == content { return content }
            career.source = fallbackSource
        }
        return try career.content(defaultSource: fallbackSource)
    }

    // MARK: Telling

    private func listProblems(_ problems: ImportProblems) {
        for problem in problems.kept.prefix(Self.listedProblems) { Terminal.error("\(problem)") }
        let rest = problems.count - min(problems.kept.count, Self.listedProblems)
        if rest > 0 { Terminal.error("… and \(rest) more; --json lists them") }
    }

    private func json(_ report: Report) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }

    private static func text(_ report: Report) -> String {
        var lines: [String] = []
        let will = report.isDryRun ? "would be " : ""
        lines.append(
            "careers: \(report.added) \(will)added, \(report.changed) \(will)changed, \(report.retired) \(will)retired, "
                + "\(report.unchanged) unchanged; \(report.badRows) problems")
        if let reason = report.keptBecause { lines.append("nothing was retired: \(reason)") }
        if !report.counts.isEmpty {
            lines.append(
                report.counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))
        }
        lines += report.notes
        for source in report.sources where source.attribution != nil {
            lines.append("shown with the data: \(source.attribution ?? "")")
        }
        if let embedding = report.embedding { lines.append(Embedding.sentence(embedding)) }
        if report.isDryRun { lines.append("nothing was changed (--dry-run)") }
        return lines.joined(separator: "\n")
    }
}
