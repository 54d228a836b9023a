import Foundation
import TestSupport
import Testing

@testable import Embedder

/// Adapters that are refused, each by an error that says what for.
struct AdapterRefusalTests {
    /// What loading an adapter beside a tiny model throws.
    private static func error(
        _ adapter: TinyAdapter, _ change: (TemporaryDirectory) throws -> Void = { _ in }
    ) throws -> EmbedderError? {
        let folder = try AdapterFolder(adapter)
        try change(folder.models)
        do throws(EmbedderError) {
            let embedder = try TextEmbedder(folder: folder.models.file("adapter"))
            Issue.record("\(embedder.modelID) was loaded")
            return nil
        } catch {
            #expect(!error.description.isEmpty)
            return error
        }
    }

    @Test(arguments: [
        ("peft_type", "\"LOHA\"", "LOHA", "LORA"), ("peft_type", "null", "none", "LORA"),
        ("use_dora", "true", "true", "false"), ("fan_in_fan_out", "true", "true", "false"),
        ("bias", "\"all\"", "all", "none"), ("bias", "\"lora_only\"", "lora_only", "none"),
        ("rank_pattern", "{\"query\": 8}", "of layers", "none"),
        ("alpha_pattern", "{\"query\": 8}", "of layers", "none"),
        ("modules_to_save", "[\"pooler\"]", "of layers", "none"), ("modules_to_save", "7", "of layers", "none"),
    ])
    func `another kind is refused by its setting`(
        setting: String, json: String, value: String, supported: String
    ) throws {
        let error = try Self.error(TinyAdapter(changed: [setting: json]))
        guard case .unsupported(let path, setting, value, supported)? = error else {
            return #expect(Bool(false), "\(error as Any)")
        }
        #expect(path.hasSuffix("adapter/adapter_config.json"))
    }

    @Test(arguments: [
        ("r", "null"), ("r", "0"), ("r", "-3"), ("r", "\"3\""), ("r", "3.5"), ("r", "99999999999999999999"),
        ("lora_alpha", "null"), ("lora_alpha", "0"), ("lora_alpha", "-6"), ("lora_alpha", "\"6\""),
        ("lora_alpha", "1e999"), ("base_model_name_or_path", "null"), ("base_model_name_or_path", "\"\""),
        ("base_model_name_or_path", "\"/\""), ("base_model_name_or_path", "[]"), ("use_rslora", "1"),
        ("use_dora", "\"no\""), ("bias", "false"), ("peft_type", "3"),
    ])
    func `a damaged setting is named`(setting: String, json: String) throws {
        let error = try Self.error(TinyAdapter(changed: [setting: json]))
        guard case .malformedFile(let path, _)? = error else { return #expect(Bool(false), "\(error as Any)") }
        #expect(path.hasSuffix("adapter/adapter_config.json"))
    }

    @Test func `a missing base is named, with the directory where it should be`() throws {
        let error = try Self.error(TinyAdapter(base: "elsewhere"))
        guard case .modelNotFound("elsewhere", let directory)? = error else {
            return #expect(Bool(false), "\(error as Any)")
        }
        #expect(directory.contains("models"))
        #expect(error?.description.contains("models fetch elsewhere") == true)
    }

    @Test(arguments: ["..", ".hidden", "a\\\\b", "a\\u0000"])
    func `a base's name leads nowhere else`(name: String) throws {
        let error = try Self.error(TinyAdapter(changed: ["base_model_name_or_path": "\"../\(name)\""]))
        #expect(error?.code == "invalid_model_id")
    }

    @Test func `an adapter of an adapter is refused`() throws {
        let error = try Self.error(TinyAdapter(base: "second")) {
            try TinyAdapter().write(for: TinyModel(), to: $0, "second")
        }
        guard case .unsupported(_, "base_model_name_or_path", "second", _)? = error else {
            return #expect(Bool(false), "\(error as Any)")
        }
        // Its own base, without end.
        #expect(try Self.error(TinyAdapter(base: "adapter"))?.code == "unsupported_model")
    }

    @Test(arguments: ["A", "B"])
    func `a missing matrix is named`(matrix: String) throws {
        let name = TinyAdapter.tensor("encoder.layer.1.attention.self.value", matrix)
        let error = try Self.error(TinyAdapter(omitted: [name]))
        guard case .tensorMissing(let path, name)? = error else { return #expect(Bool(false), "\(error as Any)") }
        #expect(path.hasSuffix("adapter/adapter_model.safetensors"))
    }

    @Test(arguments: [
        "base_model.model.encoder.layer.0.attention.self.query.lora_magnitude_vector.weight",
        "encoder.layer.0.attention.self.query.lora_A.weight", "base_model.model.pooler.dense.weight",
    ])
    func `a tensor that is no part of an adapter is named`(name: String) throws {
        let error = try Self.error(TinyAdapter(added: [name]))
        guard case .malformedFile(_, let problem)? = error else { return #expect(Bool(false), "\(error as Any)") }
        #expect(problem.contains(name))
    }

    @Test func `an adapter that changes nothing is refused`() throws {
        #expect(try Self.error(TinyAdapter(layers: []))?.code == "malformed_file")
    }

    @Test(arguments: [
        "encoder.layer.9.attention.self.query", "encoder.layer.0.attention.self.querying", "pooler.output",
    ])
    func `a layer that the base does not have is named`(layer: String) throws {
        let error = try Self.error(TinyAdapter(layers: ["encoder.layer.0.attention.self.query", layer]))
        guard case .malformedFile(let path, let problem)? = error else {
            return #expect(Bool(false), "\(error as Any)")
        }
        #expect(problem.contains("'\(layer)'") && problem.contains("base"))
        #expect(path.hasSuffix("adapter/adapter_model.safetensors"))
    }

    @Test func `matrices of another rank or of another model are refused`() throws {
        let layer = "encoder.layer.0.attention.self.query"
        let name = TinyAdapter.tensor(layer, "A")
        let ranked = try Self.error(TinyAdapter(layers: [layer], changed: ["r": "2"]))
        let lower = TensorProblem.unexpectedShape([3, 24], expected: [2, 24])
        guard case .malformedTensor(_, name, lower)? = ranked else {
            return #expect(Bool(false), "\(ranked as Any)")
        }
        let other = try Self.error(TinyAdapter(layers: [layer])) {
            try TinyAdapter(layers: [layer]).write(for: TinyModel(hidden: 12), to: $0, "adapter")
        }
        let narrower = TensorProblem.unexpectedShape([3, 12], expected: [3, 24])
        guard case .malformedTensor(_, name, narrower)? = other else {
            return #expect(Bool(false), "\(other as Any)")
        }
    }

    @Test(arguments: [0, 7, 100, 500, 1_500])
    func `a file that was cut off is told before the model is loaded`(bytes: Int) throws {
        let folder = try AdapterFolder()
        let whole = try Data(contentsOf: folder.models.file("adapter/adapter_model.safetensors"))
        try #require(whole.count > 1_500)
        try folder.models.write(whole.prefix(bytes), to: "adapter/adapter_model.safetensors")
        let installed = ModelCatalogue(directory: folder.models.url).installed()
        let problem = try #require(installed.first { $0.id == "adapter" }?.problem)
        #expect(problem.description.contains("cut off"), "\(problem)")
    }

    @Test(arguments: EncoderPrecision.allCases)
    func `an adapter that makes the arithmetic overflow gives no vectors`(precision: EncoderPrecision) throws {
        let folder = try AdapterFolder(TinyAdapter(changed: ["lora_alpha": "1e300"]))
        let embedder = try folder.models.use {
            try TextEmbedder(folder: $0.appendingPathComponent("adapter"), options: .init(precision: precision))
        }
        #expect(throws: EmbedderError.notFinite) { try embedder.embed(["unaffable, running!"]) }
    }
}
