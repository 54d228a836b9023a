import Foundation
import TestSupport
import Testing

@testable import Embedder

/// The encoder on models written for the test, against plain arithmetic in Double.
struct EncoderTests {
    private static func sequences(_ lengths: [Int], vocabulary: Int) -> [[Int32]] {
        lengths.map { length in (0..<length).map { Int32(($0 * 7 + length) % vocabulary) } }
    }

    @Test(
        arguments: [
            TinyModel(), TinyModel(family: .mpnet), TinyModel(prefix: "bert."), TinyModel(activation: "relu"),
            TinyModel(family: .mpnet, prefix: "mpnet."),
            TinyModel(hidden: 17, heads: 1, intermediate: 5, activation: "gelu_new"),
        ], Pooling.allCases)
    func `computes what the definition says`(model: TinyModel, pooling: Pooling) throws {
        let folder = try model.write()
        let encoder = try folder.use { try TransformerEncoder(folder: $0) }
        let sequences = Self.sequences([1, 2, 3, 9, 16, 17, 30], vocabulary: model.vocabulary.count)
        let vectors = try encoder.encode(sequences, pooling: pooling)
        let reference = ReferenceEncoder(model)
        for (sequence, vector) in zip(sequences, vectors) {
            let expected = reference.encode(sequence.map(Int.init), pooling: pooling)
            let difference = zip(expected, vector).map { abs($0 - Double($1)) }.max() ?? 1
            #expect(difference < 2e-6, "\(sequence.count) tokens")
        }
    }

    @Test(arguments: [TinyModel(), TinyModel(family: .mpnet)], EncoderPrecision.allCases)
    func `gives a text the same vector alone, in company and on several threads`(
        model: TinyModel, precision: EncoderPrecision
    ) throws {
        let encoder = try model.write().use { try TransformerEncoder(folder: $0, precision: precision) }
        let sequences = Self.sequences([5, 30, 1, 12, 30, 2, 7, 30, 30, 30, 9], vocabulary: model.vocabulary.count)
        // Enough for batches side by side on a few cores.
        let together = try encoder.encode(
            Array(repeating: sequences, count: 9).flatMap { $0 }, pooling: .mean, lanes: 4)
        #expect(Array(together.suffix(sequences.count)) == Array(together.prefix(sequences.count)))
        for (sequence, vector) in zip(sequences, together) {
            for lanes in 1...4 {
                #expect(try encoder.encode([sequence], pooling: .mean, lanes: lanes)[0] == vector)
            }
            #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
        }
    }

    @Test(arguments: [
        TinyModel(), TinyModel(family: .mpnet), TinyModel(hidden: 17, heads: 1, intermediate: 5),
    ])
    func `stays close to float32 in 8 bits`(model: TinyModel) throws {
        let folder = try model.write()
        let plain = try folder.use { try TransformerEncoder(folder: $0, precision: .float32) }
        let coded = try folder.use { try TransformerEncoder(folder: $0, precision: .int8) }
        let sequences = Self.sequences([1, 3, 16, 17, 30], vocabulary: model.vocabulary.count)
        for (one, other) in zip(
            try plain.encode(sequences, pooling: .mean), try coded.encode(sequences, pooling: .mean))
        {
            let cosine = zip(one, other).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(cosine > 0.999)
            #expect(one != other)
        }
    }

    @Test func `serves many threads at once`() async throws {
        let model = TinyModel()
        let encoder = try model.write().use { try TransformerEncoder(folder: $0) }
        let sequences = Self.sequences(Array(1...30), vocabulary: model.vocabulary.count)
        let expected = try sequences.map { try encoder.encode([$0], pooling: .mean)[0] }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for (sequence, vector) in zip(sequences, expected) {
                        let again = try encoder.encode([sequence], pooling: .mean)[0]
                        #expect(again == vector)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `refuses token lists that the model cannot read`() throws {
        let model = TinyModel()
        let encoder = try model.write().use { try TransformerEncoder(folder: $0) }
        let rows = model.vocabulary.count
        #expect(throws: EmbedderError.noTokens) { try encoder.encode([[1], []], pooling: .mean) }
        #expect(throws: EmbedderError.invalidTokenID(-1, vocabulary: rows)) {
            try encoder.encode([[-1]], pooling: .mean)
        }
        #expect(throws: EmbedderError.invalidTokenID(Int32(rows), vocabulary: rows)) {
            try encoder.encode([[Int32(rows)]], pooling: .mean)
        }
        #expect(throws: EmbedderError.tooManyTokens(35, maximum: 34)) {
            try encoder.encode([Array(repeating: 1, count: 35)], pooling: .mean)
        }
        #expect(try encoder.encode([], pooling: .mean).isEmpty)
    }

    @Test func `tells weights that make the arithmetic overflow`() throws {
        let model = TinyModel()
        var weights = model.weights
        // The last norm's gain: the largest finite number.
        let name = "encoder.layer.1.output.LayerNorm.weight"
        let entry = try #require(weights.entries.first { $0.name == name })
        let start = try #require(Int(entry.offsets.dropFirst().split(separator: ",")[0]))
        for index in 0..<model.hidden {
            weights.data.replaceSubrange(start + index * 4..<start + index * 4 + 4, with: [0xFF, 0xFF, 0x7F, 0x7F])
        }
        let folder = try model.write()
        try folder.write(weights.file, to: "model.safetensors")
        let encoder = try folder.use { try TransformerEncoder(folder: $0) }
        #expect(throws: EmbedderError.notFinite) { try encoder.encode([[1, 2, 3]], pooling: .mean) }
    }

    @Test(arguments: EncoderPrecision.allCases)
    func `tells queries that overflow in attention`(precision: EncoderPrecision) throws {
        let model = TinyModel()
        var weights = model.weights
        for entry in weights.entries where entry.name.contains("attention.self") && !entry.name.contains("value") {
            let ends = entry.offsets.dropFirst().dropLast().split(separator: ",").compactMap { Int($0) }
            // 1.7e38: finite, and too great to be multiplied.
            for byte in stride(from: ends[0], to: ends[1], by: 4) {
                weights.data.replaceSubrange(byte..<byte + 4, with: [0, 0, 0, 0x7F])
            }
        }
        let folder = try model.write()
        try folder.write(weights.file, to: "model.safetensors")
        let encoder = try folder.use { try TransformerEncoder(folder: $0, precision: precision) }
        for count in [3, 17] {
            #expect(throws: EmbedderError.notFinite) {
                try encoder.encode([Array(1...Int32(count))], pooling: .mean)
            }
        }
    }

    @Test(arguments: [
        ("model_type", "\"llama\""), ("hidden_act", "\"swiglu\""), ("position_embedding_type", "\"relative_key\""),
        ("is_decoder", "true"),
    ])
    func `refuses encoders that are not built in`(key: String, value: String) throws {
        let folder = try TemporaryDirectory("model")
        try TinyModel().write(to: folder, "", settings: [key: value])
        #expect { try TransformerEncoder(folder: folder.url) } throws: {
            ($0 as? EmbedderError)?.code == "unsupported_model"
        }
    }

    @Test(arguments: [
        ("hidden_size", "null"), ("hidden_size", "0"), ("hidden_size", "\"24\""), ("hidden_size", "1e3"),
        ("hidden_size", "99999999999999999999"), ("num_attention_heads", "5"), ("max_position_embeddings", "1"),
        ("layer_norm_eps", "-1"), ("vocab_size", "-3"),
    ])
    func `reports damaged settings`(key: String, value: String) throws {
        let folder = try TemporaryDirectory("model")
        try TinyModel().write(to: folder, "", settings: [key: value])
        #expect { try TransformerEncoder(folder: folder.url) } throws: {
            ($0 as? EmbedderError)?.code == "malformed_file"
        }
    }

    @Test(arguments: [
        ("hidden_size", "48", "malformed_tensor"), ("vocab_size", "4000000", "malformed_tensor"),
        ("num_hidden_layers", "3", "tensor_missing"), ("model_type", "\"mpnet\"", "tensor_missing"),
    ])
    func `reports weights of another model before it takes memory for them`(
        key: String, value: String, code: String
    ) throws {
        let folder = try TemporaryDirectory("model")
        try TinyModel().write(to: folder, "", settings: [key: value])
        #expect { try TransformerEncoder(folder: folder.url) } throws: { ($0 as? EmbedderError)?.code == code }
    }
}
