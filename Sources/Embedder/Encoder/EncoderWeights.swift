import VectorMath

// The weights of an encoder, in the form that its products read.

/// A dense layer: weights as (inputs × outputs), the transpose of how they are stored, and one bias per output.
struct DenseWeights: ~Copyable, Sendable {
    let weights: AlignedBuffer<Float>
    let bias: AlignedBuffer<Float>
    let inputs: Int
    let outputs: Int

    /// `output = input · weights`, without the bias.
    ///
    /// - Parameter input: (rows × inputs) or more.
    func apply(
        to input: borrowing AlignedBuffer<Float>, rows: Int, into output: inout AlignedBuffer<Float>
    ) {
        var span = output.mutableSpan
        DenseMath.multiply(
            DenseMatrixView(input.span, rows: rows, columns: inputs),
            DenseMatrixView(weights.span, rows: inputs, columns: outputs), into: &span)
    }
}

/// Gain and shift of a layer norm.
struct NormWeights: ~Copyable, Sendable {
    let gain: AlignedBuffer<Float>
    let shift: AlignedBuffer<Float>
}

/// One transformer layer. A class, so that layers can be kept in an array; frozen after loading.
final class LayerWeights: Sendable {
    /// Query, key and value side by side: (hidden × 3 · hidden), so that one product gives all three.
    let attentionInput: DenseWeights
    let attentionOutput: DenseWeights
    let attentionNorm: NormWeights
    let feedForwardInput: DenseWeights
    let feedForwardOutput: DenseWeights
    let feedForwardNorm: NormWeights

    init(
        attentionInput: consuming DenseWeights, attentionOutput: consuming DenseWeights,
        attentionNorm: consuming NormWeights, feedForwardInput: consuming DenseWeights,
        feedForwardOutput: consuming DenseWeights, feedForwardNorm: consuming NormWeights
    ) {
        self.attentionInput = attentionInput
        self.attentionOutput = attentionOutput
        self.attentionNorm = attentionNorm
        self.feedForwardInput = feedForwardInput
        self.feedForwardOutput = feedForwardOutput
        self.feedForwardNorm = feedForwardNorm
    }
}

/// The tables that turn a token into the encoder's input.
struct EmbeddingTables: ~Copyable, Sendable {
    /// (vocabulary × hidden)
    let words: AlignedBuffer<Float>
    /// (position rows × hidden)
    let positions: AlignedBuffer<Float>
    /// The first row of the token type table, (hidden): single texts use no other. Empty in MPNet.
    let tokenType: AlignedBuffer<Float>
    let norm: NormWeights

    /// `output` (hidden) becomes the norm of the summed embeddings of token `id` at `position`.
    func embed(_ id: Int, at position: Int, epsilon: Float, into output: inout MutableSpan<Float>) {
        let hidden = output.count
        DenseMath.embed(
            words.span.extracting(id * hidden..<(id + 1) * hidden),
            positions.span.extracting(position * hidden..<(position + 1) * hidden),
            tokenType.span, gain: norm.gain.span, shift: norm.shift.span, epsilon: epsilon, into: &output)
    }
}

/// All weights of an encoder; frozen after loading.
final class EncoderWeights: Sendable {
    let tables: EmbeddingTables
    let layers: [LayerWeights]
    let relativeBias: RelativeBias

    /// Reads the tensors that `configuration` needs; a prefix such as `bert.` before every name is fine.
    ///
    /// - Throws: `EmbedderError` naming the file and the tensor.
    init(_ file: borrowing SafetensorsFile, _ configuration: ModelConfiguration) throws(EmbedderError) {
        let hidden = configuration.hiddenSize
        let reader = WeightReader(prefix: Self.prefix(of: file.header))
        let embeddings = "embeddings."
        let words = try reader.floats(
            file, embeddings + "word_embeddings.weight", [configuration.vocabularySize, hidden])
        let positions = try reader.floats(
            file, embeddings + "position_embeddings.weight", [configuration.positionRows, hidden])
        var tokenType = AlignedBuffer<Float>(count: configuration.tokenTypes > 0 ? hidden : 0, repeating: 0)
        if configuration.tokenTypes > 0 {
            let types = try reader.floats(
                file, embeddings + "token_type_embeddings.weight", [configuration.tokenTypes, hidden])
            tokenType.write(types.span.extracting(first: hidden), at: 0)
        }
        let norm = try reader.norm(file, embeddings + "LayerNorm", hidden)
        var layers: [LayerWeights] = []
        for index in 0..<configuration.layers {
            layers.append(try reader.layer(file, "encoder.layer.\(index).", configuration))
        }
        var buckets = AlignedBuffer<Float>(count: 0, repeating: 0)
        if configuration.relativeBuckets > 0 {
            buckets = try reader.floats(
                file, "encoder.relative_attention_bias.weight", [configuration.relativeBuckets, configuration.heads])
        }
        tables = EmbeddingTables(words: words, positions: positions, tokenType: tokenType, norm: norm)
        relativeBias = RelativeBias(table: buckets.span, configuration)
        self.layers = layers
    }

    /// What stands before the usual tensor names, as in `bert.embeddings.word_embeddings.weight`.
    private static func prefix(of header: SafetensorsHeader) -> String {
        let anchor = "embeddings.word_embeddings.weight"
        let prefixes = header.tensors.keys.filter { $0.hasSuffix(anchor) }.map { $0.dropLast(anchor.count) }
        return String(prefixes.min { ($0.count, $0) < ($1.count, $1) } ?? "")
    }
}

/// Reads tensors of one model, whose names all start with `prefix`.
private struct WeightReader {
    let prefix: String

    func floats(
        _ file: borrowing SafetensorsFile, _ name: String, _ shape: [Int]
    ) throws(EmbedderError) -> AlignedBuffer<Float> {
        try file.floats(prefix + name, shape: shape)
    }

    func norm(
        _ file: borrowing SafetensorsFile, _ name: String, _ size: Int
    ) throws(EmbedderError) -> NormWeights {
        NormWeights(
            gain: try floats(file, name + ".weight", [size]), shift: try floats(file, name + ".bias", [size]))
    }

    /// Dense layers of the same input, side by side.
    func dense(
        _ file: borrowing SafetensorsFile, _ names: [String], inputs: Int, outputs: Int
    ) throws(EmbedderError) -> DenseWeights {
        for name in names { try file.check(prefix + name + ".weight", shape: [outputs, inputs]) }
        let all = outputs * names.count
        var weights = AlignedBuffer<Float>(count: inputs * all, repeating: 0)
        var bias = AlignedBuffer<Float>(count: all, repeating: 0)
        for (index, name) in names.enumerated() {
            let stored = try floats(file, name + ".weight", [outputs, inputs])
            var columns = weights.mutableSpan
            var part = columns.part(index * outputs..<columns.count)
            DenseMath.transpose(
                DenseMatrixView(stored.span, rows: outputs, columns: inputs), into: &part, outputStride: all)
            let storedBias = try floats(file, name + ".bias", [outputs])
            bias.write(storedBias.span, at: index * outputs)
        }
        return DenseWeights(weights: weights, bias: bias, inputs: inputs, outputs: all)
    }

    func layer(
        _ file: borrowing SafetensorsFile, _ name: String, _ configuration: ModelConfiguration
    ) throws(EmbedderError) -> LayerWeights {
        let (hidden, inner) = (configuration.hiddenSize, configuration.intermediateSize)
        let isBERT = configuration.family == .bert
        let projections =
            isBERT
            ? ["attention.self.query", "attention.self.key", "attention.self.value"]
            : ["attention.attn.q", "attention.attn.k", "attention.attn.v"]
        return LayerWeights(
            attentionInput: try dense(file, projections.map { name + $0 }, inputs: hidden, outputs: hidden),
            attentionOutput: try dense(
                file, [name + (isBERT ? "attention.output.dense" : "attention.attn.o")], inputs: hidden,
                outputs: hidden),
            attentionNorm: try norm(
                file, name + (isBERT ? "attention.output.LayerNorm" : "attention.LayerNorm"), hidden),
            feedForwardInput: try dense(file, [name + "intermediate.dense"], inputs: hidden, outputs: inner),
            feedForwardOutput: try dense(file, [name + "output.dense"], inputs: inner, outputs: hidden),
            feedForwardNorm: try norm(file, name + "output.LayerNorm", hidden))
    }
}
