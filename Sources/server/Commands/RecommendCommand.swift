internal import ArgumentParser
internal import Engine
internal import Foundation
internal import NIOCore
internal import Store

/// `pathlight recommend`
struct RecommendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recommend", abstract: "Recommends careers from a text, answers of the quiz or abilities.")

    @Option(help: "A few lines about a person, in their own words.")
    var text: String?

    @Option(help: "A JSON file of answers: {\"1\": \"a\", \"4\": 3, \"19\": \"…\"}.")
    var answers: String?

    @Option(
        parsing: .unconditional,
        help: "15 numbers from 0 to 10, separated by commas, in the order of the documentation.")
    var abilities: String?

    @Option(parsing: .unconditional, help: "How many careers.")
    var top = RecommendationRequest.defaultTopN

    @Option(parsing: .unconditional, help: "Weight of texts against abilities, 0 to 1 (default 0.7).")
    var alpha: Float?

    @Option(parsing: .unconditional, help: "The most careers of one cluster.")
    var maxPerCluster = 1

    @Flag(help: "Lift the cap per cluster.")
    var noDiversity = false

    @Flag(help: "Take careers that are very likely, but not proven, to be the best: quicker over large catalogues.")
    var approximate = false

    @Flag(help: "Print one JSON document.")
    var json = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if text == nil, answers == nil, abilities == nil {
            throw ValidationError("give --text, --answers or --abilities to recommend from")
        }
        let range = 1...RecommendationRequest.maximumTopN
        if !range.contains(top) { throw ValidationError("--top must be from 1 to \(range.upperBound), not \(top)") }
        if !range.contains(maxPerCluster) {
            throw ValidationError("--max-per-cluster must be from 1 to \(range.upperBound), not \(maxPerCluster)")
        }
        if let alpha, !(0...1).contains(alpha) { throw ValidationError("--alpha must be from 0 to 1, not \(alpha)") }
        _ = try abilityNumbers()
    }

    private func abilityNumbers() throws -> [Double]? {
        guard let abilities else { return nil }
        let numbers = abilities.split(separator: ",", omittingEmptySubsequences: false).map {
            Double($0.trimmingCharacters(in: .whitespaces))
        }
        guard numbers.count == Ability.count, let known = numbers as? [Double], known.allSatisfy(abilityRange.contains)
        else {
            throw ValidationError(
                "--abilities takes \(Ability.count) numbers from 0 to 10, separated by commas: "
                    + Ability.allCases.map(\.rawValue).joined(separator: ","))
        }
        return known
    }

    func run() async throws {
        let (settings, logger) = try common.settings()
        let sheet = try answers.map { try Self.sheet(at: $0, quiz: BuiltInContent.quiz()) }
        let pathways = try await Pathways.open(settings, logger: logger)
        let request = RecommendationRequest(
            answers: sheet, text: text, abilities: try abilityNumbers(), topN: top, alpha: alpha,
            diversity: !noDiversity, maxPerCluster: maxPerCluster, isApproximate: approximate)
        let reply: RecommendationReply
        do {
            reply = try await pathways.recommender.recommend(request)
        } catch let error as RecommendationError {
            throw StartProblem(ProblemTable.service.problem(for: error).detail)
        }
        try await pathways.database.close()
        if let degradation = reply.degradation { Terminal.error("degraded: \(degradation.detail)") }
        if json {
            var writer = JSONWriter(capacity: 16_384)
            RecommendationWriter(reply: reply).write(to: &writer)
            try Terminal.data(String(buffer: writer.finish()))
        } else {
            try Terminal.data(Self.list(reply))
        }
    }

    /// Reads answers from a file, either alone or under `answers`.
    private static func sheet(at path: String, quiz: Quiz) throws -> AnswerSheet {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw StartProblem("\(path) cannot be read: \(error.localizedDescription)")
        }
        do {
            let value = try JSONParser.parse(Array(bytes))
            let body: JSONValue
            if case .object(let object) = value, object["answers"] != nil {
                body = value
            } else {
                var wrapped = JSONObject()
                _ = wrapped.insert("answers", value)
                body = .object(wrapped)
            }
            let sheet = try FieldReader.read(body) { RecommendationReader.answers($0, quiz: quiz, isRequired: true) }
            guard let sheet else { throw StartProblem("\(path) holds no answers") }
            return sheet
        } catch let error as JSONSyntaxError {
            throw StartProblem("\(path) is not JSON: \(error)")
        } catch let problem as HTTPProblem {
            let errors = problem.errors.map { "\($0.path): \($0.message)" }
            throw StartProblem("\(path): \(errors.isEmpty ? problem.detail : errors.joined(separator: "; "))")
        }
    }

    private static func list(_ reply: RecommendationReply) -> String {
        reply.recommendations.map { item in
            let shown = Percent(
                score: item.score, embedding: item.embeddingSimilarity, ability: item.abilitySimilarity,
                alpha: reply.alpha)
            var lines = [
                "\(item.rank). \(item.career.name) — \(shown.score) %, \(item.band.rawValue) (\(item.career.cluster))"
            ]
            lines.append("   \(item.explanation.summary)")
            lines += item.explanation.speaksFor.map { "   + \($0)" }
            lines += item.explanation.speaksAgainst.map { "   − \($0)" }
            return lines.joined(separator: "\n")
        }.joined(separator: "\n\n")
    }
}
