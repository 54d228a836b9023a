import Embedder
import Foundation

/// One text at a time through the model, and its dense layers' products alone beside it.
struct EmbedBench {
    private let embedder: TextEmbedder
    private let shape: EncoderShape
    private let seconds: Double
    /// Words of one token each.
    private let words: [String]

    init(folder: URL, seconds: Double) throws {
        embedder = try TextEmbedder(folder: folder, options: .init(cacheEntries: 0))
        shape = try EncoderShape(folder: folder)
        self.seconds = seconds
        let embedder = embedder
        // A text of one word has three tokens: the word's and the two that frame it.
        words = Self.candidates.filter { embedder.tokenIDs(of: $0).count == 3 }
        guard words.count > 10 else { throw EmbedBenchError.fewPlainWords(model: embedder.modelID) }
    }

    /// - Parameter tokens: of the text, special tokens included.
    func row(tokens: Int) throws -> EmbeddingRow {
        Progress.say("embedding: \(tokens) tokens")
        let texts = (0..<16).map { text(tokens: tokens, number: $0) }
        let found = embedder.tokenIDs(of: texts[0]).count
        guard found == tokens else { throw EmbedBenchError.wrongLength(wanted: tokens, found: found) }
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

    private func text(tokens: Int, number: Int) -> String {
        (0..<tokens - 2).map { words[($0 * 7 + number) % words.count] }.joined(separator: " ")
    }

    private static let candidates = """
        i like to work with people and animals help children learn at school build houses repair cars write stories \
        draw pictures play music cook food plan trips grow plants sell things solve hard problems count money speak \
        in public care for old persons read books about history nature health law art sport science design web pages \
        manage a small team travel by train or ship use my hands tools computers numbers
        """.split(separator: " ").map(String.init)
}

enum EmbedBenchError: Error, CustomStringConvertible {
    case fewPlainWords(model: String)
    case wrongLength(wanted: Int, found: Int)

    var description: String {
        switch self {
        case .fewPlainWords(let model):
            "the vocabulary of \(model) has few English words, so no text has a known length"
        case .wrongLength(let wanted, let found): "a text meant to have \(wanted) tokens has \(found)"
        }
    }
}
