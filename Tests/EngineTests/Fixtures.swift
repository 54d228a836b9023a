import Engine
import Foundation
import Store
import TestSupport
import VectorIndex

/// Texts to vectors without a model: each word has a fixed pseudo-random direction, a text is their sum. Texts that
/// share words are close, which is all that these tests need.
struct WordVectorizer: TextVectorizer {
    let space: TextSpace
    /// Counts calls through a file-free channel: how many texts were asked for.
    let asked = Guarded(0)

    init(views: Int = 2, id: String = "words@1") {
        let views =
            views == 2
            ? [
                TextView(content: .work, name: "what the work is", weight: 0.5),
                TextView(content: .takes, name: "what it takes", weight: 0.5),
            ] : [TextView(content: .everything, name: "all of it", weight: 1)]
        space = TextSpace(
            id: id, modelID: "words", weightsSHA256: "", description: "{}", views: views, dimension: 768 / views.count)
    }

    func vectors(of texts: [String], role: TextRole) throws -> [[Float]] {
        asked.withLock { $0 += texts.count }
        return texts.map { text in
            var sum = [Double](repeating: 0, count: space.dimension)
            for word in text.lowercased().split(whereSeparator: { !$0.isLetter }) where word.count > 3 {
                var random = SplitMix64(
                    seed: word.utf8.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 })
                for i in sum.indices { sum[i] += Double.random(in: -1...1, using: &random) }
            }
            let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return norm == 0 ? [1] + Array(repeating: 0, count: sum.count - 1) : sum.map { Float($0 / norm) }
        }
    }

    func cachedVectors(of texts: [String], role: TextRole) -> [[Float]]? { nil }
}

enum BuiltIn {
    static func data(_ path: String) throws -> Data {
        try Data(contentsOf: RepositoryRoot.file("Sources/CAssets/\(path)"))
    }

    static func quiz() throws -> Quiz { try Quiz(from: data("quiz.json")) }

    static func careers() throws -> [Career] {
        let folder = RepositoryRoot.file("Sources/CAssets/careers")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        return try names.flatMap { try CareerFile.careers(from: data("careers/\($0)"), named: $0) }
    }
}

/// A recommender over the built-in careers, on a database of its own.
struct EngineFixture {
    let database: any SQLDatabase
    let quiz: Quiz
    let careers: [Career]
    let recommender: Recommender
    let statistics: CareerGenerationBuilder.Statistics

    init(
        vectorizer: (any TextVectorizer)? = WordVectorizer(), comparison: AbilityComparison = .centred,
        database given: (any SQLDatabase)? = nil
    ) async throws {
        if let given {
            database = given
        } else {
            database = try await SQLiteDatabase.temporary(durability: .normal)
            _ = try await SchemaMigrator().migrate(database)
        }
        quiz = try BuiltIn.quiz()
        careers = try BuiltIn.careers()
        let encoder = vectorizer.map { EncodingQueue($0) }
        let built = try await CareerGenerationBuilder(database: database, quiz: quiz, comparison: comparison).build(
            careers: careers, encoder: encoder,
            degradation: encoder == nil ? Degradation(reason: .noModel, detail: "no model here") : nil, in: LiveIndex())
        statistics = built.statistics
        recommender = Recommender(generation: built.generation, encoder: encoder)
    }

    func sheet(_ answers: [String: Answer]) throws -> AnswerSheet { try AnswerSheet(answers, to: quiz) }

    func randomSheet(_ seed: UInt64) throws -> AnswerSheet {
        var random = SplitMix64(seed: seed)
        return try AnswerSheet(quiz.randomAnswers(using: &random), to: quiz)
    }
}
