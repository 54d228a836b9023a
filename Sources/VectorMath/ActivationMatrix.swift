internal import CKernels
internal import Glibc

/// How the weights of dense layers are kept and multiplied.
package enum DensePrecision: String, Sendable, CaseIterable {
    case float32
    /// Weights in 8 bits with a scale for each output, activations in 8 bits with a range for each row, found as they
    /// come; sums in integers. Norms, attention and the activation functions stay in float32.
    case int8
}

/// Rows of activations on their way through an encoder, in float32 and, if asked for, in 8-bit codes as well.
///
/// Several threads work on one matrix at once, each on rows of its own: the language cannot express that, so it is the
/// callers' to keep, as for `SharedScratch`. Contents are undefined until they are written.
@safe package final class ActivationMatrix: @unchecked Sendable {
    // SAFETY (of @unchecked Sendable): threads that write keep to different rows, as the type demands.
    package let rows: Int
    package let columns: Int
    /// Floats from row to row: whole panels, since kernels write whole ones.
    let stride: Int
    /// Bytes from a row of codes to the next; 0 without codes.
    let codeStride: Int
    let values: UnsafeMutablePointer<Float>
    let codes: UnsafeMutablePointer<UInt8>
    /// (rows): a code's worth, and what code 0 stands for.
    let scales: UnsafeMutablePointer<Float>
    let lows: UnsafeMutablePointer<Float>

    /// - Parameter withCodes: whether `quantise` will be called.
    package init(rows: Int, columns: Int, withCodes: Bool = false) {
        precondition(rows > 0 && columns > 0, "a matrix has rows and columns")
        self.rows = rows
        self.columns = columns
        stride = Self.rounded(columns, to: Int(PL_LINEAR_PANEL))
        codeStride = withCodes ? Self.rounded(columns, to: 64) : 0
        unsafe values = Self.allocate(rows * stride)
        unsafe codes = Self.allocate(rows * codeStride)
        unsafe scales = Self.allocate(withCodes ? rows : 0)
        unsafe lows = Self.allocate(withCodes ? rows : 0)
    }

    deinit {
        // SAFETY: each was allocated by `init`, and nobody else frees it.
        unsafe values.deallocate()
        unsafe codes.deallocate()
        unsafe scales.deallocate()
        unsafe lows.deallocate()
    }

    private static func rounded(_ count: Int, to multiple: Int) -> Int { (count + multiple - 1) / multiple * multiple }

    private static func allocate<Element: BitwiseCopyable>(_ count: Int) -> UnsafeMutablePointer<Element> {
        let bytes = max(count * MemoryLayout<Element>.stride, 1)
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        // SAFETY: all kinds of elements here are numbers, of which zero bytes are a value.
        unsafe memset(raw, 0, bytes)
        return unsafe raw.bindMemory(to: Element.self, capacity: count)
    }

    /// Writes one row.
    package func write(row: Int, _ body: (inout MutableSpan<Float>) -> Void) {
        precondition(row >= 0 && row < rows, "no such row")
        // SAFETY: the row lies inside; self outlives the call.
        var span = unsafe MutableSpan(_unsafeStart: values + row * stride, count: columns)
        body(&span)
    }

    /// `output` (columns) becomes the mean of the rows.
    package func mean(of range: Range<Int>, into output: inout MutableSpan<Float>) {
        check(range)
        precondition(!range.isEmpty && output.count == columns, "the mean of some rows has their columns")
        // SAFETY: rows in bounds; `output` is other memory, by exclusivity.
        unsafe pl_dense_mean_rows(
            values + range.lowerBound * stride, range.count, columns, stride, output.unsafeBase)
    }

    /// Writes the codes of the rows in `range` from their values.
    package func quantise(_ range: Range<Int>) {
        check(range)
        precondition(codeStride > 0, "the matrix was made without codes")
        let first = range.lowerBound
        // SAFETY: rows in bounds, in all four buffers.
        unsafe pl_linear_quantise(
            Int32(PL_ISA_BEST), values + first * stride, stride, range.count, columns, codes + first * codeStride,
            codeStride, scales + first, lows + first)
    }

    /// Each row in `range` becomes the layer norm of itself plus `bias` plus the rows of `parts`.
    ///
    /// - Parameters:
    ///   - parts: (count · rows × columns): row r of part p is row p · rows + r. Added up in their order.
    ///   - bias: (columns), as `gain` and `shift` of the norm.
    package func addAndNormalise(
        _ range: Range<Int>, parts: ActivationMatrix, count: Int, bias: Span<Float>, gain: Span<Float>,
        shift: Span<Float>, epsilon: Float
    ) {
        check(range)
        precondition(count > 0 && parts.columns == columns && parts.rows >= count * rows, "a part for each row")
        precondition(
            bias.count == columns && gain.count == columns && shift.count == columns, "bias, gain and shift fit a row")
        // SAFETY: rows in bounds, in the parts as well; equal columns give equal strides.
        unsafe pl_dense_sum_norm(
            values + range.lowerBound * stride, parts.values + range.lowerBound * stride, count, rows * stride,
            bias.unsafeBase, gain.unsafeBase, shift.unsafeBase, epsilon, range.count, columns, stride)
    }

    /// Attention within one text, whose queries, keys and values are the columns of these rows.
    ///
    /// - Parameters:
    ///   - range: the text's rows; those of `output` are the same.
    ///   - heads: of `size` columns each: all queries first, then all keys, then all values.
    ///   - bias: empty, or for each head, `biasStride` apart, 2 · tokens − 1 numbers; what is added to the score of
    ///     query t and key u is element tokens − 1 + u − t.
    ///   - scratch: `attentionScratch(tokens:size:)` columns in its row.
    package func attend(
        _ range: Range<Int>, heads: Int, size: Int, bias: Span<Float>, biasStride: Int,
        into output: ActivationMatrix, scratch: ActivationMatrix
    ) {
        check(range)
        output.check(range)
        let tokens = range.count
        precondition(columns == 3 * heads * size && output.columns == heads * size, "three columns for each of a head")
        precondition(
            bias.isEmpty || (heads - 1) * biasStride + 2 * tokens - 1 <= bias.count, "a bias for each distance")
        precondition(
            scratch.columns >= Self.attentionScratch(tokens: tokens, size: size), "scratch memory is too small")
        guard tokens > 0 else { return }
        // SAFETY: rows in bounds; columns, bias and scratch as checked above.
        unsafe pl_attention(
            Int32(PL_ISA_BEST), values + range.lowerBound * stride, stride, tokens, heads, size,
            1 / Float(size).squareRoot(), bias.isEmpty ? nil : bias.unsafeBase, biasStride,
            output.values + range.lowerBound * output.stride, output.stride, scratch.values)
    }

    /// Floats of scratch memory that `attend` needs for a text.
    package static func attentionScratch(tokens: Int, size: Int) -> Int { pl_attention_scratch(tokens, size) }

    func check(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of a matrix of \(rows)")
    }
}
