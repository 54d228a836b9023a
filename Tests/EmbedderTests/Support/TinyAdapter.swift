import Foundation
import TestSupport

/// A low-rank adapter with random matrices for a `TinyModel`, in the files that PEFT writes.
struct TinyAdapter: Sendable {
    var base = "base"
    var rank = 3
    var alpha = 6.0
    var isRankStabilised = false
    var layers = [
        "encoder.layer.0.attention.self.query", "encoder.layer.0.intermediate.dense",
        "encoder.layer.1.attention.self.value", "encoder.layer.1.attention.output.dense",
        "encoder.layer.1.output.dense",
    ]
    /// Entries of adapter_config.json that take the place of the right ones, as JSON.
    var changed: [String: String] = [:]
    /// Tensors that are left out, and such as no adapter has.
    var omitted: Set<String> = []
    var added: [String] = []
    var seed: UInt64 = 11

    var settings: String {
        let right = [
            "peft_type": "\"LORA\"", "base_model_name_or_path": "\"somebody/\(base)\"", "r": "\(rank)",
            "lora_alpha": "\(alpha)", "bias": "\"none\"", "use_dora": "false", "fan_in_fan_out": "false",
            "use_rslora": "\(isRankStabilised)", "rank_pattern": "{}", "alpha_pattern": "{}",
            "modules_to_save": "null",
        ]
        let entries = right.merging(changed) { $1 }.map { "\"\($0)\": \($1)" }
        return "{" + entries.sorted().joined(separator: ", ") + "}"
    }

    static func tensor(_ layer: String, _ matrix: String) -> String {
        "base_model.model.\(layer).lora_\(matrix).weight"
    }

    func weights(for model: TinyModel) -> SafetensorsWriter {
        var random = SeededGenerator(seed: seed)
        var writer = SafetensorsWriter()
        func add(_ name: String, _ shape: [Int]) {
            let values = (0..<shape.reduce(1, *)).map { _ in Float.random(in: -0.4...0.4, using: &random) }
            if !omitted.contains(name) { writer.add(name, shape, values) }
        }
        for layer in layers {
            let (inputs, outputs) = Self.shape(of: layer, in: model)
            add(Self.tensor(layer, "A"), [rank, inputs])
            add(Self.tensor(layer, "B"), [outputs, rank])
        }
        for name in added { add(name, [2]) }
        return writer
    }

    /// The model's weights with the adapter's change added by hand, in Double and entry by entry.
    func merged(into model: TinyModel) -> SafetensorsWriter {
        let own = weights(for: model)
        var merged = model.weights
        let scale = alpha / (isRankStabilised ? Double(rank).squareRoot() : Double(rank))
        for layer in layers {
            let (inputs, outputs) = Self.shape(of: layer, in: model)
            let down = own.floats(of: Self.tensor(layer, "A"))
            let up = own.floats(of: Self.tensor(layer, "B"))
            var values = merged.floats(of: model.prefix + layer + ".weight")
            for output in 0..<outputs {
                for input in 0..<inputs {
                    let change = (0..<rank).reduce(0) {
                        $0 + Double(up[output * rank + $1]) * Double(down[$1 * inputs + input])
                    }
                    let place = output * inputs + input
                    values[place] = Float(Double(values[place]) + scale * change)
                }
            }
            merged.replace(model.prefix + layer + ".weight", by: values)
        }
        return merged
    }

    /// Writes the adapter into the subfolder `name` of `folder`.
    func write(for model: TinyModel, to folder: TemporaryDirectory, _ name: String) throws {
        try folder.write(settings, to: name + "/adapter_config.json")
        try folder.write(weights(for: model).file, to: name + "/adapter_model.safetensors")
    }

    private static func shape(of layer: String, in model: TinyModel) -> (inputs: Int, outputs: Int) {
        if layer.contains("attention") { return (model.hidden, model.hidden) }
        return layer.hasSuffix("intermediate.dense")
            ? (model.hidden, model.intermediate) : (model.intermediate, model.hidden)
    }
}

/// A models directory with a model in `base` and an adapter for it in `adapter`.
struct AdapterFolder {
    let models: TemporaryDirectory

    init(_ adapter: TinyAdapter = TinyAdapter(), _ model: TinyModel = TinyModel()) throws {
        models = try TemporaryDirectory("models")
        try model.write(to: models, "base")
        try adapter.write(for: model, to: models, "adapter")
    }
}

extension SafetensorsWriter {
    /// Where the data of a float32 tensor is.
    private func place(of name: String) -> Range<Int> {
        guard let entry = entries.first(where: { $0.name == name }) else { return 0..<0 }
        let ends = entry.offsets.dropFirst().dropLast().split(separator: ",").map { Int($0) ?? 0 }
        return ends[0]..<ends[1]
    }

    func floats(of name: String) -> [Float] {
        let place = place(of: name)
        return stride(from: place.lowerBound, to: place.upperBound, by: 4).map { start in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(data[start + $1]) << UInt32($1 * 8) })
        }
    }

    mutating func replace(_ name: String, by values: [Float]) {
        let place = place(of: name)
        precondition(place.count == values.count * 4, "\(name) has \(place.count / 4) values")
        data.replaceSubrange(
            place, with: values.flatMap { value in (0..<4).map { UInt8(value.bitPattern >> ($0 * 8) & 0xFF) } })
    }
}
