import ArgumentParser
import Embedder
import Foundation
import VectorMath

/// Measures embedding texts of one length and prints one JSON document: what `make bench-embed` runs.
struct EmbedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed", abstract: "Measure embedding texts of one length; print one JSON document.")

    @Option(help: "Tokens of a text, special tokens included.")
    var tokens = 16

    @Option(help: "Texts embedded at once.")
    var batch = 1

    @OptionGroup var encoder: EncoderOptions

    @Flag(help: "Answer lines of standard input, each a JSON list of texts; for comparisons in turn.")
    var coProcess = false

    func validate() throws {
        // Of three words there are hundreds of thousands of texts, so none has to be repeated.
        guard tokens >= 5, batch > 0, encoder.seconds > 0 else {
            throw ValidationError("TOKENS takes 5 and more, BATCH and --seconds numbers above 0")
        }
        guard batch <= 100_000, encoder.seconds <= 86_400 else {
            throw ValidationError("BATCH takes up to 100,000, --seconds up to 86,400")
        }
    }

    /// What is printed. Times are milliseconds for all texts of a call, tokenising included.
    private struct Answer: Encodable {
        var model: String
        var precision: EncoderPrecision
        var tokens: Int
        var batch: Int
        var medianMs: Double
        var p90Ms: Double
        var p99Ms: Double
        var maxMs: Double?
        var runs: Int
        var textsPerSecond: Double
        var tokensPerSecond: Double
        /// Of the vector with that of the float32 encoder; the least of all texts checked, and their mean.
        var cosineToFloat32: Double
        var meanCosineToFloat32: Double
        var checkedTexts: Int
        var instructionSet: String
        var threads: Int
    }

    func run() throws {
        let folder = URL(fileURLWithPath: encoder.model)
        let embedder = try encoder.precision.load(folder: folder)
        if coProcess {
            try EmbedCoProcess(embedder: embedder, precision: encoder.precision).run()
            return
        }
        var plainTexts = try PlainTexts(embedder)
        guard tokens <= embedder.maximumTokens else {
            throw ValidationError("\(embedder.modelID) reads at most \(embedder.maximumTokens) tokens")
        }
        // Made outside the timing, a call's texts at a time: how many calls there will be is not known.
        func texts() throws -> [String] { try (0..<batch).map { _ in try plainTexts.next(tokens: tokens) } }
        let clock = ContinuousClock()
        for _ in 0..<3 { _ = try embedder.embed(try texts(), isCached: false) }
        var times: [Duration] = []
        let end = clock.now + .seconds(encoder.seconds)
        while times.count < 10 || (clock.now < end && times.count < 5_000) {
            let texts = try texts()
            times.append(try clock.measure { _ = try embedder.embed(texts, isCached: false) })
        }
        let checked = try (0..<64).map { _ in try plainTexts.next(tokens: tokens) }
        let cosines = try cosines(of: checked, embedder, folder: folder)
        let time = Measurement(times)
        let perSecond = Double(batch) / (time.p50Ms / 1_000)
        let answer = Answer(
            model: embedder.modelID, precision: encoder.precision, tokens: tokens, batch: batch, medianMs: time.p50Ms,
            p90Ms: time.p90Ms, p99Ms: time.p99Ms, maxMs: time.maxMs, runs: time.runs, textsPerSecond: perSecond,
            tokensPerSecond: perSecond * Double(tokens), cosineToFloat32: cosines.min() ?? 0,
            meanCosineToFloat32: cosines.reduce(0, +) / Double(max(cosines.count, 1)), checkedTexts: checked.count,
            instructionSet: "\(InstructionSet.detected)", threads: WorkerThreads.processorCount)
        try Figures.say(answer)
    }

    /// Each text alone by the float32 encoder, against all in calls of `batch`.
    private func cosines(of texts: [String], _ embedder: TextEmbedder, folder: URL) throws -> [Double] {
        let reference = try EncoderPrecision.float32.load(folder: folder)
        let vectors = try stride(from: 0, to: texts.count, by: batch).flatMap { start in
            try embedder.embed(Array(texts[start..<min(start + batch, texts.count)]), isCached: false)
        }
        return try zip(texts, vectors).map { text, vector in
            zip(try reference.embedding(of: text), vector).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
    }
}
