/// Vectors as bytes: float32, little-endian, in order.
enum VectorCodec {
    static func bytes(of vector: [Float]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: vector.count * 4)
        for (index, value) in vector.enumerated() {
            let bits = value.bitPattern
            bytes[index &* 4] = UInt8(truncatingIfNeeded: bits)
            bytes[index &* 4 &+ 1] = UInt8(truncatingIfNeeded: bits >> 8)
            bytes[index &* 4 &+ 2] = UInt8(truncatingIfNeeded: bits >> 16)
            bytes[index &* 4 &+ 3] = UInt8(truncatingIfNeeded: bits >> 24)
        }
        return bytes
    }

    /// - Parameter bytes: (count * 4) bytes, a whole number of floats.
    static func vector(of bytes: [UInt8]) -> [Float] {
        precondition(bytes.count.isMultiple(of: 4), "a vector has four bytes for each number")
        let span = bytes.span
        return (0..<span.count / 4).map { index in
            let at = index &* 4
            let low = UInt32(span[at]) | UInt32(span[at &+ 1]) << 8
            let high = UInt32(span[at &+ 2]) << 16 | UInt32(span[at &+ 3]) << 24
            return Float(bitPattern: low | high)
        }
    }
}
