import VectorMath

// The items of the encoder's steps: each writes rows or parts that no other item of its step touches.

extension TransformerEncoder {
    /// Fills rows of the state with the normed sums of their tokens' embeddings.
    func embed(_ texts: TextRows, _ rows: Range<Int>, _ workspace: EncoderWorkspace) {
        guard var text = texts.ranges.firstIndex(where: { $0.contains(rows.lowerBound) }) else { return }
        for row in rows {
            if row == texts.ranges[text].upperBound { text += 1 }
            workspace.state.write(row: row) { output in
                weights.tables.embed(
                    Int(texts.ids[row]), at: position(of: row, in: texts.ranges[text], texts),
                    epsilon: configuration.epsilon, into: &output)
            }
        }
        if precision == .int8 { workspace.state.quantise(rows) }
    }

    /// The position that a token stands at. In MPNet, a padding token that the text itself names stands at the
    /// padding's position, and the tokens after it are counted on as if it were not there.
    private func position(of row: Int, in range: Range<Int>, _ texts: TextRows) -> Int {
        guard configuration.family == .mpnet else { return configuration.firstPosition + row - range.lowerBound }
        let pad = Int32(configuration.padTokenID)
        if texts.ids[row] == pad { return configuration.padTokenID }
        let before = texts.ids[range.lowerBound..<row].count { $0 != pad }
        return configuration.firstPosition + before
    }

    /// A slice's part of self-attention over each text by itself, output layer included.
    func attend(
        _ slice: LayerSlice, part: Int, _ texts: TextRows, _ workspace: EncoderWorkspace, _ lane: Int
    ) {
        let rows = 0..<texts.tokens
        let space = workspace.space(lane, slice)
        slice.attentionInput.apply(to: workspace.state, rows, into: space.projections)
        for text in texts.ranges {
            mix(text, slice.heads, weights.relativeBias, space)
        }
        if precision == .int8 { space.context.quantise(rows) }
        slice.attentionOutput.apply(to: space.context, rows, into: workspace.parts, offset: part * workspace.tokens)
    }

    /// One text's attention, of some heads.
    private func mix(
        _ text: Range<Int>, _ heads: Range<Int>, _ bias: borrowing RelativeBias, _ space: LaneWorkspace
    ) {
        space.projections.attend(
            text, heads: heads.count, size: configuration.headSize, bias: bias.span(heads: heads, count: text.count),
            biasStride: bias.stride, into: space.context, scratch: space.attention)
    }

    /// A slice's part of the feed-forward layer.
    func feedForward(
        _ slice: LayerSlice, part: Int, _ texts: TextRows, _ workspace: EncoderWorkspace, _ lane: Int
    ) {
        let rows = 0..<texts.tokens
        let space = workspace.space(lane, slice)
        slice.feedForwardInput.apply(
            to: workspace.state, rows, activation: configuration.activation, into: space.inner)
        if precision == .int8 { space.inner.quantise(rows) }
        slice.feedForwardOutput.apply(to: space.inner, rows, into: workspace.parts, offset: part * workspace.tokens)
    }

    /// `state = norm(state + Σ parts + bias)`.
    func join(_ weights: JoinWeights, _ rows: Range<Int>, _ workspace: EncoderWorkspace) {
        join(weights.bias, weights.norm, rows, workspace)
        if precision == .int8 { workspace.state.quantise(rows) }
    }

    private func join(
        _ bias: borrowing AlignedBuffer<Float>, _ norm: borrowing NormWeights, _ rows: Range<Int>,
        _ workspace: EncoderWorkspace
    ) {
        workspace.state.addAndNormalise(
            rows, parts: workspace.parts, count: configuration.sliceHeads.count, bias: bias.span,
            gain: norm.gain.span, shift: norm.shift.span, epsilon: configuration.epsilon)
    }
}
