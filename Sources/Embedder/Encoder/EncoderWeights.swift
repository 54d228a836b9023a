import VectorMath

// The weights of an encoder, in the form that its products read.

/// Gain and shift of a layer norm.
struct NormWeights: ~Copyable, Sendable {
    let gain: AlignedBuffer<Float>
    let shift: AlignedBuffer<Float>
}

/// A share of a layer that is computed by itself: some attention heads, and some of the feed-forward layer's inner
/// numbers. The layer's results are the sums of its slices' parts, so a slice needs nothing of the others in between.
/// A class, so that slices can be kept in an array; frozen after loading.
final class LayerSlice: Sendable {
    let heads: Range<Int>
    let inner: Range<Int>
    /// hidden → queries, keys and values of the slice's heads.
    let attentionInput: LinearWeights
    /// The slice's heads → hidden, without bias.
    let attentionOutput: LinearWeights
    /// hidden → the slice's inner numbers.
    let feedForwardInput: LinearWeights
    /// The slice's inner numbers → hidden, without bias.
    let feedForwardOutput: LinearWeights

    init(
        heads: Range<Int>, inner: Range<Int>, attentionInput: consuming LinearWeights,
        attentionOutput: consuming LinearWeights, feedForwardInput: consuming LinearWeights,
        feedForwardOutput: consuming LinearWeights
    ) {
        self.heads = heads
        self.inner = inner
        self.attentionInput = attentionInput
        self.attentionOutput = attentionOutput
        self.feedForwardInput = feedForwardInput
        self.feedForwardOutput = feedForwardOutput
    }
}

/// What follows the sum of the slices' parts: a bias (hidden) and the norm.
final class JoinWeights: Sendable {
    let bias: AlignedBuffer<Float>
    let norm: NormWeights

    init(bias: consuming AlignedBuffer<Float>, norm: consuming NormWeights) {
        self.bias = bias
        self.norm = norm
    }
}

/// One transformer layer.
struct LayerWeights: Sendable {
    let slices: [LayerSlice]
    let attention: JoinWeights
    let feedForward: JoinWeights
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
    init(
        _ file: borrowing SafetensorsFile, _ configuration: ModelConfiguration, _ precision: DensePrecision,
        adapter: LowRankAdapter? = nil
    ) throws(EmbedderError) {
        let hidden = configuration.hiddenSize
        let reader = WeightReader(prefix: Self.prefix(of: file.header), adapter: adapter)
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
            layers.append(try reader.layer(file, "encoder.layer.\(index).", configuration, precision))
        }
        try adapter?.requireAllMerged()
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
    let adapter: LowRankAdapter?

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

    func layer(
        _ file: borrowing SafetensorsFile, _ name: String, _ configuration: ModelConfiguration,
        _ precision: DensePrecision
    ) throws(EmbedderError) -> LayerWeights {
        let (hidden, inner) = (configuration.hiddenSize, configuration.intermediateSize)
        let isBERT = configuration.family == .bert
        let query = try dense(file, name + (isBERT ? "attention.self.query" : "attention.attn.q"), hidden, hidden)
        let key = try dense(file, name + (isBERT ? "attention.self.key" : "attention.attn.k"), hidden, hidden)
        let value = try dense(file, name + (isBERT ? "attention.self.value" : "attention.attn.v"), hidden, hidden)
        let mixed = try dense(file, name + (isBERT ? "attention.output.dense" : "attention.attn.o"), hidden, hidden)
        let up = try dense(file, name + "intermediate.dense", hidden, inner)
        let down = try dense(file, name + "output.dense", inner, hidden)
        var slices: [LayerSlice] = []
        for (heads, part) in zip(configuration.sliceHeads, configuration.sliceInner) {
            let columns = heads.lowerBound * configuration.headSize..<heads.upperBound * configuration.headSize
            let size = columns.count
            var attentionInput = LinearWeights(inputs: hidden, outputs: 3 * size, precision: precision)
            query.copy(outputs: columns, to: &attentionInput, at: 0)
            key.copy(outputs: columns, to: &attentionInput, at: size)
            value.copy(outputs: columns, to: &attentionInput, at: 2 * size)
            var attentionOutput = LinearWeights(inputs: size, outputs: hidden, precision: precision)
            mixed.copy(inputs: columns, to: &attentionOutput)
            var feedForwardInput = LinearWeights(inputs: hidden, outputs: part.count, precision: precision)
            up.copy(outputs: part, to: &feedForwardInput, at: 0)
            var feedForwardOutput = LinearWeights(inputs: part.count, outputs: hidden, precision: precision)
            down.copy(inputs: part, to: &feedForwardOutput)
            slices.append(
                LayerSlice(
                    heads: heads, inner: part, attentionInput: attentionInput, attentionOutput: attentionOutput,
                    feedForwardInput: feedForwardInput, feedForwardOutput: feedForwardOutput))
        }
        return LayerWeights(
            slices: slices,
            attention: JoinWeights(
                bias: mixed.takeBias(),
                norm: try norm(
                    file, name + (isBERT ? "attention.output.LayerNorm" : "attention.LayerNorm"), hidden)),
            feedForward: JoinWeights(bias: down.takeBias(), norm: try norm(file, name + "output.LayerNorm", hidden)))
    }

    private func dense(
        _ file: borrowing SafetensorsFile, _ name: String, _ inputs: Int, _ outputs: Int
    ) throws(EmbedderError) -> StoredLayer {
        var weights = try floats(file, name + ".weight", [outputs, inputs])
        try adapter?.merge(into: &weights, of: name, inputs: inputs, outputs: outputs)
        return StoredLayer(weights: weights, bias: try floats(file, name + ".bias", [outputs]), inputs: inputs)
    }
}

/// A dense layer as it is stored: weights (outputs × inputs) and a bias (outputs).
private struct StoredLayer: ~Copyable {
    let weights: AlignedBuffer<Float>
    let bias: AlignedBuffer<Float>
    let inputs: Int

    /// Some outputs, with their bias.
    func copy(outputs: Range<Int>, to layer: inout LinearWeights, at start: Int) {
        let rows = weights.span.extracting(outputs.lowerBound * inputs..<outputs.upperBound * inputs)
        layer.fill(
            from: start, weights: DenseMatrixView(rows, rows: outputs.count, columns: inputs),
            bias: bias.span.extracting(outputs))
    }

    /// All outputs, of some inputs only, without the bias.
    func copy(inputs range: Range<Int>, to layer: inout LinearWeights) {
        let columns = weights.span.extracting(droppingFirst: range.lowerBound)
        layer.fill(
            from: 0,
            weights: DenseMatrixView(columns, rows: bias.count, columns: range.count, stride: inputs),
            bias: Span<Float>())
    }

    consuming func takeBias() -> AlignedBuffer<Float> { bias }
}
