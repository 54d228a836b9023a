import CKernels

// What a transformer encoder does between its products, over the C kernels of pl_dense.h.
// Matrices are contiguous and row-major; their number of rows follows from their number of elements.

extension DenseMath {
    /// Activations of a feed-forward layer.
    package enum Activation: Sendable {
        /// x · Φ(x), with the error function.
        case gelu
        /// The same with Φ approximated by tanh, as GPT-2 has it.
        case geluTanh
        case relu
    }

    /// Adds `bias` (columns) to each row of `x` (rows × columns).
    package static func addBias(_ bias: Span<Float>, to x: inout MutableSpan<Float>) {
        let rows = rowCount(of: x.count, columns: bias.count)
        // SAFETY: x has rows · columns elements and bias has columns.
        unsafe pl_dense_add_bias(x.unsafeBase, bias.unsafeBase, rows, bias.count)
    }

    /// `x = activation(x + bias)` for each row of `x` (rows × columns).
    package static func activate(
        _ activation: Activation, bias: Span<Float>, in x: inout MutableSpan<Float>
    ) {
        let rows = rowCount(of: x.count, columns: bias.count)
        // SAFETY: x has rows · columns elements and bias has columns.
        switch activation {
        case .gelu: unsafe pl_dense_bias_gelu(x.unsafeBase, bias.unsafeBase, rows, bias.count)
        case .geluTanh: unsafe pl_dense_bias_gelu_tanh(x.unsafeBase, bias.unsafeBase, rows, bias.count)
        case .relu: unsafe pl_dense_bias_relu(x.unsafeBase, bias.unsafeBase, rows, bias.count)
        }
    }

    /// Each row of `state` becomes the layer norm of itself plus the row of `x` plus `bias`.
    ///
    /// - Parameters:
    ///   - x: (rows × columns), as `state`.
    ///   - bias: (columns), as `gain` and `shift` of the norm.
    package static func addAndNormalise(
        _ x: Span<Float>, bias: Span<Float>, gain: Span<Float>, shift: Span<Float>, epsilon: Float,
        into state: inout MutableSpan<Float>
    ) {
        let columns = bias.count
        precondition(gain.count == columns && shift.count == columns, "bias, gain and shift have one size")
        precondition(x.count == state.count, "a residual has the size of its state")
        let rows = rowCount(of: state.count, columns: columns)
        // SAFETY: sizes as checked above; x and state are different memory, by exclusivity.
        unsafe pl_dense_residual_norm(
            state.unsafeBase, x.unsafeBase, bias.unsafeBase, gain.unsafeBase, shift.unsafeBase, epsilon, rows, columns)
    }

    /// `output` becomes the layer norm of the sum of embedding rows, all of one size (columns).
    ///
    /// - Parameter third: may be empty, for a model without token types.
    package static func embed(
        _ first: Span<Float>, _ second: Span<Float>, _ third: Span<Float>, gain: Span<Float>, shift: Span<Float>,
        epsilon: Float, into output: inout MutableSpan<Float>
    ) {
        let columns = output.count
        precondition(first.count == columns && second.count == columns, "embedding rows have one size")
        precondition(third.count == columns || third.isEmpty, "embedding rows have one size")
        precondition(gain.count == columns && shift.count == columns, "gain and shift have the rows' size")
        // SAFETY: all have `columns` elements, but for an empty third, which is not read.
        unsafe pl_dense_embed_norm(
            output.unsafeBase, first.unsafeBase, second.unsafeBase, third.isEmpty ? nil : third.unsafeBase,
            gain.unsafeBase, shift.unsafeBase, epsilon, columns)
    }

    /// Softmax of each row of the square matrix `x` (size × size), in place.
    ///
    /// - Parameter relativeBias: empty, or 2 · size − 1 numbers: what column c of row r first gets added is
    ///   element size − 1 + c − r.
    package static func softmax(
        _ x: inout MutableSpan<Float>, size: Int, relativeBias: Span<Float>
    ) {
        precondition(size > 0 && x.count == size * size, "attention scores are a square matrix")
        precondition(relativeBias.isEmpty || relativeBias.count == 2 * size - 1, "one bias per relative position")
        // SAFETY: x has size² elements; the bias is read at size − 1 + c − r, from 0 to 2 · size − 2.
        unsafe pl_dense_softmax(x.unsafeBase, relativeBias.isEmpty ? nil : relativeBias.unsafeBase, size, size)
    }

    /// `output` (columns) becomes the mean of the rows of `x` (rows × columns).
    package static func meanOfRows(_ x: Span<Float>, into output: inout MutableSpan<Float>) {
        let columns = output.count
        let rows = rowCount(of: x.count, columns: columns)
        precondition(rows > 0, "nothing has no mean")
        // SAFETY: x has rows · columns elements, output has columns.
        unsafe pl_dense_mean_rows(x.unsafeBase, rows, columns, output.unsafeBase)
    }

    /// Scales `x` to Euclidean length 1 and returns the length it had; below 1e-12 it is left as it is.
    @discardableResult
    package static func normalise(_ x: inout MutableSpan<Float>) -> Float {
        // SAFETY: the kernel reads and writes x.count elements.
        unsafe pl_dense_normalise(x.unsafeBase, x.count)
    }

    private static func rowCount(of elements: Int, columns: Int) -> Int {
        precondition(columns > 0 && elements % columns == 0, "a matrix has whole rows")
        return elements / columns
    }
}
