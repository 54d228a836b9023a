import Foundation
import TestSupport

/// A whole sentence-transformers folder with random weights, small enough to be written for one test.
struct TinyModel {
    enum Family: String {
        case bert
        case mpnet
    }

    var family = Family.bert
    var hidden = 24
    var heads = 3
    var layers = 2
    var intermediate = 40
    var positions = 34
    /// Before every tensor's name.
    var prefix = ""
    var activation = "gelu"
    var vocabulary = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##aff", "##able", "want", "##want", "##ed", "wa", "runn",
        "##ing", ",", "low", "##est", "a", "b", "##b", "é", "工", "!", "##!",
    ]
    var seed: UInt64 = 7

    /// Entries of config.json, which a test may replace.
    var settings: [String: String] {
        var settings = [
            "model_type": "\"\(family.rawValue)\"", "hidden_size": "\(hidden)", "num_hidden_layers": "\(layers)",
            "num_attention_heads": "\(heads)", "intermediate_size": "\(intermediate)",
            "vocab_size": "\(vocabulary.count)", "max_position_embeddings": "\(positions)",
            "hidden_act": "\"\(activation)\"", "layer_norm_eps": "1e-12",
        ]
        if family == .mpnet { settings["relative_attention_num_buckets"] = "8" }
        return settings
    }

    var weights: SafetensorsWriter {
        var random = SeededGenerator(seed: seed)
        var writer = SafetensorsWriter()
        func add(_ name: String, _ shape: [Int], around center: Float = 0) {
            let values = (0..<shape.reduce(1, *)).map { _ in center + Float.random(in: -0.5...0.5, using: &random) }
            writer.add(prefix + name, shape, values)
        }
        func dense(_ name: String, _ inputs: Int, _ outputs: Int) {
            add(name + ".weight", [outputs, inputs])
            add(name + ".bias", [outputs])
        }
        func norm(_ name: String) {
            add(name + ".weight", [hidden], around: 1)
            add(name + ".bias", [hidden])
        }
        let isBERT = family == .bert
        add("embeddings.word_embeddings.weight", [vocabulary.count, hidden])
        add("embeddings.position_embeddings.weight", [positions, hidden])
        if isBERT { add("embeddings.token_type_embeddings.weight", [2, hidden]) }
        norm("embeddings.LayerNorm")
        for layer in 0..<layers {
            let name = "encoder.layer.\(layer)."
            let projections =
                isBERT ? ["self.query", "self.key", "self.value"] : ["attn.q", "attn.k", "attn.v"]
            for projection in projections { dense(name + "attention." + projection, hidden, hidden) }
            dense(name + (isBERT ? "attention.output.dense" : "attention.attn.o"), hidden, hidden)
            norm(name + (isBERT ? "attention.output.LayerNorm" : "attention.LayerNorm"))
            dense(name + "intermediate.dense", hidden, intermediate)
            dense(name + "output.dense", intermediate, hidden)
            norm(name + "output.LayerNorm")
        }
        if !isBERT { add("encoder.relative_attention_bias.weight", [8, heads]) }
        return writer
    }

    /// Writes the model into a new folder.
    func write() throws -> TemporaryDirectory {
        let folder = try TemporaryDirectory("model")
        try write(to: folder, "")
        return folder
    }

    /// Writes the model into the subfolder `name` of `folder`.
    func write(to folder: TemporaryDirectory, _ name: String, settings changed: [String: String] = [:]) throws {
        let place = name.isEmpty ? "" : name + "/"
        let settings = settings.merging(changed) { $1 }.map { "\"\($0)\": \($1)" }
        try folder.write("{" + settings.sorted().joined(separator: ", ") + "}", to: place + "config.json")
        try folder.write(vocabulary.joined(separator: "\n") + "\n", to: place + "vocab.txt")
        let names = #""cls_token":"[CLS]","sep_token":"[SEP]","pad_token":"[PAD]","mask_token":"[MASK]""#
        try folder.write("{" + names + "}", to: place + "special_tokens_map.json")
        try folder.write(weights.file, to: place + "model.safetensors")
    }
}

extension TemporaryDirectory {
    /// `body` with the folder's place, while the folder is sure to be there.
    func use<Result>(_ body: (URL) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(self) { try body(url) }
    }
}
