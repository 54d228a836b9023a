import VectorMath

extension TransformerEncoder {
    /// Self-attention over each text by itself, its output layer and norm; reads and replaces `state`.
    func attend(
        _ layer: LayerWeights, _ bias: borrowing RelativeBias, _ sequences: [[Int32]], _ tokens: Int,
        _ workspace: inout EncoderWorkspace
    ) {
        layer.attentionInput.apply(to: workspace.state, rows: tokens, into: &workspace.projections)
        addBias(layer.attentionInput, tokens, &workspace.projections)
        var row = 0
        for sequence in sequences {
            for head in 0..<configuration.heads {
                let place = HeadPlace(head: head, row: row, count: sequence.count)
                score(place, bias, workspace.projections, &workspace.scores)
                mix(place, workspace.projections, workspace.scores, &workspace.context)
            }
            row += sequence.count
        }
        layer.attentionOutput.apply(to: workspace.context, rows: tokens, into: &workspace.output)
        addAndNormalise(layer.attentionOutput, layer.attentionNorm, tokens, workspace.output, &workspace.state)
    }

    /// One head of one text, whose `count` tokens start at `row`.
    private struct HeadPlace {
        let head: Int
        let row: Int
        let count: Int
    }

    private func addBias(
        _ dense: borrowing DenseWeights, _ tokens: Int, _ projections: inout AlignedBuffer<Float>
    ) {
        var whole = projections.mutableSpan
        var span = whole.part(0..<tokens * dense.outputs)
        DenseMath.addBias(dense.bias.span, to: &span)
    }

    /// `scores = softmax(Q · Kᵀ / √size + bias)`, (count × count).
    private func score(
        _ place: HeadPlace, _ bias: borrowing RelativeBias, _ projections: borrowing AlignedBuffer<Float>,
        _ scores: inout AlignedBuffer<Float>
    ) {
        var whole = scores.mutableSpan
        var scores = whole.part(0..<place.count * place.count)
        DenseMath.multiply(
            view(projections.span, part: 0, place), view(projections.span, part: 1, place), transposingB: true,
            scale: 1 / Float(configuration.headSize).squareRoot(), into: &scores)
        DenseMath.softmax(
            &scores, size: place.count, relativeBias: bias.span(head: place.head, count: place.count))
    }

    /// The head's columns of `context` become `scores · V`.
    private func mix(
        _ place: HeadPlace, _ projections: borrowing AlignedBuffer<Float>,
        _ scores: borrowing AlignedBuffer<Float>, _ context: inout AlignedBuffer<Float>
    ) {
        let hidden = configuration.hiddenSize
        let start = place.row * hidden + place.head * configuration.headSize
        var whole = context.mutableSpan
        var columns = whole.part(start..<whole.count)
        DenseMath.multiply(
            DenseMatrixView(scores.span, rows: place.count, columns: place.count),
            view(projections.span, part: 2, place), into: &columns, outputStride: hidden)
    }

    /// A head's queries (part 0), keys (1) or values (2): (count × head size) of (tokens × 3 · hidden).
    @_lifetime(copy projections)
    private func view(_ projections: Span<Float>, part: Int, _ place: HeadPlace) -> DenseMatrixView {
        let stride = 3 * configuration.hiddenSize
        let start = place.row * stride + part * configuration.hiddenSize + place.head * configuration.headSize
        return DenseMatrixView(
            projections.extracting(droppingFirst: start), rows: place.count, columns: configuration.headSize,
            stride: stride)
    }
}
