import Embedder
import Foundation
import TestSupport
import Testing

/// The adapter that knows occupations, beside its base model.
private enum OccupationModel {
    static let id = "all-MiniLM-L6-v2-occupations"
    static let folder = RepositoryRoot.file("models/\(id)")
    static let goldens = RepositoryRoot.file("Tests/EmbedderTests/Goldens/occupations.jsonl")

    static let isPresent: Bool =
        InstalledModel.isPresent
        && ["adapter_model.safetensors", "adapter_config.json"].allSatisfy {
            FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path)
        }
    static let skipReason = "the model \(id) or its base is not installed: run scripts/fetch-model"

    static let hasGoldens: Bool = FileManager.default.fileExists(atPath: goldens.path)
    static let goldensMissing = "there are no reference vectors of \(id)"
}

/// The installed adapter against what PEFT and the reference implementation gave.
@Suite(
    .enabled(if: OccupationModel.isPresent, "\(OccupationModel.skipReason)"),
    .enabled(if: OccupationModel.hasGoldens, "\(OccupationModel.goldensMissing)"))
struct OccupationGoldenTests {
    private struct Golden: Decodable {
        let text: String
        let tokens: [Int32]
        let embedding: [Float]

        static func read() throws -> [Golden] {
            // Split on bytes: JSON allows line separators of other kinds inside a string.
            let lines = try Data(contentsOf: OccupationModel.goldens).split(separator: UInt8(ascii: "\n"))
            return try lines.map { try JSONDecoder().decode(Golden.self, from: $0) }
        }
    }

    /// Without a cache, so that every call computes.
    private static let embedder = Result {
        try TextEmbedder(folder: OccupationModel.folder, options: .init(cacheEntries: 0, precision: .float32))
    }

    private static func cosine(_ one: [Float], _ other: [Float]) throws -> Double {
        try SpaceVector(spaceID: "", values: one).cosine(with: SpaceVector(spaceID: "", values: other))
    }

    @Test func `gives the reference's token ids for every text`() throws {
        let embedder = try Self.embedder.get()
        let goldens = try Golden.read()
        #expect(!goldens.isEmpty)
        for golden in goldens {
            #expect(embedder.tokenIDs(of: golden.text) == golden.tokens, "\(golden.text.debugDescription)")
        }
    }

    @Test func `gives the reference's vectors, and its base others`() throws {
        let embedder = try Self.embedder.get()
        let base = try TextEmbedder(folder: InstalledModel.folder, options: .init(precision: .float32))
        #expect(embedder.dimension == 384 && embedder.modelID == OccupationModel.id)
        var unlike = 0
        let goldens = try Golden.read()
        for golden in goldens {
            let similarity = try Self.cosine(embedder.embedding(of: golden.text), golden.embedding)
            #expect(similarity >= 0.99999, "\(golden.text.debugDescription)")
            if try Self.cosine(base.embedding(of: golden.text), golden.embedding) < 0.99999 { unlike += 1 }
        }
        // A text that means nothing may stay where it was; most do not.
        #expect(unlike * 2 > goldens.count)
    }

    /// The bounds that the base model has to keep.
    @Test func `stays close to the reference in 8 bits`() throws {
        let embedder = try TextEmbedder(folder: OccupationModel.folder, options: .init(precision: .int8))
        let goldens = try Golden.read()
        let vectors = try embedder.embed(goldens.map(\.text))
        let cosines = try zip(goldens, vectors).map { try Self.cosine($1, $0.embedding) }
        print("8 bits: mean cosine \(cosines.reduce(0, +) / Double(cosines.count)), least \(cosines.min() ?? 0)")
        #expect(cosines.reduce(0, +) / Double(cosines.count) >= 0.995)
        #expect(cosines.min() ?? 0 >= 0.98)
    }

    @Test func `is a space of its own`() throws {
        let embedder = try Self.embedder.get()
        let base = try TextEmbedder(folder: InstalledModel.folder, options: .init(precision: .float32))
        #expect(try embedder.weightsSHA256() != base.weightsSHA256())
        let space = try embedder.space()
        #expect(space.views.map(\.name) == ["what the work is", "what it takes"])
        #expect(space.id.hasPrefix("\(OccupationModel.id)@"))
    }
}
