import Embedder
import Foundation

/// The encoder as its papers define it, in Double and with no thought for speed: what the real one is tested against.
struct ReferenceEncoder {
    private typealias Matrix = [[Double]]

    private let model: TinyModel
    private let tensors: [String: [Double]]

    init(_ model: TinyModel) {
        self.model = model
        let writer = model.weights
        var tensors: [String: [Double]] = [:]
        for entry in writer.entries {
            let bounds = entry.offsets.dropFirst().dropLast().split(separator: ",").map { Int($0) ?? 0 }
            let bytes = Array(writer.data[bounds[0]..<bounds[1]])
            tensors[String(entry.name.dropFirst(model.prefix.count))] = stride(from: 0, to: bytes.count, by: 4).map {
                start in
                Double(Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << ($1 * 8) }))
            }
        }
        self.tensors = tensors
    }

    func encode(_ ids: [Int], pooling: Pooling) -> [Double] {
        var state = ids.indices.map { row in embedding(ids, row) }
        for layer in 0..<model.layers { state = self.layer("encoder.layer.\(layer).", state) }
        let rows = pooling == .mean ? state : [state[0]]
        let mean = (0..<model.hidden).map { column in rows.reduce(0) { $0 + $1[column] } / Double(rows.count) }
        let length = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return mean.map { $0 / length }
    }

    private func row(_ name: String, _ index: Int) -> [Double] {
        Array((tensors[name] ?? [])[index * model.hidden..<(index + 1) * model.hidden])
    }

    private func embedding(_ ids: [Int], _ index: Int) -> [Double] {
        // MPNet counts positions from 2 over tokens that are not padding (id 1), which itself has position 1.
        let isMPNet = model.family == .mpnet
        let counted = ids[0...index].filter { $0 != 1 }.count
        let position = isMPNet ? (ids[index] == 1 ? 1 : 1 + counted) : index
        var sum = add(
            row("embeddings.word_embeddings.weight", ids[index]), row("embeddings.position_embeddings.weight", position)
        )
        if !isMPNet { sum = add(sum, row("embeddings.token_type_embeddings.weight", 0)) }
        return norm("embeddings.LayerNorm", sum)
    }

    private func add(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 + $1 } }

    private func norm(_ name: String, _ x: [Double]) -> [Double] {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        let (gain, shift) = (tensors[name + ".weight"] ?? [], tensors[name + ".bias"] ?? [])
        return x.indices.map { (x[$0] - mean) / (variance + 1e-12).squareRoot() * gain[$0] + shift[$0] }
    }

    private func dense(_ name: String, _ x: [Double]) -> [Double] {
        let (weights, bias) = (tensors[name + ".weight"] ?? [], tensors[name + ".bias"] ?? [])
        return bias.indices.map { output in
            x.indices.reduce(bias[output]) { $0 + weights[output * x.count + $1] * x[$1] }
        }
    }

    private func layer(_ name: String, _ state: Matrix) -> Matrix {
        let isBERT = model.family == .bert
        let names = isBERT ? ["self.query", "self.key", "self.value"] : ["attn.q", "attn.k", "attn.v"]
        let parts = names.map { part in state.map { dense(name + "attention." + part, $0) } }
        let size = model.hidden / model.heads
        var context = state.map { _ in [Double](repeating: 0, count: model.hidden) }
        for head in 0..<model.heads {
            let columns = head * size..<(head + 1) * size
            for query in state.indices {
                let scores = state.indices.map { key in
                    columns.reduce(0) { $0 + parts[0][query][$1] * parts[1][key][$1] } / Double(size).squareRoot()
                        + bias(head, key - query)
                }
                let top = scores.max() ?? 0
                let exponentials = scores.map { exp($0 - top) }
                let sum = exponentials.reduce(0, +)
                for column in columns {
                    context[query][column] = state.indices.reduce(0) {
                        $0 + exponentials[$1] / sum * parts[2][$1][column]
                    }
                }
            }
        }
        let output = name + (isBERT ? "attention.output.dense" : "attention.attn.o")
        let firstNorm = name + (isBERT ? "attention.output.LayerNorm" : "attention.LayerNorm")
        return state.indices.map { row in
            let attended = norm(firstNorm, add(state[row], dense(output, context[row])))
            let inner = dense(name + "intermediate.dense", attended).map(activate)
            return norm(name + "output.LayerNorm", add(attended, dense(name + "output.dense", inner)))
        }
    }

    private func activate(_ x: Double) -> Double {
        switch model.activation {
        case "relu": max(x, 0)
        case "gelu_new": 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        default: 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
        }
    }

    /// T5's buckets, eight of them: four for keys after the query; exact up to a distance of 1.
    private func bias(_ head: Int, _ offset: Int) -> Double {
        guard model.family == .mpnet else { return 0 }
        let distance = abs(offset)
        let logarithmic = 2 + Int(log(Double(max(distance, 2)) / 2) / log(64) * 2)
        let bucket = (offset > 0 ? 4 : 0) + (distance < 2 ? distance : min(logarithmic, 3))
        return tensors["encoder.relative_attention_bias.weight"]?[bucket * model.heads + head] ?? 0
    }
}
