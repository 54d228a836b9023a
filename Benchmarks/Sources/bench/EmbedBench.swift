import Embedder
import Foundation

/// One text at a time through the model, and its dense layers' products alone, in float32, beside it.
struct EmbedBench {
    private let precision: EncoderPrecision
    private let embedder: TextEmbedder
    private let shape: EncoderShape
    private let seconds: Double
    private let plainTexts: PlainTexts

    init(folder: URL, precision: EncoderPrecision, seconds: Double) throws {
        self.precision = precision
        embedder = try precision.load(folder: folder)
        shape = try EncoderShape(folder: folder)
        self.seconds = seconds
        plainTexts = try PlainTexts(embedder)
    }

    /// - Parameter tokens: of the text, special tokens included.
    func row(tokens: Int) throws -> EmbeddingRow {
        Progress.say("embedding: \(tokens) tokens, \(precision.rawValue)")
        var plainTexts = plainTexts
        let texts = try (0..<16).map { _ in try plainTexts.next(tokens: tokens) }
        let products = PlainProducts(shape, tokens: tokens)
        var output = products.makeOutput()
        let times = try Comparison(
            seconds: seconds, leastTurns: 20,
            subject: { _ = try embedder.embedding(of: texts[$0 % texts.count]) },
            references: [{ _ in products.run(into: &output) }])
        return EmbeddingRow(
            model: embedder.modelID, precision: precision, tokens: tokens, time: times.subject,
            tokensPerSecond: Double(tokens) / (times.subject.p50Ms / 1_000), plainProducts: times.references[0],
            timesPlainProducts: times.ratios[0])
    }
}
