import CKernels

// SHA-256 as a stream, over the compression function of pl_sha256.h.

/// A running SHA-256 (FIPS 180-4) of bytes that arrive in pieces.
package struct SHA256: Sendable {
    private static let blockBytes = 64

    private var state: [UInt32] = [
        0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
    ]
    /// Bytes that do not fill a block yet.
    private var rest: [UInt8] = []
    private var byteCount: UInt64 = 0

    package init() {}

    /// Appends `bytes` to what is hashed.
    package mutating func update(_ bytes: RawSpan) {
        byteCount += UInt64(bytes.byteCount)
        var bytes = bytes
        if !rest.isEmpty {
            let missing = min(Self.blockBytes - rest.count, bytes.byteCount)
            for offset in 0..<missing { rest.append(bytes.byte(at: offset)) }
            bytes = bytes.extracting(droppingFirst: missing)
            guard rest.count == Self.blockBytes else { return }
            let block = rest
            rest = []
            // SAFETY: every byte of an array of bytes is initialised; so below.
            unsafe compress(block.span.bytes)
        }
        let whole = bytes.byteCount / Self.blockBytes * Self.blockBytes
        compress(bytes.extracting(first: whole))
        let tail = bytes.extracting(droppingFirst: whole)
        for offset in 0..<tail.byteCount { rest.append(tail.byte(at: offset)) }
    }

    /// The 64 lower-case hexadecimal digits of the hash of everything so far.
    package consuming func finalise() -> String {
        let bits = byteCount * 8
        var padding: [UInt8] = [0x80]
        padding.append(
            contentsOf: repeatElement(0, count: (2 * Self.blockBytes - 9 - rest.count) % Self.blockBytes))
        for shift in stride(from: 56, through: 0, by: -8) { padding.append(UInt8(truncatingIfNeeded: bits >> shift)) }
        unsafe update(padding.span.bytes)
        return state.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    private mutating func compress(_ blocks: RawSpan) {
        unsafe blocks.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            // SAFETY: the state has 8 words, `bytes` a whole number of blocks.
            unsafe state.withUnsafeMutableBufferPointer { state in
                unsafe pl_sha256_compress(state.baseAddress, base, bytes.count / Self.blockBytes)
            }
        }
    }
}

extension SHA256 {
    /// The hash of `bytes`, as lower-case hexadecimal digits.
    package static func hash(_ bytes: [UInt8]) -> String {
        var hash = SHA256()
        unsafe hash.update(bytes.span.bytes)
        return hash.finalise()
    }
}

extension RawSpan {
    fileprivate func byte(at offset: Int) -> UInt8 {
        // SAFETY: any byte is a UInt8, and the span checks the offset.
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }
}
