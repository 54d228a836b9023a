import Foundation
import VectorMath

/// The sizes of an encoder's matrices, from its `config.json`.
struct EncoderShape: Decodable {
    var hiddenSize: Int
    var intermediateSize: Int
    var numHiddenLayers: Int

    init(folder: URL) throws {
        let data = try Data(contentsOf: folder.appendingPathComponent("config.json"))
        self = try Figures.decoder.decode(EncoderShape.self, from: data)
    }
}

/// The matrix products of an encoder's dense layers and nothing else: the limit of an encoder that leaves them to BLAS.
///
/// Every layer has weights of its own, so that they come from as far away in memory as the model's.
struct PlainProducts: ~Copyable {
    private let shape: EncoderShape
    private let tokens: Int
    /// (layers, 12 · hidden² for a usual model)
    private let weights: AlignedBuffer<Float>
    /// (tokens, widest layer)
    private let input: AlignedBuffer<Float>

    init(_ shape: EncoderShape, tokens: Int) {
        self.shape = shape
        self.tokens = tokens
        let widest = max(3 * shape.hiddenSize, shape.intermediateSize)
        weights = AlignedBuffer(count: shape.numHiddenLayers * Self.layerWeights(shape), repeating: 0.01)
        input = AlignedBuffer(count: tokens * widest, repeating: 0.01)
    }

    /// Room for the widest product.
    func makeOutput() -> AlignedBuffer<Float> { AlignedBuffer(count: input.count, repeating: 0) }

    /// One pass through all layers; each product overwrites the one before.
    func run(into output: inout AlignedBuffer<Float>) {
        for layer in 0..<shape.numHiddenLayers {
            var start = layer * Self.layerWeights(shape)
            for (inner, columns) in Self.products(shape) {
                multiply(inner: inner, columns: columns, weightsAt: start, into: &output)
                start += inner * columns
            }
        }
    }

    private func multiply(
        inner: Int, columns: Int, weightsAt start: Int, into output: inout AlignedBuffer<Float>
    ) {
        let rows = input.span
        let weights = self.weights.span
        var target = output.mutableSpan
        DenseMath.multiply(
            DenseMatrixView(rows.extracting(0..<tokens * inner), rows: tokens, columns: inner),
            DenseMatrixView(
                weights.extracting(start..<start + inner * columns), rows: inner, columns: columns),
            into: &target)
    }

    /// Queries, keys and values at once; the attention's result; the two of the feed-forward block.
    private static func products(_ shape: EncoderShape) -> [(inner: Int, columns: Int)] {
        [
            (shape.hiddenSize, 3 * shape.hiddenSize), (shape.hiddenSize, shape.hiddenSize),
            (shape.hiddenSize, shape.intermediateSize), (shape.intermediateSize, shape.hiddenSize),
        ]
    }

    private static func layerWeights(_ shape: EncoderShape) -> Int {
        products(shape).reduce(0) { $0 + $1.inner * $1.columns }
    }
}
