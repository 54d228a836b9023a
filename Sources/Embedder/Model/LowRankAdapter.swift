import Foundation
import VectorMath

// A low-rank adapter beside a model's weights, in the files that PEFT writes.

/// The change that an adapter makes to a model's dense layers: W becomes W + (α/r)·B·A, with A (r × inputs) and
/// B (outputs × r) (Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2021).
///
/// A folder with an adapter has no weights of its own beside it: its `adapter_config.json` names the base model, whose
/// folder stands next to it.
final class LowRankAdapter {
    static let settingsName = "adapter_config.json"
    static let weightsName = "adapter_model.safetensors"
    /// What PEFT puts before the names of a model's own layers.
    private static let prefix = "base_model.model."
    private static let ends = (down: ".lora_A.weight", up: ".lora_B.weight")

    /// The base model's id: the last part of the name that the settings give.
    let baseID: String
    private let rank: Int
    private let scale: Float
    private let file: SafetensorsFile
    /// Layers of the file that no layer of the model has taken yet.
    private var waiting: Set<String>

    /// Whether a folder holds an adapter rather than a model.
    static func isAdapter(_ folder: URL) -> Bool {
        ModelFile(folder, settingsName).exists && !ModelFile(folder, "config.json").exists
    }

    /// Reads the settings and the header of the weights.
    ///
    /// - Throws: `EmbedderError`: for a file that is missing or damaged, and `.unsupported` for a kind of adapter that
    ///   is more than a product of two matrices for each layer.
    init(folder: URL) throws(EmbedderError) {
        let settings = try ModelFile(folder, Self.settingsName).json()
        try Self.requirePlain(settings)
        guard let rank = try settings.integer("r", in: 1...4096) else { throw settings.malformed("it has no rank r") }
        guard let alpha = try settings.real("lora_alpha"), alpha.isFinite, alpha > 0 else {
            throw settings.malformed("lora_alpha is no number above 0")
        }
        let name = try settings.string("base_model_name_or_path") ?? ""
        baseID = name.split(separator: "/").last.map(String.init) ?? ""
        guard !baseID.isEmpty else { throw settings.malformed("base_model_name_or_path names no model") }
        self.rank = rank
        let isRankStabilised = try settings.bool("use_rslora") ?? false
        scale = Float(alpha / (isRankStabilised ? Double(rank).squareRoot() : Double(rank)))
        file = try SafetensorsFile(path: ModelFile(folder, Self.weightsName).path)
        waiting = try Self.layers(of: file)
    }

    /// Adds the change of a layer to its weights, (outputs × inputs); nothing where the adapter leaves the layer alone.
    ///
    /// - Throws: `EmbedderError.tensorMissing` or `.malformedTensor` for a change of another shape.
    func merge(
        into weights: inout AlignedBuffer<Float>, of layer: String, inputs: Int, outputs: Int
    ) throws(EmbedderError) {
        guard waiting.remove(layer) != nil else { return }
        let down = try file.floats(Self.prefix + layer + Self.ends.down, shape: [rank, inputs])
        let up = try file.floats(Self.prefix + layer + Self.ends.up, shape: [outputs, rank])
        var change = AlignedBuffer<Float>(count: outputs * inputs, repeating: 0)
        var output = change.mutableSpan
        DenseMath.multiply(
            DenseMatrixView(up.span, rows: outputs, columns: rank),
            DenseMatrixView(down.span, rows: rank, columns: inputs), scale: scale, into: &output)
        let added = change.span
        var merged = weights.mutableSpan
        for i in 0..<outputs * inputs { merged[i] += added[i] }
    }

    /// Checks that the model had every layer that the adapter changes.
    ///
    /// - Throws: `EmbedderError.malformedFile`.
    func requireAllMerged() throws(EmbedderError) {
        guard let left = waiting.min() else { return }
        throw .malformedFile(path: file.path, problem: "it changes the layer '\(left)', which \(baseID) does not have")
    }

    /// Refuses what would change the model otherwise than `merge` does.
    private static func requirePlain(_ settings: ModelSettings) throws(EmbedderError) {
        let kind = try settings.string("peft_type") ?? "none"
        guard kind == "LORA" else { throw settings.unsupported("peft_type", kind, supported: "LORA") }
        for setting in ["use_dora", "fan_in_fan_out"] as [StaticString] where try settings.bool(setting) ?? false {
            throw settings.unsupported("\(setting)", "true", supported: "false")
        }
        let bias = try settings.string("bias") ?? "none"
        guard bias == "none" else { throw settings.unsupported("bias", bias, supported: "none") }
        for setting in ["rank_pattern", "alpha_pattern", "modules_to_save"] as [StaticString] {
            guard let value = settings[setting] else { continue }
            guard value.members?.isEmpty ?? value.elements?.isEmpty ?? false else {
                throw settings.unsupported("\(setting)", "of layers", supported: "none")
            }
        }
    }

    /// The names of the layers of a file, each of which has both matrices.
    private static func layers(of file: borrowing SafetensorsFile) throws(EmbedderError) -> Set<String> {
        var layers: Set<String> = []
        for name in file.header.tensors.keys.sorted() {
            guard name.hasPrefix(prefix), name.hasSuffix(ends.down) || name.hasSuffix(ends.up) else {
                throw .malformedFile(path: file.path, problem: "its tensor '\(name)' is no part of a low-rank adapter")
            }
            let end = name.hasSuffix(ends.down) ? ends.down : ends.up
            layers.insert(String(name.dropFirst(prefix.count).dropLast(end.count)))
        }
        guard !layers.isEmpty else { throw .malformedFile(path: file.path, problem: "it changes no layer") }
        for layer in layers.sorted() {
            for end in [ends.down, ends.up] where file.header.tensors[prefix + layer + end] == nil {
                throw .tensorMissing(path: file.path, tensor: prefix + layer + end)
            }
        }
        return layers
    }
}
