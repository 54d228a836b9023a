internal import ArgumentParser
internal import Engine
internal import Foundation
internal import Logging
internal import Store

/// `pathlight reembed`: makes the stored vectors fit the careers' texts, or goes back to the ones before.
struct ReembedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reembed",
        abstract: "Makes the stored vectors fit the careers' texts and the model; a running service goes on answering.",
        discussion: """
            With --model gemini:NAME or openai:NAME the careers' texts are sent to that provider, which has to be set up, and \
            calls count against the daily budget; a service sends people's texts there only where its settings name the model.

            Only what changed is embedded. The new vectors are written beside those in use, checked, and then put in use \
            at once; a running service follows within a second or two. Killed, it goes on where it was when it is run again.
            """)

    @Option(help: "careers or all; other kinds have no vectors in this version.")
    var kind = "careers"

    @Flag(help: "Embed everything, even what fits.")
    var force = false

    @Option(parsing: .unconditional, help: "Embed at most so many careers in this run; the next one goes on.")
    var limit: Int?

    @Flag(help: "Put the previous vectors back in use, with their model.")
    var rollback = false

    @Flag(help: "Print one JSON document.")
    var json = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard ["careers", "all"].contains(kind) else {
            throw ValidationError(
                "--kind must be careers or all, not \(kind): other kinds have no vectors in this version")
        }
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1, not \(limit)") }
        if rollback, force || limit != nil { throw ValidationError("--rollback goes with neither --force nor --limit") }
    }

    func run() async throws {
        let (settings, logger) = try common.settings()
        // Before the first start it makes the vectors of the built-in careers; there is nothing to go back to.
        let database = try await Pathways.openDatabase(settings, makes: !rollback, logger: logger)
        do {
            if rollback {
                try await goBack(in: database)
            } else {
                try await Pathways.updateCatalogue(in: database, logger: logger)
                let report = try await Embedding.complete(
                    database, settings: settings, model: common.model,
                    options: .init(isForced: force, limit: limit))
                try Terminal.data(json ? try Embedding.json(report) : Embedding.sentence(report))
            }
            try await database.close()
        } catch {
            try? await database.close()
            throw error
        }
    }

    private func goBack(in database: any SQLDatabase) async throws {
        let reembedder = Reembedder(database)
        let record = try await reembedder.rollback()
        // Another process may embed between the two; what it left is then what is told.
        let state = try await reembedder.coverage(of: CatalogueContent.read(from: database).careers)?.state ?? .init()
        if json {
            struct Answer: Encodable {
                let generation: Int64
                let space: String
                let rows: Int
                let stale: Int
                let pending: Int
            }
            let answer = Answer(
                generation: record.id, space: record.spaceID, rows: record.rowCount, stale: state.stale,
                pending: state.pending)
            try Terminal.data(try Embedding.json(answer))
        } else {
            try Terminal.data(Self.sentence(record, state))
        }
    }

    private static func sentence(_ record: GenerationRecord, _ state: EmbeddingState) -> String {
        var lines = [
            "vectors of generation \(record.id) are in use again: \(record.rowCount) careers in space \(record.spaceID)"
        ]
        if state.stale > 0 {
            lines.append(
                "careers with newer texts: \(state.stale); they are served with these older vectors until the next "
                    + "“pathlight reembed” or an import that embeds")
        }
        if state.pending > 0 {
            lines.append(
                "careers without a vector here: \(state.pending); a running service gives them one, and serves them then"
            )
        }
        if state.stale + state.pending == 0 { lines.append("they are those of every career's present text") }
        lines.append("the vectors they replace are kept: “pathlight reembed --rollback” again changes back to them")
        return lines.joined(separator: "\n")
    }
}

/// Embedding from a command: with a progress bar, waiting its turn.
enum Embedding {
    /// How long a provider outside that fails is asked again before a command gives up.
    private static let patience = Duration.seconds(300)

    /// - Parameter model: nil for the one in use, or that of the settings where none is.
    static func complete(
        _ database: any SQLDatabase, settings: ServiceSettings, model: String?,
        options: Reembedder.Options = .init()
    ) async throws -> ReembedReport {
        let reembedder = Reembedder(database)
        var id = settings.model
        if model == nil, let inUse = try await reembedder.modelInUse() { id = inUse }
        if let model = OutsideModel(id) {
            return try await completeOutside(database, settings: settings, model, reembedder, options: options)
        }
        let careers = try await CatalogueContent.read(from: database).careers
        let titles = ProgressReport("embedding titles")
        let active = try await ActiveModel.load(id, settings: settings).grounded(
            .made, of: careers, in: database, settings: settings, logger: Logger(label: "pathlight")
        ) { titles.update($0.done, of: $0.total) }
        titles.end()
        guard let encoder = active.encoder else {
            throw StartProblem(
                "careers cannot be embedded with \(id), and the vectors in use stay as they are: "
                    + "\(active.problem ?? "there is no such model"). \(try InstalledModels.advice(settings))")
        }
        let report = try await complete(database, reembedder, encoder: encoder, options: options)
        if report.isSwitched, let embedder = active.embedder {
            // What grounded vectors that are not even kept for a rollback any more.
            try await KnowledgeBaseStore(database).prune(textSpace: ModelVectorizer(embedder).space.id)
        }
        return report
    }

    /// By a model outside. What it has made is kept where it fails: the next run goes on.
    private static func completeOutside(
        _ database: any SQLDatabase, settings: ServiceSettings, _ model: OutsideModel, _ reembedder: Reembedder,
        options: Reembedder.Options
    ) async throws -> ReembedReport {
        guard settings.model == model.id else {
            throw StartProblem(
                "the careers' vectors are of \(model.id), which runs outside and is asked only where it is named: set "
                    + "`model: \(model.id)`, or use “pathlight reembed --model ID”")
        }
        let outside = OutsideModels(settings, database: database, logger: Logger(label: "pathlight"))
        do {
            // Asked, not read from the store: under the same name it may be another model by now.
            let vectorizer = try await outside.vectorizer(of: model, patience: patience)
            let encoder = EncodingQueue(vectorizer)
            // Before the careers: once these are in use, a service needs the others at once.
            try await CareerGenerationBuilder(database: database, quiz: BuiltInContent.quiz()).preparePhrases(encoder)
            let report = try await complete(database, reembedder, encoder: encoder, options: options)
            await outside.close()
            return report
        } catch {
            await outside.close()
            guard let error = error as? VectorsUnavailable else { throw error }
            throw StartProblem(
                "\(error). The vectors in use stay as they are, and what was made is kept: run it again to go on")
        }
    }

    private static func complete(
        _ database: any SQLDatabase, _ reembedder: Reembedder, encoder: EncodingQueue, options: Reembedder.Options
    ) async throws -> ReembedReport {
        let progress = ProgressReport("embedding careers")
        defer { progress.end() }
        var hasWaited = false
        while true {
            let content = try await CatalogueContent.read(from: database)
            do {
                let report = try await reembedder.run(content.careers, encoder: encoder, options: options) {
                    progress.update($0.done, of: $0.total)
                }
                // Careers that changed meanwhile want another round.
                let next = try await CatalogueContent.read(from: database)
                if !report.isComplete || next.careers == content.careers { return report }
            } catch ReembedError.busy {
                if !hasWaited { Terminal.error("another process embeds careers at present; waiting for it") }
                hasWaited = true
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    static func sentence(_ report: ReembedReport) -> String {
        let seconds = String(format: "%.1f", report.seconds)
        var lines: [String] = []
        if !report.damaged.isEmpty {
            lines += report.damaged.map { "set aside: \($0)" }
        }
        if let refused = report.refused { lines.append("\(refused)") }
        if !report.isComplete {
            lines.append(
                "\(report.embedded) careers embedded in \(seconds) s; more are to do, and the vectors in use are the old ones: "
                    + "run it again")
        } else if report.isSwitched {
            lines.append(
                "\(report.embedded) careers embedded (\(report.texts) texts), \(report.reused) kept, \(report.resumed) taken from an "
                    + "interrupted run, in \(seconds) s; \(report.sampled) checked by computing them again, greatest difference "
                    + "\(String(format: "%.1e", report.greatestDifference)); generation \(report.generation ?? 0) is in use"
            )
        } else if report.refused == nil {
            lines.append("nothing to do: the vectors of all \(report.careers) careers fit")
        }
        return lines.joined(separator: "\n")
    }

    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
