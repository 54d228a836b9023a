import Foundation
import TestSupport
import Testing

@testable import Embedder

/// Whatever bytes an adapter's files have: a clear error, or an embedder that works.
@Suite(.serialized) struct AdapterFuzzTests {
    private static let texts = ["", "unaffable, running!", String(repeating: "want lowest ", count: 20)]
    private static let inputs = 2_000

    private enum Outcome: Equatable {
        case works
        case refused(String)
        /// What should never be.
        case wrong(String)
    }

    private static func outcome(_ folder: AdapterFolder, _ precision: EncoderPrecision) -> Outcome {
        // The base is whole: whatever the adapter's files say, it is listed, and as a problem where it cannot be read.
        let installed = ModelCatalogue(directory: folder.models.url).installed()
        guard installed.map(\.id) == ["adapter", "base"], installed[1].problem == nil else {
            return .wrong("the list has \(installed.map(\.id))")
        }
        do throws(EmbedderError) {
            let embedder = try TextEmbedder(
                folder: folder.models.file("adapter"), options: .init(precision: precision))
            guard installed[0].problem == nil else { return .wrong("what loads is listed as a problem") }
            for vector in try embedder.embed(texts) {
                let norm = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
                guard vector.count == embedder.dimension, abs(norm - 1) < 1e-4 else {
                    return .wrong("a vector of \(vector.count) numbers has length \(norm)")
                }
            }
            _ = try embedder.weightsSHA256()
            return .works
        } catch {
            return error.description.isEmpty ? .wrong("an error says nothing") : .refused(error.code)
        }
    }

    @Test(arguments: ["adapter_config.json", "adapter_model.safetensors"], EncoderPrecision.allCases)
    func `a damaged file is refused, or does no harm`(file: String, precision: EncoderPrecision) throws {
        let folder = try AdapterFolder(
            TinyAdapter(layers: ["encoder.layer.0.attention.self.query", "encoder.layer.0.output.dense"]),
            TinyModel(hidden: 12, layers: 1, intermediate: 16))
        try #require(Self.outcome(folder, precision) == .works)
        let url = folder.models.file("adapter/" + file)
        let whole = Array(try Data(contentsOf: url))
        let seed = file.utf8.reduce(UInt64(precision == .int8 ? 2 : 1)) { $0 &* 31 &+ UInt64($1) }
        var mutator = FileMutator(random: SeededGenerator(seed: seed))
        var counts: [String: Int] = [:]
        for input in 0..<Self.inputs {
            // Written in place: the folder is the test's own, and a new file each time costs more than the test.
            try Data(mutator.mutate(whole)).write(to: url)
            switch Self.outcome(folder, precision) {
            case .works: counts["works", default: 0] += 1
            case .refused(let code): counts[code, default: 0] += 1
            case .wrong(let problem):
                Issue.record("\(problem): input \(input) of \(file), \(mutator.random)")
                return
            }
        }
        // Both happen, or the damage was of one kind only.
        #expect(counts.count >= 2 && counts["works"] != Self.inputs, "\(counts)")
    }

    @Test func `a file that was cut off anywhere is refused`() throws {
        let folder = try AdapterFolder(TinyAdapter(layers: ["encoder.layer.0.attention.self.query"]))
        for file in ["adapter_config.json", "adapter_model.safetensors"] {
            let url = folder.models.file("adapter/" + file)
            let whole = try Data(contentsOf: url)
            for length in 0..<whole.count {
                try whole.prefix(length).write(to: url)
                guard case .refused = Self.outcome(folder, .int8) else {
                    Issue.record("\(file), cut off after \(length) bytes, is not refused")
                    break
                }
            }
            try whole.write(to: url)
        }
        #expect(Self.outcome(folder, .int8) == .works)
    }
}
