// A borrowed matrix, so that a product takes two operands instead of eight numbers.

/// A row-major view of float32 elements that somebody else owns; it lives no longer than their borrow.
package struct DenseMatrixView: ~Escapable {
    package let elements: Span<Float>
    package let rows: Int
    package let columns: Int
    /// Elements from the start of a row to the start of the next.
    package let stride: Int

    /// Views `rows` rows of `columns` elements, `stride` apart; contiguous unless a stride is given.
    @_lifetime(copy elements)
    package init(_ elements: Span<Float>, rows: Int, columns: Int, stride: Int? = nil) {
        let stride = stride ?? columns
        precondition(rows > 0 && columns > 0 && stride >= columns, "a matrix needs rows, columns and a stride to fit")
        precondition((rows - 1) * stride + columns <= elements.count, "the matrix is larger than its elements")
        self.elements = elements
        self.rows = rows
        self.columns = columns
        self.stride = stride
    }
}

// SAFETY of the two below: a span is a view of memory that stays where it is while the owner is borrowed, and the
// borrow lasts as long as the span, here a parameter. A kernel called with the pointer keeps none of it. Nesting a
// closure per operand instead would bury a call of six operands seven levels deep.

extension Span where Element == Float {
    /// The first element's address, for one call of a kernel.
    var unsafeBase: UnsafePointer<Float>? { unsafe withUnsafeBufferPointer { $0.baseAddress } }
}

extension MutableSpan where Element == Float {
    /// The first element's address, for one call of a kernel.
    var unsafeBase: UnsafeMutablePointer<Float>? {
        mutating get { unsafe withUnsafeMutableBufferPointer { $0.baseAddress } }
    }
}

extension MutableSpan where Element == Float {
    /// The elements in `range`, to be written while nothing else of this view is.
    ///
    /// The standard library's own name for it is about to change; this is the one place that depends on it.
    @_lifetime(&self)
    package mutating func part(_ range: Range<Int>) -> MutableSpan<Float> { _mutatingExtracting(range) }
}
