extension AlignedBuffer where Element == Float {
    /// Copies stored float32 numbers (little-endian, as every processor of ours is) to the elements from `start` on.
    ///
    /// - Parameter bytes: a whole number of floats; needs no alignment.
    package mutating func write(littleEndian bytes: Span<UInt8>, at start: Int) {
        precondition(bytes.count % 4 == 0, "\(bytes.count) bytes are no whole number of floats")
        var all = mutableSpan
        var target = all.part(start..<start + bytes.count / 4)
        // SAFETY: every byte of a span of bytes is initialised.
        DenseMath.widen(unsafe bytes.bytes, from: .float32, into: &target)
    }
}
