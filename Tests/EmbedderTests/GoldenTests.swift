import Embedder
import Foundation
import TestSupport
import Testing

/// One line of the reference data.
private struct Golden: Decodable {
    var text: String?
    var tokenIDs: [Int32]
    var pooling: String?
    var embedding: [Float]

    enum CodingKeys: String, CodingKey {
        case text, pooling, embedding
        case tokenIDs = "token_ids"
    }

    static func read(_ path: String) throws -> [Golden] {
        try SharedData.lines(path).map { try JSONDecoder().decode(Golden.self, from: Data($0.utf8)) }
    }
}

private func cosine(_ one: [Float], _ other: [Float]) throws -> Double {
    try SpaceVector(spaceID: "", values: one).cosine(with: SpaceVector(spaceID: "", values: other))
}

private let hasGoldens = SharedData.has("embedder/minilm_goldens.jsonl")

/// The installed model against what the reference implementation gave for 190 texts.
@Suite(
    .enabled(if: hasGoldens, "\(SharedData.skipReason)"),
    .enabled(if: InstalledModel.isPresent, "\(InstalledModel.skipReason)"))
struct MiniLMGoldenTests {
    /// Without a cache, so that every call computes.
    private static let embedder = Result {
        try TextEmbedder(folder: InstalledModel.folder, options: .init(cacheEntries: 0, precision: .float32))
    }

    @Test func `gives the reference's token ids for every text`() throws {
        let embedder = try Self.embedder.get()
        let goldens = try Golden.read("embedder/minilm_goldens.jsonl")
        #expect(goldens.count == 190)
        for golden in goldens {
            let text = try #require(golden.text)
            #expect(embedder.tokenIDs(of: text) == golden.tokenIDs, "\(text.debugDescription)")
        }
    }

    @Test func `gives the same token ids from the vocabulary alone`() throws {
        let folder = try TemporaryDirectory("vocabulary")
        for name in [
            "config.json", "vocab.txt", "special_tokens_map.json", "tokenizer_config.json", "model.safetensors",
        ] {
            try FileManager.default.createSymbolicLink(
                at: folder.file(name), withDestinationURL: InstalledModel.folder.appendingPathComponent(name))
        }
        // The model's own limit, which sentence_bert_config.json would give.
        try folder.write(#"{"max_seq_length": 256}"#, to: "sentence_bert_config.json")
        let embedder = try withExtendedLifetime(folder) { try TextEmbedder(folder: folder.url) }
        for golden in try Golden.read("embedder/minilm_goldens.jsonl") {
            let text = try #require(golden.text)
            #expect(embedder.tokenIDs(of: text) == golden.tokenIDs, "\(text.debugDescription)")
        }
    }

    @Test func `gives the reference's vectors, one text at a time`() throws {
        let embedder = try Self.embedder.get()
        #expect(embedder.dimension == 384)
        #expect(embedder.maximumTokens == 256)
        for golden in try Golden.read("embedder/minilm_goldens.jsonl") {
            let text = try #require(golden.text)
            let similarity = try cosine(embedder.embedding(of: text), golden.embedding)
            #expect(similarity >= 0.99999, "\(text.debugDescription)")
        }
    }

    @Test(arguments: [64, 700, 4096])
    func `gives the same vectors in batches`(budget: Int) throws {
        let single = try Self.embedder.get()
        let batched = try TextEmbedder(
            folder: InstalledModel.folder, options: .init(batchTokens: budget, precision: .float32))
        let texts = try Golden.read("embedder/minilm_goldens.jsonl").compactMap(\.text)
        let vectors = try batched.embed(texts)
        for (text, vector) in zip(texts, vectors) {
            let difference = zip(try single.embedding(of: text), vector).map { abs($0 - $1) }.max() ?? 1
            #expect(difference <= 1e-5, "\(text.debugDescription)")
        }
    }

    @Test func `stays close to the reference in 8 bits`() throws {
        let embedder = try TextEmbedder(folder: InstalledModel.folder, options: .init(precision: .int8))
        let goldens = try Golden.read("embedder/minilm_goldens.jsonl")
        let vectors = try embedder.embed(goldens.compactMap(\.text))
        let cosines = try zip(goldens, vectors).map { try cosine($1, $0.embedding) }
        print("8 bits: mean cosine \(cosines.reduce(0, +) / Double(cosines.count)), least \(cosines.min() ?? 0)")
        #expect(cosines.reduce(0, +) / Double(cosines.count) >= 0.995)
        #expect(cosines.min() ?? 0 >= 0.98)
    }

    @Test func `is named by its weights`() throws {
        let embedder = try Self.embedder.get()
        let pinned = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
        #expect(try embedder.weightsSHA256() == pinned)
        let space = try embedder.space()
        #expect(space.views.map(\.name) == ["what the work is", "what it takes"])
        #expect(space.id.hasPrefix("all-MiniLM-L6-v2@"))
    }
}

/// Small models of other families: token ids in, unit vector out.
@Suite(.enabled(if: hasGoldens, "\(SharedData.skipReason)"))
struct TinyGoldenTests {
    @Test(arguments: ["tiny-bert-768-cls", "tiny-mpnet-64-mean"])
    func `gives the reference's vectors`(model: String) throws {
        let encoder = try TransformerEncoder(folder: SharedData.url("embedder/\(model)"))
        let goldens = try Golden.read("embedder/\(model)/goldens.jsonl")
        #expect(goldens.count == 12)
        for golden in goldens {
            let pooling = try #require(golden.pooling.flatMap(Pooling.init))
            let vector = try encoder.encode([golden.tokenIDs], pooling: pooling)[0]
            #expect(try cosine(vector, golden.embedding) >= 0.99999, "\(golden.tokenIDs.count) tokens, \(pooling)")
        }
    }

    @Test(arguments: ["tiny-bert-768-cls", "tiny-mpnet-64-mean"], Pooling.allCases)
    func `gives the same vectors in one batch`(model: String, pooling: Pooling) throws {
        let encoder = try TransformerEncoder(folder: SharedData.url("embedder/\(model)"))
        let texts = try Golden.read("embedder/\(model)/goldens.jsonl").map(\.tokenIDs)
        let together = try encoder.encode(texts, pooling: pooling)
        for (text, vector) in zip(texts, together) {
            let alone = try encoder.encode([text], pooling: pooling)[0]
            #expect(zip(alone, vector).map { abs($0 - $1) }.max() ?? 1 <= 1e-5)
        }
    }
}
