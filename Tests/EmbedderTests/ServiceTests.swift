import Foundation
import TestSupport
import Testing

@testable import Embedder

/// Texts to vectors: order, batches, cache.
struct TextEmbedderTests {
    private static let texts = ["unwanted running", "a", "", "low, lowest!", "a b b a", "unwanted running", "A"]

    @Test(arguments: [1, 7, 4096], [0, 2, 100])
    func `keeps the order of texts, whatever batches and cache do`(budget: Int, entries: Int) throws {
        let folder = try TinyModel().write()
        let single = try folder.use { try TextEmbedder(folder: $0, options: .init(cacheEntries: 0)) }
        let embedder = try folder.use {
            try TextEmbedder(folder: $0, options: .init(batchTokens: budget, cacheEntries: entries))
        }
        for _ in 0..<3 {
            let vectors = try embedder.embed(Self.texts)
            for (text, vector) in zip(Self.texts, vectors) {
                let alone = try single.embedding(of: text)
                #expect(zip(alone, vector).map { abs($0 - $1) }.max() ?? 1 <= 1e-5)
            }
        }
        #expect(try embedder.embed([]).isEmpty)
    }

    @Test func `computes each different text once`() throws {
        let embedder = try TinyModel().write().use { try TextEmbedder(folder: $0) }
        _ = try embedder.embed(Self.texts)
        // "a" and "A" are one text to this model, and one text is there twice.
        #expect(embedder.statistics == EmbeddingStatistics(hits: 2, misses: 5, tokens: 7 + 3 + 2 + 7 + 6, entries: 5))
        _ = try embedder.embed(Self.texts)
        #expect(embedder.statistics == EmbeddingStatistics(hits: 9, misses: 5, tokens: 25, entries: 5))
    }

    @Test func `drops what was not asked for the longest`() {
        let cache = EmbeddingCache(capacity: 2)
        cache.insert([([1], [1]), ([2], [2])])
        #expect(cache.vectors(of: [[1]]) == [[1]])
        cache.insert([([3], [3])])
        #expect(cache.vectors(of: [[1], [2], [3]]) == [[1], nil, [3]])
        cache.insert([([3], [4])])
        #expect(cache.vectors(of: [[1], [3]]) == [[1], [4]])
        #expect(cache.statistics.entries == 2)
    }

    @Test func `holds what a plain model of the cache holds`() {
        let cache = EmbeddingCache(capacity: 5)
        var order: [Int32] = []
        var random = SeededGenerator(seed: 17)
        for _ in 0..<5000 {
            let key = Int32.random(in: 0..<12, using: &random)
            if Bool.random(using: &random) {
                cache.insert([([key], [Float(key)])])
                order.removeAll { $0 == key }
                order.append(key)
                if order.count > 5 { order.removeFirst() }
            } else {
                let known = order.contains(key)
                #expect(cache.vectors(of: [[key]]) == [known ? [Float(key)] : nil], "\(random)")
                if known {
                    order.removeAll { $0 == key }
                    order.append(key)
                }
            }
        }
    }

    @Test func `cuts batches by the budget, longest first`() {
        let lengths = [3, 1, 9, 2, 2, 5]
        let batches = TokenBatches(lengths.map { Array(repeating: 0, count: $0) }, budget: 6).map { $0.map(\.count) }
        #expect(batches == [[9], [5], [3, 2], [2, 1]])
    }

    @Test func `honours the folder's length and pooling, and the caller's`() throws {
        let folder = try TinyModel().write()
        try folder.write(#"{"max_seq_length": 5}"#, to: "sentence_bert_config.json")
        try folder.write(
            #"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#, to: "1_Pooling/config.json")
        let embedder = try folder.use { try TextEmbedder(folder: $0) }
        #expect(embedder.maximumTokens == 5)
        #expect(embedder.tokenIDs(of: "a a a a a a") == [2, 17, 17, 17, 3])
        #expect(embedder.pooling == .cls)
        #expect(try folder.use { try TextEmbedder(folder: $0, options: .init(pooling: .mean)) }.pooling == .mean)
    }

    @Test(arguments: [
        ("1_Pooling/config.json", #"{"pooling_mode_max_tokens": true}"#),
        ("1_Pooling/config.json", #"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}"#),
        ("1_Pooling/config.json", #"{"pooling_mode": "lasttoken"}"#),
        ("modules.json", #"[{"type": "sentence_transformers.models.Dense", "path": "2_Dense"}]"#),
    ])
    func `refuses pipelines that are not built in`(file: String, content: String) throws {
        let folder = try TinyModel().write()
        try folder.write(content, to: file)
        #expect { try folder.use { try TextEmbedder(folder: $0) } } throws: {
            ($0 as? EmbedderError)?.code == "unsupported_model"
        }
    }

    @Test func `refuses a tokenizer with more tokens than the model has`() throws {
        var model = TinyModel()
        let folder = try model.write()
        model.vocabulary.append("extra")
        try folder.write(model.vocabulary.joined(separator: "\n"), to: "vocab.txt")
        #expect { try folder.use { try TextEmbedder(folder: $0) } } throws: {
            ($0 as? EmbedderError)?.code == "vocabulary_too_large"
        }
    }
}

/// Rows of the index and what may be compared.
struct EmbeddingSpaceTests {
    private static func space(_ dimension: Int = 384, weights: [Double]? = nil, model: String = "m") throws
        -> EmbeddingSpace
    {
        try EmbeddingSpace(
            modelID: model, weightsSHA256: "00", pooling: "mean", dimension: dimension, weights: weights)
    }

    private static func vector(_ count: Int, _ random: inout SeededGenerator) -> [Float] {
        (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
    }

    @Test(arguments: [384, 768])
    func `fills a row so that its cosine is the weighted sum of its views' cosines`(dimension: Int) throws {
        let space = try Self.space(dimension, weights: dimension == 384 ? [3, 1] : nil)
        var random = SeededGenerator(seed: 23)
        let rows = try (0..<2).map { _ in
            SpaceVector(
                spaceID: space.id,
                values: try space.row(views: space.views.map { _ in Self.vector(dimension, &random) }))
        }
        for row in rows {
            #expect(row.values.count == 768)
            #expect(abs(row.values.reduce(0) { $0 + Double($1) * Double($1) } - 1) < 1e-6)
        }
        let cosines = try space.viewCosines(rows[0], rows[1])
        let sum = zip(cosines, space.views).reduce(0) { $0 + $1.0 * $1.1.weight }
        #expect(abs(try rows[0].cosine(with: rows[1]) - sum) < 1e-6)
    }

    @Test func `lets a missing view take the other's vector`() throws {
        let space = try Self.space()
        var random = SeededGenerator(seed: 29)
        let vector = Self.vector(384, &random)
        let row = try space.row(views: [nil, vector])
        #expect(Array(row[..<384]) == Array(row[384...]))
        #expect(try space.row(views: [vector, nil]) == row)
    }

    @Test func `refuses vectors that make no row`() throws {
        let space = try Self.space()
        let good = [Float](repeating: 1, count: 384)
        #expect(throws: EmbedderError.wrongDimension(383, expected: 384)) {
            try space.row(views: [good, Array(good.dropLast())])
        }
        let bad: [[[Float]?]] = [
            [nil, nil], [good], [Array(repeating: 0, count: 384), good], [Array(repeating: .nan, count: 384), nil],
        ]
        for views in bad {
            #expect { try space.row(views: views) } throws: { ($0 as? EmbedderError)?.code == "invalid_views" }
        }
    }

    @Test func `refuses dimensions and weights that make no space`() {
        #expect(throws: EmbedderError.unsupportedDimension(64, supported: [384, 768])) { try Self.space(64) }
        for weights in [[1.0], [1, 0], [1, -1], [1, .nan], [1, .infinity], [1, 2, 3]] {
            #expect { try Self.space(weights: weights) } throws: { ($0 as? EmbedderError)?.code == "invalid_views" }
        }
    }

    @Test func `has an id that changes with everything it depends on`() throws {
        let spaces = [
            try Self.space(), try Self.space(weights: [0.6, 0.4]), try Self.space(768), try Self.space(model: "n"),
            try EmbeddingSpace(modelID: "m", weightsSHA256: "01", pooling: "mean", dimension: 384),
            try EmbeddingSpace(modelID: "m", weightsSHA256: "00", pooling: "cls", dimension: 384),
            try EmbeddingSpace(modelID: "m", weightsSHA256: "00", pooling: "mean", queryPrefix: "q", dimension: 384),
            try EmbeddingSpace(modelID: "m", weightsSHA256: "00", pooling: "mean", documentPrefix: "q", dimension: 384),
            try EmbeddingSpace(modelID: "m", weightsSHA256: "00", pooling: "mean", dimension: 384, composition: "c"),
            try EmbeddingSpace(
                modelID: "m", weightsSHA256: "00", pooling: "mean", dimension: 384, composition: "c", precision: .int8),
            try EmbeddingSpace(modelID: "m", weightsSHA256: "00", pooling: "mean", dimension: 384, precision: .int8),
            try EmbeddingSpace(modelID: "m", weightsSHA256: "00", pooling: "mean", dimension: 384, composition: "int8"),
        ]
        #expect(Set(spaces.map(\.id)).count == spaces.count)
        // Weights are shares: the same ones however they are scaled. And an id is for ever.
        #expect(try Self.space(weights: [2, 2]).id == spaces[0].id)
        #expect(spaces[0].id == "m@616b14794b58c68b")
    }

    @Test func `refuses to compare vectors of two spaces`() throws {
        let one = SpaceVector(spaceID: "a", values: [1, 0])
        #expect(throws: EmbedderError.differentSpaces("a", "b")) {
            try one.cosine(with: SpaceVector(spaceID: "b", values: [1, 0]))
        }
        #expect(throws: EmbedderError.wrongDimension(1, expected: 2)) {
            try one.cosine(with: SpaceVector(spaceID: "a", values: [1]))
        }
        #expect(try one.cosine(with: SpaceVector(spaceID: "a", values: [-2, 0])) == -1)
        #expect(try one.cosine(with: SpaceVector(spaceID: "a", values: [0, 0])) == 0)
        #expect {
            try Self.space().viewCosines(one, one)
        } throws: { ($0 as? EmbedderError)?.code == "different_spaces" }
    }
}
