import Engine
import Foundation
import Monitor
import Platform
import Store
import TestSupport

/// Texts to vectors without a model: each word has a fixed pseudo-random direction, a text is their sum.
struct WordDirections: TextVectorizer {
    struct Failure: Error {}

    let space = TextSpace(
        id: "words@1", modelID: "words", weightsSHA256: "", description: "{}",
        views: [
            TextView(content: .work, name: "what the work is", weight: 0.5),
            TextView(content: .takes, name: "what it takes", weight: 0.5),
        ], dimension: 384)
    /// Whether it fails from now on.
    let isFailing = Guarded(false)

    func vectors(of texts: [String], role: TextRole) throws -> [[Float]] {
        if isFailing.withLock({ $0 }) { throw Failure() }
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

/// A catalogue of sixteen careers, of which texts find the one whose words they share.
enum SmallCatalogue {
    static let careers: [Career] = [
        career("software-engineer", "Software Engineer", "Technology", "writes programs", aliases: ["Programmer"]),
        career("web-developer", "Web Developer", "Technology", "builds websites for browsers"),
        career("game-developer", "Game Developer", "Technology", "makes games for players"),
        career("cloud-architect", "Cloud Architect", "Technology", "plans servers in datacentres"),
        career("data-scientist", "Data Scientist", "Data & AI", "finds patterns with statistics"),
        career("registered-nurse", "Registered Nurse", "Health Care", "cares for patients in hospital wards"),
        career("illustrator", "Illustrator", "Art & Design", "draws pictures, painting for books"),
        career("accountant", "Accountant", "Finance", "keeps ledgers and taxes"),
        career("teacher", "Secondary School Teacher", "Education", "teaching pupils in classrooms"),
        career("lawyer", "Lawyer", "Law & Public Safety", "argues cases before courts"),
        career("chef", "Chef", "Hospitality & Food", "cooking meals in kitchens"),
        career("farmer", "Farmer", "Agriculture & Environment", "grows crops and raises cattle"),
        career("musician", "Musician", "Media & Performance", "plays music with guitar and piano"),
        career("chemist", "Chemist", "Science & Research", "mixes substances in laboratories"),
        career("electrician", "Electrician", "Skilled Trades", "lays cables and wiring"),
        career("pilot", "Airline Pilot", "Transport", "flies aeroplanes between airports"),
    ]

    private static func career(
        _ id: String, _ name: String, _ cluster: String, _ work: String, aliases: [String] = []
    ) -> Career {
        var random = SplitMix64(seed: id.utf8.reduce(UInt64(0)) { $0 &* 31 &+ UInt64($1) })
        return Career(
            id: id, name: name, aliases: aliases, description: "Somebody who \(work)",
            requiredSkills: [String(work.split(separator: " ").last ?? ""), "patience", "\(id) tools"],
            suitableFor: "People who like \(work)",
            salary: id == "pilot" ? nil : SalaryRange(min: 40_000, max: 90_000, currency: "USD", year: 2024),
            requiredEducation: RequiredEducation(level: .none, text: ""), cluster: cluster,
            abilities: Ability.allCases.map { _ in Double.random(in: 0...10, using: &random) })
    }
}

/// A provider that answers from a script; the last answer is given again and again.
final class ModelScript: OutboundTransport {
    enum Answer: Sendable {
        case text(String, finish: String = "stop")
        case status(Int, body: String = "{}")
        case failure(OutboundError.Code)
    }

    private let answers: Guarded<[Answer]>
    private let asked = Guarded<[String]>([])

    init(_ answers: [Answer]) { self.answers = Guarded(answers) }

    /// The bodies of the requests, as JSON.
    var requests: [String] { asked.withLock { $0 } }

    /// The text of one message of a request.
    func message(_ role: String, of request: Int) throws -> String {
        let messages = try JSONReply.tree(of: requests[request])["messages"]?.elements ?? []
        return messages.filter { $0["role"]?.text == role }.compactMap { $0["content"]?.text }.joined(separator: "\n")
    }

    func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        asked.withLock { $0.append(String(decoding: request.body ?? [], as: UTF8.self)) }
        let answer = answers.withLock { answers in
            answers.count > 1 ? answers.removeFirst() : answers.first ?? .status(500)
        }
        switch answer {
        case .text(let text, let finish):
            let body = JSONTree.members([
                "choices": .array([
                    .members([
                        "index": .int(0), "finish_reason": .string(finish),
                        "message": .members(["role": .string("assistant"), "content": .string(text)]),
                    ])
                ]),
                "usage": .members(["prompt_tokens": .int(100), "completion_tokens": .int(10)]),
            ])
            return OutboundResponse(status: 200, body: Array(body.json.utf8), url: request.url)
        case .status(let status, let body):
            return OutboundResponse(status: status, body: Array(body.utf8), url: request.url)
        case .failure(let code): throw OutboundError(code, "scripted")
        }
    }
}

/// Engine, predefined lists and a scripted model on a database of their own.
struct GenerationFixture {
    let database: any SQLDatabase
    let vectorizer: WordDirections?
    let recommender: Recommender
    let predefined: PredefinedLists

    init(hasVectors: Bool = true, careers: [Career] = SmallCatalogue.careers) async throws {
        database = try await SQLiteDatabase.temporary()
        _ = try await SchemaMigrator().migrate(database)
        vectorizer = hasVectors ? WordDirections() : nil
        let encoder = vectorizer.map { EncodingQueue($0) }
        let built = try await CareerGenerationBuilder(
            database: database, quiz: Quiz(from: Self.asset("quiz.json"))
        ).build(
            CatalogueContent(careers: careers, revision: try await CareerRepository(database).revision()),
            encoder: encoder,
            degradation: hasVectors ? nil : Degradation(reason: .noModel, detail: "no model here"))
        recommender = Recommender(generation: built.generation, encoder: encoder)
        predefined = try PredefinedLists(from: Self.asset("predefined-lists.json"))
    }

    static func asset(_ path: String) throws -> Data {
        try Data(contentsOf: RepositoryRoot.file("Sources/CAssets/\(path)"))
    }

    /// Without a model.
    var maker: ListMaker { ListMaker(recommender: recommender, predefined: predefined) }

    /// With a model that answers by the script.
    func worded(
        by script: ModelScript, calls: Int = 100, market: String = ModelWording.standardMarket,
        change: (inout LLMSettings) -> Void = { _ in }
    ) throws -> (maker: ListMaker, allowance: ModelAllowance) {
        var settings = LLMSettings()
        settings.openAI.key = OutboundSecret("sk-test-0123456789")
        settings.attempts = 1
        change(&settings)
        let time = LLMTime(
            now: { .now }, date: { Date(timeIntervalSince1970: 1_772_100_000) }, pause: { _ in },
            wait: { try await Task.sleep(until: $0, clock: .continuous) }, random: { 0 })
        let gateway = LLMGateway(
            settings: settings, provider: settings.provider(transport: script, time: time), database: database,
            time: time)
        let allowance = ModelAllowance(calls: calls)
        let wording = ModelWording(
            gateway: gateway, prompts: try PromptLibrary(MonitorPrompts.all, database: database), market: market,
            allowance: allowance)
        return (ListMaker(recommender: recommender, predefined: predefined, model: wording), allowance)
    }

    static func student(
        _ interests: String, course: String = "", hometown: String = "", id: String = "u1"
    ) -> StudentInput {
        StudentInput(
            userID: id, username: "login-\(id)", name: "Name of \(id)", hometown: hometown, course: course,
            interests: interests)
    }
}

/// A model's answer in the form that is asked for.
enum ModelAnswer {
    static func words(
        _ reasons: [(id: String, reason: String)],
        adding additions: [(career: String, reason: String)] = [], skills: [String] = ["listening"],
        salary: String = "₹4–8 lakh", industry: String = "Services"
    ) -> ModelScript.Answer {
        .text(
            JSONTree.members([
                "careers": .array(
                    reasons.map { .members(["career_id": .string($0.id), "reason": .string($0.reason)]) }),
                "additions": .array(
                    additions.map { addition in
                        .members([
                            "career": .string(addition.career), "industry": .string(industry),
                            "salary_range": .string(salary), "skills": .array(skills.map(JSONTree.string)),
                            "reason": .string(addition.reason),
                        ])
                    }),
            ]).json)
    }
}
