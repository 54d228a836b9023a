import Foundation
import TestSupport
import Testing
import VectorMath

@testable import Embedder

private func cosine(_ one: [Float], _ other: [Float]) throws -> Double {
    try SpaceVector(spaceID: "", values: one).cosine(with: SpaceVector(spaceID: "", values: other))
}

/// A small model with an adapter, against what PEFT's own merge of the two gives.
struct AdapterGoldenTests {
    private struct Golden: Decodable {
        let tokens: [Int32]
        let embedding: [Float]

        static func read() throws -> [Golden] {
            let all = try Data(contentsOf: AdapterGoldenTests.folder.appendingPathComponent("goldens.jsonl"))
            return try all.split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(Golden.self, from: $0) }
        }
    }

    private static let folder = RepositoryRoot.file("Tests/EmbedderTests/Goldens/tiny-adapter")

    /// The base has no vocabulary, so that its encoder is all that can be loaded.
    private static func cosines(_ precision: EncoderPrecision, isAdapted: Bool = true) throws -> [Double] {
        let base = folder.appendingPathComponent("base")
        let adapter = try isAdapted ? LowRankAdapter(folder: folder.appendingPathComponent("adapter")) : nil
        #expect(adapter.map { $0.baseID == "base" } ?? true)
        let encoder = try TransformerEncoder(
            folder: base, configuration: ModelConfiguration(ModelFile(base, "config.json").json()),
            precision: precision, adapter: adapter)
        let goldens = try Golden.read()
        #expect(goldens.count == 12)
        let vectors = try encoder.encode(goldens.map(\.tokens), pooling: .mean)
        return try zip(vectors, goldens).map { try cosine($0, $1.embedding) }
    }

    @Test func `gives the vectors of PEFT's merge`() throws {
        for (number, cosine) in try Self.cosines(.float32).enumerated() {
            #expect(cosine >= 0.99999, "golden \(number)")
        }
    }

    /// Else the goldens would say nothing of the merge.
    @Test func `gives others without the adapter`() throws {
        for (number, cosine) in try Self.cosines(.float32, isAdapted: false).enumerated() {
            #expect(cosine < 0.9, "golden \(number)")
        }
    }

    /// The bound is that of any other tiny model in 8 bits: merged before it is rounded, it is one more model.
    @Test func `stays close to them in 8 bits`() throws {
        for (number, cosine) in try Self.cosines(.int8).enumerated() { #expect(cosine > 0.999, "golden \(number)") }
    }
}

/// Adapters beside models that are written for the test.
struct LowRankAdapterTests {
    private static let texts = ["", "unaffable, running!", "a b wanted", "lowest 工 é want runn a b!"]

    private static func embedder(
        _ models: TemporaryDirectory, _ id: String = "adapter", _ precision: EncoderPrecision = .float32
    ) throws -> TextEmbedder {
        try models.use {
            try TextEmbedder(
                folder: $0.appendingPathComponent(id), options: .init(cacheEntries: 0, precision: precision))
        }
    }

    struct Pair: Sendable {
        var adapter: TinyAdapter
        var model: TinyModel
    }

    static let pairs = [
        Pair(adapter: TinyAdapter(), model: TinyModel()),
        Pair(adapter: TinyAdapter(rank: 1, alpha: 1), model: TinyModel(prefix: "bert.")),
        Pair(adapter: TinyAdapter(rank: 8, alpha: 2.5, isRankStabilised: true), model: TinyModel()),
        Pair(
            adapter: TinyAdapter(rank: 30, alpha: 16, layers: ["encoder.layer.1.intermediate.dense"]),
            model: TinyModel()),
        Pair(
            adapter: TinyAdapter(layers: ["encoder.layer.0.attention.attn.q", "encoder.layer.1.attention.attn.o"]),
            model: TinyModel(family: .mpnet)),
    ]

    @Test(arguments: pairs, EncoderPrecision.allCases)
    func `computes what a model with the merged weights computes`(pair: Pair, precision: EncoderPrecision) throws {
        var (adapter, model) = (pair.adapter, pair.model)
        if model.family == .mpnet { model.vocabulary += ["<pad>", "<s>", "</s>", "<mask>"] }
        adapter.seed = 100 + UInt64(adapter.rank)
        let models = try AdapterFolder(adapter, model).models
        try model.write(to: models, "merged")
        try models.write(adapter.merged(into: model).file, to: "merged/model.safetensors")
        let merged = try Self.embedder(models, "merged", precision).embed(Self.texts)
        let adapted = try Self.embedder(models, "adapter", precision).embed(Self.texts)
        let plain = try Self.embedder(models, "base", precision).embed(Self.texts)
        for (position, text) in Self.texts.enumerated() {
            let difference = zip(merged[position], adapted[position]).map { abs($0 - $1) }.max() ?? 1
            // Of weights that differ in the last bit a few codes are rounded the other way.
            #expect(difference < (precision == .float32 ? 1e-5 : 1e-2), "\(text)")
            #expect(try cosine(plain[position], adapted[position]) < 0.9999, "\(text)")
        }
    }

    @Test func `is a model of another sum and another space than its base`() throws {
        // Of 384 dimensions, which a space needs.
        let model = TinyModel(hidden: 384, heads: 3, layers: 1, intermediate: 8)
        var adapter = TinyAdapter(layers: ["encoder.layer.0.attention.self.key"])
        let models = try AdapterFolder(adapter, model).models
        let base = try Self.embedder(models, "base")
        let first = try Self.embedder(models)
        #expect(first.modelID == "adapter" && base.modelID == "base")
        let sums = ["base/model.safetensors", "adapter/adapter_model.safetensors", "adapter/adapter_config.json"]
        let single = try sums.map { SHA256.hash(Array(try Data(contentsOf: models.file($0)))) }
        #expect(try base.weightsSHA256() == single[0])
        #expect(try first.weightsSHA256() == SHA256.hash(Array(single.joined(separator: " ").utf8)))
        #expect(try first.space().id != base.space().id)
        // Other matrices, and the same ones scaled otherwise: each is a space of its own.
        var ids: Set<String> = [try first.space().id]
        var seen: Set<String> = [try base.weightsSHA256(), try first.weightsSHA256()]
        for (seed, alpha) in [(12, 6.0), (12, 7.0), (11, 7.0)] as [(UInt64, Double)] {
            adapter.seed = seed
            adapter.alpha = alpha
            try adapter.write(for: model, to: models, "adapter")
            let changed = try Self.embedder(models)
            #expect(try ids.insert(changed.space().id).inserted, "\(seed), \(alpha)")
            #expect(try seen.insert(changed.weightsSHA256()).inserted, "\(seed), \(alpha)")
        }
    }

    @Test func `is listed as a model like any other`() throws {
        let models = try AdapterFolder().models
        let catalogue = ModelCatalogue(directory: models.url)
        let installed = catalogue.installed()
        #expect(installed.map(\.id) == ["adapter", "base"] && installed.allSatisfy { $0.problem == nil })
        #expect(installed.map(\.family) == ["bert", "bert"] && installed.map(\.dimension) == [24, 24])
        #expect(try catalogue.folder(of: "adapter").lastPathComponent == "adapter")
        #expect(try catalogue.base(of: "adapter") == "base")
        #expect(try catalogue.base(of: "base") == nil)
    }

    @Test(arguments: ["base", "base/config.json", "base/model.safetensors", "adapter/adapter_model.safetensors"])
    func `is listed as a problem where a part of it is gone`(part: String) throws {
        let models = try AdapterFolder().models
        try FileManager.default.removeItem(at: models.file(part))
        let installed = ModelCatalogue(directory: models.url).installed()
        let adapter = try #require(installed.first { $0.id == "adapter" })
        #expect(adapter.problem?.code == (part == "base" ? "model_not_found" : "file_missing"))
        #expect(adapter.family == nil && adapter.dimension == nil)
    }
}
