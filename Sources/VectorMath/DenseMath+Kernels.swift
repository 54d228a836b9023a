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

    /// Scales `x` to Euclidean length 1 and returns the length it had; below 1e-12 it is left as it is.
    @discardableResult
    package static func normalise(_ x: inout MutableSpan<Float>) -> Float {
        // SAFETY: the kernel reads and writes x.count elements.
        unsafe pl_dense_normalise(x.unsafeBase, x.count)
    }
}
