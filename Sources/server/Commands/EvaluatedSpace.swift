internal import ArgumentParser
internal import Engine
internal import Store

/// A way of searching that `evaluate retrieval` measures: a model, grounded or not, and what rows are made of.
struct EvaluatedSpace: ExpressibleByArgument, Equatable {
    enum Rows: String, CaseIterable {
        /// The corpus's texts as they are, one vector each.
        case texts
        /// The catalogue's careers, in the engine's views, without their titles.
        case views
        /// The same with their titles: what the service searches.
        case titles
    }

    /// As it was asked for.
    let name: String
    let model: String
    let isGrounded: Bool
    let rows: Rows

    private static let base = DefaultModel.base
    private static let adapted = DefaultModel.adapted
    private static let grounded = "+grounded"
    private static let short = [
        "minilm": base, "adapter": adapted, "grounded": base + grounded, "both": adapted + grounded,
    ]

    static let explanation = """
        A space to measure, repeatable: minilm, adapter, grounded (minilm with its texts read by a knowledge base of titles), \
        both; or MODEL, MODEL+grounded. Followed by :views or :titles the careers of the data folder are searched, in the \
        service's own views, without or with their titles, instead of the corpus's texts. Each is compared with the first.
        """

    init(model: String, isGrounded: Bool, rows: Rows, name: String) {
        self.model = model
        self.isGrounded = isGrounded
        self.rows = rows
        self.name = name
    }

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard let first = parts.first, !first.isEmpty, parts.count <= 2 else { return nil }
        guard let rows = parts.count == 1 ? Rows.texts : Rows(rawValue: String(parts[1])) else { return nil }
        let long = Self.short[String(first)] ?? String(first)
        let isGrounded = long.hasSuffix(Self.grounded)
        let named = isGrounded ? String(long.dropLast(Self.grounded.count)) : long
        let model = Self.short[named] ?? named
        guard !model.isEmpty, !model.hasSuffix(Self.grounded) else { return nil }
        self.init(model: model, isGrounded: isGrounded, rows: rows, name: argument)
    }

    /// Whether both are one space, whatever they were called.
    func isSame(as other: EvaluatedSpace) -> Bool {
        model == other.model && isGrounded == other.isGrounded && rows == other.rows
    }
}

/// Encoders of the spaces that are measured, each model loaded once and each knowledge base made once.
final class EvaluatedEncoders {
    private let settings: ServiceSettings
    /// Nil where no space needs one.
    private let database: (any SQLDatabase)?
    private let careers: [Career]
    /// Folded titles that no knowledge base must know.
    private let heldOut: Set<String>
    private var models: [String: ModelVectorizer] = [:]
    private var grounded: [String: EncodingQueue] = [:]

    init(settings: ServiceSettings, database: (any SQLDatabase)?, careers: [Career], heldOut: Set<String>) {
        self.settings = settings
        self.database = database
        self.careers = careers
        self.heldOut = heldOut
    }

    /// - Throws: `StartProblem` for a model that is not there; `GroundingError`, an error of the encoder or the store.
    func encoder(of space: EvaluatedSpace) async throws -> EncodingQueue {
        let vectorizer = try await vectorizer(of: space.model)
        guard space.isGrounded, let database else { return EncodingQueue(vectorizer) }
        if let known = grounded[space.model] { return known }
        let defaults = try GroundingDefaults.of(space.model, settings: settings)
        let titles = OccupationTitles(of: careers)
        let progress = ProgressReport("embedding titles for \(space.model)")
        let whole = try await KnowledgeBaseStore(database).made(
            of: titles, rule: defaults.rule, encoder: EncodingQueue(vectorizer)
        ) { progress.update($0.done, of: $0.total) }
        progress.end()
        let (used, grounding) = heldOut.isEmpty ? whole : try await whole.base.leavingOut(heldOut)
        Terminal.error(
            "\(space.name): a knowledge base of \(used.titles.occupations.count) occupations and "
                + "\(used.titles.titles.count) titles, \(whole.base.titles.titles.count - used.titles.titles.count) left out"
        )
        let encoder = EncodingQueue(
            try GroundedVectorizer(vectorizer, base: used, grounding: grounding, weight: defaults.weight))
        grounded[space.model] = encoder
        return encoder
    }

    private func vectorizer(of model: String) async throws -> ModelVectorizer {
        if let known = models[model] { return known }
        guard OutsideModel(model) == nil else {
            throw StartProblem("\(model) runs outside; only models that run here are evaluated")
        }
        let active = try await ActiveModel.load(model, settings: settings)
        guard let embedder = active.embedder else {
            throw StartProblem(active.problem ?? "there is no model \(model)")
        }
        let vectorizer = try ModelVectorizer(embedder, queue: active.queue)
        models[model] = vectorizer
        return vectorizer
    }
}
