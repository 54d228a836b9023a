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

    @Option(help: "Texts that ask, one on each line; plain words of --tokens where none are given.")
    var texts: String?

    @Option(help: "Titles to search.")
    var count = 55_000

    @Option(help: "Nearest titles that are asked for.")
    var neighbours = 64

    @Option(help: "Tokens of a text that asks, special tokens included.")
    var tokens = 16

    @OptionGroup var encoder: EncoderOptions

    func validate() throws {
        guard (1...1_000_000).contains(count), neighbours > 0, tokens >= 5, encoder.seconds > 0 else {
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
        var runs: Int
        var instructionSet: String
        var threads: Int
    }

    func run() throws {
        let embedder = try encoder.precision.load(folder: URL(fileURLWithPath: encoder.model))
        var plain = try PlainTexts(embedder)
        var titles = try file.map { try Self.lines(of: $0) } ?? []
        titles = Array(titles.prefix(count))
        let own = titles.count
        while titles.count < count { titles.append(try plain.next(tokens: 5 + titles.count % 4)) }
        let vectors = try embedder.embed(titles, isCached: false)
        let index = CodedVectors(
            dimension: embedder.dimension, codes: vectors.flatMap { CodedVectors.codes(rounding: $0) })
        let asking = try texts.map { try Self.lines(of: $0) } ?? []
        let clock = ContinuousClock()
        var searches: [Duration] = []
        var encodings: [Duration] = []
        let end = clock.now + .seconds(encoder.seconds)
        while searches.count < 100 || (clock.now < end && searches.count < 5_000) {
            // A large step, so that neighbours in the file do not follow one another.
            let text = asking.isEmpty ? try plain.next(tokens: tokens) : asking[searches.count * 997 % asking.count]
            var vector: [Float] = []
            encodings.append(try clock.measure { vector = try embedder.embed([text], isCached: false)[0] })
            var found = 0
            searches.append(clock.measure { found = index.nearest(to: vector, count: neighbours).count })
            precondition(found == min(neighbours, count))
        }
        let (search, encoding) = (Measurement(searches), Measurement(encodings))
        try Figures.say(
            Answer(
                titles: count, ownTitles: own, neighbours: neighbours, searchMedianMs: search.p50Ms,
                searchP99Ms: search.p99Ms, encoderMedianMs: encoding.p50Ms,
                runs: search.runs, instructionSet: "\(InstructionSet.detected)", threads: WorkerThreads.processorCount))
    }

    private static func lines(of path: String) throws -> [String] {
        let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.allSatisfy(\.isWhitespace) }
    }
}
