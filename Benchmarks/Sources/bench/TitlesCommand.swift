import ArgumentParser
import Embedder
import Foundation
import VectorIndex
import VectorMath

/// Measures the search that grounding adds to a text, among job titles; what `make bench-titles` runs.
struct TitlesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "titles",
        abstract: "Measure the search for a text's nearest titles and the encoder beside it; print one JSON document.")

    @Option(help: "Titles, one on each line: O*NET's, say. What is short of --count is made up of plain words.")
    var file: String?

    @Option(help: "Titles to search.")
    var count = 55_000

    @Option(help: "Nearest titles that are asked for.")
    var neighbours = 64

    @Option(help: "Tokens of a text that asks, special tokens included.")
    var tokens = 16

    @Option(help: "What the encoder computes in: float32 or int8.")
    var precision = EncoderPrecision.int8

    @Option(help: "Seconds to measure, at least.")
    var seconds = 3.0

    @Option(help: "The model's folder.")
    var model = "models/all-MiniLM-L6-v2"

    func validate() throws {
        guard (1...1_000_000).contains(count), neighbours > 0, tokens >= 5, seconds > 0 else {
            throw ValidationError(
                "--count takes 1 to 1,000,000, --tokens 5 and more, the others numbers above 0")
        }
    }

    /// Times are milliseconds for one text.
    private struct Answer: Encodable {
        var titles: Int
        var ownTitles: Int
        var neighbours: Int
        var searchMedianMs: Double
        var searchP99Ms: Double
        var encoderMedianMs: Double
        /// Titles that were scored in float32, in the mean; bounds ruled the others out.
        var rescored: Double
        var runs: Int
        var instructionSet: String
        var threads: Int
    }

    func run() throws {
        let embedder = try precision.load(folder: URL(fileURLWithPath: model))
        var plain = try PlainTexts(embedder)
        var titles = try file.map { try Self.lines(of: $0) } ?? []
        titles = Array(titles.prefix(count))
        let own = titles.count
        while titles.count < count { titles.append(try plain.next(tokens: 5 + titles.count % 4)) }
        let layout = RowLayout(embeddingCount: embedder.dimension, abilityCount: 0)
        let vectors = try embedder.embed(titles, isCached: false)
        let index = try LiveIndex(layout: layout).replaceAll(
            with: vectors.enumerated().map {
                IndexItem(id: ItemID(String($0.offset)), embedding: $0.element, abilities: [])
            })
        let clock = ContinuousClock()
        var searches: [Duration] = []
        var encodings: [Duration] = []
        var rescored = 0
        let end = clock.now + .seconds(seconds)
        while searches.count < 100 || (clock.now < end && searches.count < 5_000) {
            let text = try plain.next(tokens: tokens)
            var vector: [Float] = []
            encodings.append(try clock.measure { vector = try embedder.embed([text], isCached: false)[0] })
            let query = try FusedQuery(embedding: vector, abilities: [], alpha: 1, lambda: 1, layout: layout)
            searches.append(
                try clock.measure {
                    rescored += try index.search(SearchRequest(query: query, limit: neighbours)).rescored
                })
        }
        let (search, encoder) = (Measurement(searches), Measurement(encodings))
        try Figures.say(
            Answer(
                titles: count, ownTitles: own, neighbours: neighbours, searchMedianMs: search.p50Ms,
                searchP99Ms: search.p99Ms, encoderMedianMs: encoder.p50Ms,
                rescored: Double(rescored) / Double(searches.count), runs: search.runs,
                instructionSet: "\(InstructionSet.detected)", threads: WorkerThreads.processorCount))
    }

    private static func lines(of path: String) throws -> [String] {
        let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.allSatisfy(\.isWhitespace) }
    }
}
