package import Foundation
import VectorMath

// The encoder: token ids to unit vectors, many texts at once and without padding.

/// A BERT or MPNet encoder (Devlin et al. 2019; Song et al. 2020) in float32.
///
/// The texts of a batch lie one after another in one (tokens × hidden) matrix, which all dense layers treat as a
/// whole; only attention looks at the texts one by one. So no padding is computed, and a text's vector does not
/// depend on its company beyond rounding. Frozen after loading; any number of threads may call it.
package final class TransformerEncoder: Sendable {
    let configuration: ModelConfiguration
    private let weights: EncoderWeights
    private let workspaces: WorkspacePool

    /// Numbers of a vector.
    package var dimension: Int { configuration.hiddenSize }
    /// Tokens that a text may have, special tokens included.
    package var maximumTokens: Int { configuration.maximumTokens }
    /// Rows of the embedding table: every token id is below.
    package var vocabularySize: Int { configuration.vocabularySize }

    /// Loads `model.safetensors` of `folder` as `configuration` describes it.
    ///
    /// - Throws: `EmbedderError` naming the file and the tensor.
    init(folder: URL, configuration: ModelConfiguration) throws(EmbedderError) {
        let file = try SafetensorsFile(path: ModelFile(folder, "model.safetensors").path)
        weights = try EncoderWeights(file, configuration)
        workspaces = WorkspacePool(maximum: ProcessInfo.processInfo.activeProcessorCount)
        self.configuration = configuration
    }

    /// Loads the encoder of a model folder by its `config.json`; a tokenizer is not needed.
    ///
    /// - Throws: `EmbedderError` naming the file and what is wrong with it.
    package convenience init(folder: URL) throws(EmbedderError) {
        let configuration = try ModelConfiguration(ModelFile(folder, "config.json").json())
        try self.init(folder: folder, configuration: configuration)
    }

    /// One unit vector per sequence of token ids, in their order.
    ///
    /// - Throws: `EmbedderError.noTokens`, `.invalidTokenID` or `.tooManyTokens`; `.notFinite` if the weights are such
    ///   that the arithmetic overflows.
    /// - Complexity: O(tokens · weights + Σ tokens² · hidden). Memory: 4 · tokens · (6 · hidden + intermediate) bytes.
    package func encode(_ sequences: [[Int32]], pooling: Pooling) throws(EmbedderError) -> [[Float]] {
        var tokens = 0
        var longest = 0
        for sequence in sequences {
            try check(sequence)
            tokens += sequence.count
            longest = max(longest, sequence.count)
        }
        guard tokens > 0 else { return [] }
        let box = workspaces.take()
        defer { workspaces.give(back: box) }
        box.workspace.reserve(tokens: tokens, longest: longest, configuration)
        embed(sequences, &box.workspace)
        for layer in weights.layers {
            attend(layer, weights.relativeBias, sequences, tokens, &box.workspace)
            feedForward(layer, tokens, &box.workspace)
        }
        return try pool(sequences, pooling, box.workspace)
    }

    private func check(_ sequence: [Int32]) throws(EmbedderError) {
        guard !sequence.isEmpty else { throw .noTokens }
        guard sequence.count <= maximumTokens else {
            throw .tooManyTokens(sequence.count, maximum: maximumTokens)
        }
        for id in sequence where id < 0 || Int(id) >= vocabularySize {
            throw .invalidTokenID(id, vocabulary: vocabularySize)
        }
    }

    /// Fills `state` with the normed sums of the tokens' embeddings.
    private func embed(_ sequences: [[Int32]], _ workspace: inout EncoderWorkspace) {
        let hidden = configuration.hiddenSize
        var state = workspace.state.mutableSpan
        var row = 0
        for sequence in sequences {
            var position = configuration.firstPosition
            for id in sequence {
                // In MPNet, a padding token that the text itself names stands at the padding's position.
                let isPadding = configuration.family == .mpnet && Int(id) == configuration.padTokenID
                let place = isPadding ? configuration.padTokenID : position
                if !isPadding { position += 1 }
                var output = state.part(row * hidden..<(row + 1) * hidden)
                weights.tables.embed(Int(id), at: place, epsilon: configuration.epsilon, into: &output)
                row += 1
            }
        }
    }

    private func feedForward(_ layer: LayerWeights, _ tokens: Int, _ workspace: inout EncoderWorkspace) {
        layer.feedForwardInput.apply(to: workspace.state, rows: tokens, into: &workspace.inner)
        activate(layer.feedForwardInput, tokens, &workspace.inner)
        layer.feedForwardOutput.apply(to: workspace.inner, rows: tokens, into: &workspace.output)
        addAndNormalise(layer.feedForwardOutput, layer.feedForwardNorm, tokens, workspace.output, &workspace.state)
    }

    private func activate(
        _ dense: borrowing DenseWeights, _ tokens: Int, _ buffer: inout AlignedBuffer<Float>
    ) {
        var whole = buffer.mutableSpan
        var inner = whole.part(0..<tokens * dense.outputs)
        DenseMath.activate(configuration.activation, bias: dense.bias.span, in: &inner)
    }

    /// `state = norm(state + output + bias)`.
    func addAndNormalise(
        _ dense: borrowing DenseWeights, _ norm: borrowing NormWeights, _ tokens: Int,
        _ output: borrowing AlignedBuffer<Float>, _ state: inout AlignedBuffer<Float>
    ) {
        let count = tokens * configuration.hiddenSize
        var whole = state.mutableSpan
        var state = whole.part(0..<count)
        DenseMath.addAndNormalise(
            output.span.extracting(first: count), bias: dense.bias.span, gain: norm.gain.span,
            shift: norm.shift.span, epsilon: configuration.epsilon, into: &state)
    }

    private func pool(
        _ sequences: [[Int32]], _ pooling: Pooling, _ workspace: borrowing EncoderWorkspace
    ) throws(EmbedderError) -> [[Float]] {
        let hidden = configuration.hiddenSize
        var vectors: [[Float]] = []
        vectors.reserveCapacity(sequences.count)
        var row = 0
        for sequence in sequences {
            let rows = pooling == .mean ? sequence.count : 1
            var vector = [Float](repeating: 0, count: hidden)
            var span = vector.mutableSpan
            DenseMath.meanOfRows(
                workspace.state.span.extracting(row * hidden..<(row + rows) * hidden), into: &span)
            let length = DenseMath.normalise(&span)
            // Weights that are all zero give a vector without direction, which no cosine can be taken of.
            guard length.isFinite, length > 0 else { throw .notFinite }
            vectors.append(vector)
            row += sequence.count
        }
        return vectors
    }
}
