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

    init(views: Int = 2, id: String = "words@1", model: String = "words") {
        let views =
            views == 2
            ? [
                TextView(content: .work, name: "what the work is", weight: 0.5),
                TextView(content: .takes, name: "what it takes", weight: 0.5),
            ] : [TextView(content: .everything, name: "all of it", weight: 1)]
        space = TextSpace(
            id: id, modelID: model, weightsSHA256: "", description: "{}", views: views, dimension: 768 / views.count)
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

/// What a vectorizer is made to do wrong.
struct VectorizerFailure: Error, Equatable {}

/// Another vectorizer that fails, or gives other vectors, when it is told to.
struct ScriptedVectorizer: TextVectorizer {
    let base: WordVectorizer
    /// Texts that are still embedded before it fails; nil for ever.
    let textsBeforeFailure = Guarded<Int?>(nil)
    /// Texts after which what it gives is another text's vector; nil for never.
    let textsBeforeConfusion = Guarded<Int?>(nil)
    /// Calls under way, and the most that ever were at once.
    let underWay = Guarded((now: 0, most: 0))

    init(_ base: WordVectorizer = WordVectorizer()) { self.base = base }

    var space: TextSpace { base.space }

    func vectors(of texts: [String], role: TextRole) throws -> [[Float]] {
        underWay.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
        defer { underWay.withLock { $0.now -= 1 } }
        try textsBeforeFailure.withLock { left in
            guard let count = left else { return }
            guard count >= texts.count else { throw VectorizerFailure() }
            left = count - texts.count
        }
        let isConfused = textsBeforeConfusion.withLock { left in
            guard let count = left else { return false }
            left = max(0, count - texts.count)
            return count < texts.count
        }
        return try base.vectors(of: isConfused ? texts.map { $0 + " confused beyond repair" } : texts, role: role)
    }

    func cachedVectors(of texts: [String], role: TextRole) -> [[Float]]? { nil }
}

/// A recommender over the built-in careers, or some others, on a database of its own.
struct EngineFixture {
    let database: any SQLDatabase
    let quiz: Quiz
    let careers: [Career]
    let encoder: EncodingQueue?
    let recommender: Recommender
    let statistics: CareerGenerationBuilder.Statistics

    init(
        vectorizer: (any TextVectorizer)? = WordVectorizer(), comparison: AbilityComparison = .centred,
        database given: (any SQLDatabase)? = nil, careers: [Career]? = nil,
        completing: CareerGenerationBuilder.Completion = .always
    ) async throws {
        if let given { database = given } else { database = try await Self.newDatabase() }
        quiz = try BuiltIn.quiz()
        self.careers = try careers ?? BuiltIn.careers()
        encoder = vectorizer.map { EncodingQueue($0) }
        let built = try await Self.build(
            self.careers, encoder: encoder, database: database, quiz: quiz, comparison: comparison,
            completing: completing)
        statistics = built.statistics
        recommender = Recommender(generation: built.generation, encoder: encoder)
    }

    static func newDatabase() async throws -> any SQLDatabase {
        let database = try await SQLiteDatabase.temporary(durability: .normal)
        _ = try await SchemaMigrator().migrate(database)
        return database
    }

    static func build(
        _ careers: [Career], encoder: EncodingQueue?, database: any SQLDatabase, quiz: Quiz,
        comparison: AbilityComparison = .centred, completing: CareerGenerationBuilder.Completion = .always
    ) async throws -> (generation: CareerGeneration, statistics: CareerGenerationBuilder.Statistics) {
        let content = CatalogueContent(
            careers: careers, revision: try await CareerRepository(database).revision())
        return try await CareerGenerationBuilder(database: database, quiz: quiz, comparison: comparison).build(
            content, encoder: encoder,
            degradation: encoder == nil ? Degradation(reason: .noModel, detail: "no model here") : nil,
            completing: completing)
    }

    func sheet(_ answers: [String: Answer]) throws -> AnswerSheet { try AnswerSheet(answers, to: quiz) }

    func randomSheet(_ seed: UInt64) throws -> AnswerSheet {
        var random = SplitMix64(seed: seed)
        return try AnswerSheet(quiz.randomAnswers(using: &random), to: quiz)
    }
}

extension EngineFixture {
    /// The whole list of a request, gathered page by page.
    func wholeList(_ request: RecommendationRequest, pageSize: Int = 100) async throws -> [Recommendation] {
        var request = request
        request.topN = pageSize
        var list: [Recommendation] = []
        while true {
            request.skip = list.count
            let page = try await recommender.recommend(request).recommendations
            list += page
            if page.count < pageSize { return list }
        }
    }
}

/// Careers with short texts of their own, quick to embed.
enum MadeUpCareers {
    static func make(_ count: Int) -> [Career] { (0..<count).map(make(number:)) }

    static func make(number: Int) -> Career {
        let word = word(number)
        var random = SplitMix64(seed: UInt64(number) &+ 77)
        return Career(
            id: String(format: "career-%04d", number), name: "Career \(word)",
            aliases: number % 3 == 0 ? [] : (0..<number % 3).map { "title\(word) \(Self.word($0 + 1_000))" },
            description: "Work about \(word) and \(Self.word(number / 7 + 5_000)) things",
            requiredSkills: ["skill\(word)", "skills\(Self.word(number / 5 + 9_000))"],
            suitableFor: "Those who like it",
            requiredEducation: RequiredEducation(level: .none, text: ""), cluster: "cluster \(number % 7)",
            abilities: Ability.allCases.map { _ in Double.random(in: 0...10, using: &random) })
    }

    /// A word of letters alone for each number.
    static func word(_ number: Int) -> String {
        String("word") + String(number).map { Character(UnicodeScalar(UInt8(97 + ($0.wholeNumberValue ?? 0)))) }
    }
}

/// What the store has of careers' vectors, read past the engine.
enum StoredRows {
    struct Row: Equatable {
        let hash: String
        let values: [Float]
    }

    /// The rows of the generation in use, by career.
    static func current(_ database: any SQLDatabase) async throws -> [String: Row] {
        guard let record = try await GenerationRepository(database).current(Reembedder.kind) else { return [:] }
        return try await rows(of: record, database).rows
    }

    static func rows(
        of record: GenerationRecord, _ database: any SQLDatabase
    ) async throws -> (rows: [String: Row], damage: [SnapshotDamage]) {
        let blocks = try await GenerationRepository(database).blocks(of: record.id)
        let reading = try SnapshotRows.read(
            blocks.map { StoredSnapshotBlock(number: $0.number, rowCount: $0.rowCount, bytes: $0.bytes) },
            expecting: SnapshotExpectation(
                space: record.spaceID, generation: UInt64(record.id), dimension: 768,
                rowCount: record.state == .building ? nil : record.rowCount))
        var rows: [String: Row] = [:]
        for (position, key) in reading.rows.keys.enumerated() {
            rows[key.id] = Row(hash: key.textHash, values: reading.rows.row(at: position))
        }
        return (rows, reading.damage)
    }

    /// The greatest difference of a number between two sets of rows; infinite where they are of other careers or texts.
    static func difference(_ a: [String: Row], _ b: [String: Row]) -> Float {
        guard a.mapValues(\.hash) == b.mapValues(\.hash) else { return .infinity }
        return a.reduce(0) { worst, entry in
            zip(entry.value.values, b[entry.key]?.values ?? []).reduce(worst) { max($0, abs($1.0 - $1.1)) }
        }
    }

    static func setBytes(
        _ bytes: [UInt8], ofBlock number: Int, in generation: Int64, _ database: any SQLDatabase
    ) async throws {
        try await database.write { connection in
            _ = try connection.execute(
                "UPDATE index_blocks SET bytes = ? WHERE generation_id = ? AND number = ?",
                [.blob(bytes), .integer(generation), .int(number)])
        }
    }
}
