import Embedder
import Foundation

/// One text at a time through the model, and its dense layers' products alone beside it.
struct EmbedBench {
    private let embedder: TextEmbedder
    private let shape: EncoderShape
    private let seconds: Double
    private let plainTexts: PlainTexts

    init(folder: URL, seconds: Double) throws {
        embedder = try EncoderPrecision.float32.load(folder: folder)
        shape = try EncoderShape(folder: folder)
        self.seconds = seconds
        plainTexts = try PlainTexts(embedder)
    }

    /// - Parameter tokens: of the text, special tokens included.
    func row(tokens: Int) throws -> EmbeddingRow {
        Progress.say("embedding: \(tokens) tokens")
        var plainTexts = plainTexts
        let texts = try (0..<16).map { _ in try plainTexts.next(tokens: tokens) }
        let products = PlainProducts(shape, tokens: tokens)
        var output = products.makeOutput()
        let times = try Comparison(
            seconds: seconds, leastTurns: 20,
            subject: { _ = try embedder.embedding(of: texts[$0 % texts.count]) },
            references: [{ _ in products.run(into: &output) }])
        return EmbeddingRow(
            model: embedder.modelID, tokens: tokens, time: times.subject,
            tokensPerSecond: Double(tokens) / (times.subject.p50Ms / 1_000), plainProducts: times.references[0],
            timesPlainProducts: times.ratios[0])
    }
}
