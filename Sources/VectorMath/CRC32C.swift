internal import CKernels

/// A running CRC-32C (Castagnoli; RFC 3720, appendix B.4): finds every burst of up to 32 damaged bits.
///
/// By the CPU's instruction where there is one (`pl_crc32c.h`). Store has a table version of its own of the same name,
/// since it may not import this module: what it checks is kilobytes, what is checked here is every row of the index.
package struct CRC32C: Sendable {
    /// The checksum of all that was added; 0 of nothing.
    package private(set) var value: UInt32 = 0
    private let isPortable: Bool

    /// - Parameter portable: leaves the CPU's instructions aside, for tests.
    package init(portable: Bool = false) { isPortable = portable }

    /// Whether this CPU has instructions that are used.
    package static var isAccelerated: Bool { pl_crc32c_is_accelerated() != 0 }

    /// Adds bytes.
    ///
    /// - Complexity: O(count).
    package mutating func update(_ bytes: Span<UInt8>) {
        let before = value
        let isPortable = isPortable
        value = unsafe bytes.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return before }
            // SAFETY: the kernel reads `count` bytes.
            return unsafe isPortable
                ? pl_crc32c_portable(before, base, bytes.count) : pl_crc32c(before, base, bytes.count)
        }
    }

    /// Adds the bytes of numbers, as they lie in memory.
    package mutating func update(_ numbers: Span<Float>) {
        let before = value
        let isPortable = isPortable
        value = unsafe numbers.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return before }
            // SAFETY: the kernel reads `count` bytes; every float's four are initialised.
            let first = unsafe base.assumingMemoryBound(to: UInt8.self)
            return unsafe isPortable
                ? pl_crc32c_portable(before, first, bytes.count) : pl_crc32c(before, first, bytes.count)
        }
    }

    /// Adds the four bytes of a number, lowest first.
    package mutating func update(_ number: UInt32) {
        let bytes: [UInt8] = [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: number >> $0) }
        update(bytes.span)
    }

    /// The checksum of `bytes`.
    package static func checksum(of bytes: Span<UInt8>) -> UInt32 {
        var checksum = CRC32C()
        checksum.update(bytes)
        return checksum.value
    }
}
