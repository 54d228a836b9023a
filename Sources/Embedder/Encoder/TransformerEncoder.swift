package import Foundation
import VectorMath

// The encoder: token ids to unit vectors, many texts at once and without padding.

/// A BERT or MPNet encoder (Devlin et al. 2019; Song et al. 2020).
///
/// The texts of a batch lie one after another in one (tokens × hidden) matrix, which all dense layers treat as a
/// whole; only attention looks at the texts one by one. So no padding is computed, and a text's vector is the same to
/// the bit in any company and on any number of lanes. Frozen after loading; any number of threads may call it.
package final class TransformerEncoder: Sendable {
    let configuration: ModelConfiguration
    package let precision: EncoderPrecision
    let weights: EncoderWeights
    private let workspaces: WorkspacePool

    /// Tokens that are computed together: their intermediate results stay in a core's cache, and the weights are read
    /// once for all of them.
    private static let batchTokens = 128
    /// Rows of an item of the steps that go row by row.
    private static let itemRows = 8

    /// Numbers of a vector.
    package var dimension: Int { configuration.hiddenSize }
    /// Tokens that a text may have, special tokens included.
    package var maximumTokens: Int { configuration.maximumTokens }
    /// Rows of the embedding table: every token id is below.
    package var vocabularySize: Int { configuration.vocabularySize }

    /// Loads `model.safetensors` of `folder` as `configuration` describes it.
    ///
    /// - Parameter adapter: merged into the weights before they are packed or quantised.
    /// - Throws: `EmbedderError` naming the file and the tensor.
    init(
        folder: URL, configuration: ModelConfiguration, precision: EncoderPrecision, adapter: LowRankAdapter? = nil
    ) throws(EmbedderError) {
        let file = try SafetensorsFile(path: ModelFile(folder, "model.safetensors").path)
        weights = try EncoderWeights(file, configuration, precision.dense, adapter: adapter)
        workspaces = WorkspacePool(maximum: ProcessInfo.processInfo.activeProcessorCount)
        self.configuration = configuration
        self.precision = precision
    }

    /// Loads the encoder of a model folder by its `config.json`; a tokenizer is not needed.
    ///
    /// - Throws: `EmbedderError` naming the file and what is wrong with it.
    package convenience init(folder: URL, precision: EncoderPrecision = .float32) throws(EmbedderError) {
        let configuration = try ModelConfiguration(ModelFile(folder, "config.json").json())
        try self.init(folder: folder, configuration: configuration, precision: precision)
    }

    /// One unit vector per sequence of token ids, in their order.
    ///
    /// - Parameter lanes: threads that share each text's work; nil for what `EncoderThreads` says.
    /// - Throws: `EmbedderError.noTokens`, `.invalidTokenID` or `.tooManyTokens`; `.notFinite` if the weights are such
    ///   that the arithmetic overflows.
    /// - Complexity: O(tokens · weights + Σ tokens² · hidden). Memory: that of 128 tokens, or of the longest text.
    package func encode(
        _ sequences: [[Int32]], pooling: Pooling, lanes: Int? = nil
    ) throws(EmbedderError) -> [[Float]] {
        for sequence in sequences { try check(sequence) }
        let batches = Self.batches(of: sequences)
        let free = EncoderThreads.begin()
        defer { EncoderThreads.end() }
        let lanes = lanes ?? free
        guard lanes > 1, batches.count >= 2 * min(lanes, configuration.sliceHeads.count) else {
            var vectors: [[Float]] = []
            vectors.reserveCapacity(sequences.count)
            for batch in batches { vectors += try encode(TextRows(batch), pooling, lanes: lanes) }
            return vectors
        }
        // Enough for all: a core that has a batch to itself waits for nobody.
        let results = EncoderThreads.sideBySide {
            WorkerThreads.map(batches.count) { index in
                Result { () throws(EmbedderError) in try encode(TextRows(batches[index]), pooling, lanes: 1) }
            }
        }
        var vectors: [[Float]] = []
        vectors.reserveCapacity(sequences.count)
        for result in results { vectors += try result.get() }
        return vectors
    }

    /// The sequences in order, as many at a time as have `batchTokens` tokens, but at least one.
    private static func batches(of sequences: [[Int32]]) -> [ArraySlice<[Int32]>] {
        var batches: [ArraySlice<[Int32]>] = []
        var start = 0
        while start < sequences.count {
            var end = start
            var tokens = 0
            repeat {
                tokens += sequences[end].count
                end += 1
            } while end < sequences.count && tokens + sequences[end].count <= batchTokens
            batches.append(sequences[start..<end])
            start = end
        }
        return batches
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

    private func encode(_ texts: TextRows, _ pooling: Pooling, lanes: Int) throws(EmbedderError) -> [[Float]] {
        let slices = configuration.sliceHeads.count
        let lanes = min(lanes, slices)
        let workspace = workspaces.take(
            tokens: texts.tokens, longest: texts.longest, lanes: lanes, configuration, precision.dense)
        defer { workspaces.give(back: workspace) }
        // First the embeddings; then for each layer attention, its sum and norm, feed-forward, its sum and norm.
        let rowItems = (texts.tokens + Self.itemRows - 1) / Self.itemRows
        var steps = [rowItems]
        for _ in weights.layers { steps += [slices, rowItems, slices, rowItems] }
        Lockstep.run(lanes: lanes, itemCounts: steps) { lane, step, item in
            guard step > 0 else { return self.embed(texts, Self.rows(of: item, texts), workspace) }
            let layer = self.weights.layers[(step - 1) / 4]
            switch (step - 1) % 4 {
            case 0: self.attend(layer.slices[item], part: item, texts, workspace, lane)
            case 1: self.join(layer.attention, Self.rows(of: item, texts), workspace)
            case 2: self.feedForward(layer.slices[item], part: item, texts, workspace, lane)
            default: self.join(layer.feedForward, Self.rows(of: item, texts), workspace)
            }
        }
        return try pool(texts, pooling, workspace)
    }

    /// The rows of an item of a step that goes row by row.
    private static func rows(of item: Int, _ texts: TextRows) -> Range<Int> {
        item * itemRows..<min((item + 1) * itemRows, texts.tokens)
    }

    private func pool(
        _ texts: TextRows, _ pooling: Pooling, _ workspace: EncoderWorkspace
    ) throws(EmbedderError) -> [[Float]] {
        var vectors: [[Float]] = []
        vectors.reserveCapacity(texts.ranges.count)
        for range in texts.ranges {
            var vector = [Float](repeating: 0, count: configuration.hiddenSize)
            var span = vector.mutableSpan
            let pooled = pooling == .mean ? range : range.lowerBound..<range.lowerBound + 1
            workspace.state.mean(of: pooled, into: &span)
            let length = DenseMath.normalise(&span)
            // Weights that are all zero give a vector without direction, which no cosine can be taken of.
            guard length.isFinite, length > 0 else { throw .notFinite }
            vectors.append(vector)
        }
        return vectors
    }
}

/// The texts of a batch, one after another, a row for each token.
struct TextRows: Sendable {
    /// The rows of each text.
    let ranges: [Range<Int>]
    /// (tokens)
    let ids: [Int32]
    let longest: Int

    var tokens: Int { ids.count }

    init(_ sequences: ArraySlice<[Int32]>) {
        var ranges: [Range<Int>] = []
        var ids: [Int32] = []
        for sequence in sequences {
            ranges.append(ids.count..<ids.count + sequence.count)
            ids += sequence
        }
        self.ranges = ranges
        self.ids = ids
        longest = ranges.map(\.count).max() ?? 0
    }
}
