import TestSupport
import Testing
import VectorMath

@Suite struct `CRC-32C` {
    static func checksum(_ bytes: [UInt8], portable: Bool) -> UInt32 {
        var checksum = CRC32C(portable: portable)
        checksum.update(bytes.span)
        return checksum.value
    }

    /// Bit by bit, as the polynomial is defined.
    static func reference(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = ~0
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1 }
        }
        return ~crc
    }

    @Test(arguments: [false, true])
    func `gives the values of RFC 3720`(portable: Bool) {
        func check(_ bytes: [UInt8], _ expected: UInt32) {
            #expect(Self.checksum(bytes, portable: portable) == expected)
        }
        check([], 0)
        check(Array("123456789".utf8), 0xE306_9283)
        // Appendix B.4, whose listing has the bytes in the order of transmission.
        check(Array(repeating: 0, count: 32), 0x8A91_36AA)
        check(Array(repeating: 0xFF, count: 32), 0x62A8_AB43)
        check(Array(0..<32), 0x46DD_794E)
        check(Array((0..<32).reversed()), 0x113F_DB5C)
        check(
            [
                0x01, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18,
                0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
            ], 0xD996_3A56)
    }

    @Test func `is the same with the CPU's instruction, by table and bit by bit, at any length and alignment`() {
        var random = SeededGenerator(seed: 32)
        let bytes = (0..<4_200).map { _ in UInt8.random(in: 0...255, using: &random) }
        for length in Array(0...70) + [255, 256, 1_000, 4_096] {
            let start = Int.random(in: 0...64, using: &random)
            let part = Array(bytes[start..<start + length])
            let expected = Self.reference(part)
            for portable in [false, true] {
                var checksum = CRC32C(portable: portable)
                checksum.update(bytes.span.extracting(start..<start + length))
                #expect(checksum.value == expected, "\(length) bytes from \(start), \(random)")
                // In two pieces.
                let cut = Int.random(in: 0...length, using: &random)
                var pieces = CRC32C(portable: portable)
                pieces.update(part.span.extracting(0..<cut))
                pieces.update(part.span.extracting(cut..<length))
                #expect(pieces.value == expected, "\(length) bytes cut at \(cut), \(random)")
            }
        }
    }

    @Test func `a number is added as its bytes, lowest first`() {
        var number = CRC32C()
        number.update(0x0403_0201 as UInt32)
        #expect(number.value == Self.reference([1, 2, 3, 4]))
    }

    @Test func `the CPU's instruction is used where this CPU has it`() {
        #if arch(x86_64)
            // Every x86-64 processor with AVX2 has SSE4.2.
            if InstructionSet.avx2.isAvailable { #expect(CRC32C.isAccelerated) }
        #endif
    }
}
