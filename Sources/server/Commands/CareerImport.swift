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

    func run(_ read: () throws -> ImportedCareers) async throws {
        let start = ContinuousClock.now
        let (settings, logger) = try common.settings()
        let imported = try read()
        var report = ImportReport(imported)
        report.isDryRun = options.dryRun
        listProblems(imported.problems)
        if options.strict, !imported.problems.isEmpty {
            if options.json { try Terminal.data(try report.json()) }
            throw StartProblem("\(imported.problems.count) problems, and --strict asks for none: nothing was imported")
        }
        let database = try await Pathways.openDatabase(settings, makes: true, logger: logger)
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
        try Terminal.data(options.json ? try report.json() : report.text)
    }

    private func update(
        _ database: any SQLDatabase, _ imported: ImportedCareers, _ report: inout ImportReport
    ) async throws {
        let repository = CareerRepository(database)
        // Of two ids that differ in their bytes alone, either: the update refuses what makes such a pair.
        let stored = Dictionary(try await repository.active().map { ($0.content.id, $0.content) }) { first, _ in first }
        let known = Dictionary(
            uniqueKeysWithValues: try await CareerSourceRepository(database).all().map { ($0.name, $0) })
        var update = CareerUpdate(
            careers: try imported.careers.map { try content($0, stored: stored) },
            sources: imported.sources.filter { source in
                // A file that does not describe its source says nothing against the description that is there.
                let isBare = source == CareerSource(name: source.name, title: source.name)
                return source.name != BuiltInContent.source && !(isBare && known[source.name] != nil)
            },
            keepingSourcesThatWouldShrink: !options.retire,
            // With the change, not after it: the next start must not bring back what has gone.
            settingsOfRetiredSources: [BuiltInContent.source: BuiltInContent.retiredSetting])
        if imported.problems.isEmpty {
            update.retiringMissingOf = Set(update.careers.map(\.source))
            update.retiringAllOtherSources = options.only
            // Built-in careers that an edited export no longer has would be back at the next start.
            if !options.only { update.retiringMissingOf.remove(BuiltInContent.source) }
        }
        let done = options.dryRun ? try await repository.preview(update) : try await repository.update(update)
        report.tell(done, of: known.merging(update.sources.map { ($0.name, $0) }) { $1 })
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
}
