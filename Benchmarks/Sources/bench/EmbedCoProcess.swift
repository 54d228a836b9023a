import Embedder
import Foundation
import VectorMath

/// Embeds lists of texts that come over standard input, so that another program can ask this engine and others in turn.
struct EmbedCoProcess {
    let embedder: TextEmbedder
    let precision: EncoderPrecision

    private struct Ready: Encodable {
        var model: String
        var precision: EncoderPrecision
        var dimension: Int
        var instructionSet: String
        var threads: Int
    }

    private struct Answer: Encodable {
        /// From the texts to the vectors, tokenising included.
        var ms: Double
        /// Of all texts, special tokens included.
        var tokens: Int
        var vectors: [[Float]]
    }

    func run() throws {
        try JSONLines.say(
            Ready(
                model: embedder.modelID, precision: precision, dimension: embedder.dimension,
                instructionSet: "\(InstructionSet.detected)", threads: WorkerThreads.processorCount))
        let clock = ContinuousClock()
        while let line = readLine() {
            guard let texts = try? JSONDecoder().decode([String].self, from: Data(line.utf8)) else {
                throw CoProcessError.noTexts(line)
            }
            var vectors: [[Float]] = []
            let time = try clock.measure { vectors = try embedder.embed(texts, isCached: false) }
            try JSONLines.say(
                Answer(
                    ms: time / .milliseconds(1), tokens: texts.reduce(0) { $0 + embedder.tokenIDs(of: $1).count },
                    vectors: vectors))
        }
    }
}
