import Platform

/// What a call throws, or nil where it throws nothing.
func outboundFailure(_ body: () async throws(OutboundError) -> Void) async -> OutboundError? {
    do throws(OutboundError) {
        try await body()
        return nil
    } catch {
        return error
    }
}

extension OutboundSettings {
    /// Lets the fake servers be reached by their address, and nothing else of the machine.
    static var loopback: OutboundSettings { OutboundSettings(allowedPrivate: ["127.0.0.1"]) }
}

/// gzip made by hand, so that tests need no compressor (RFC 1951, RFC 1952).
enum HandmadeGzip {
    private static let head: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]

    /// `bytes`, at most 65,535 of them, in one stored block.
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        let count = UInt16(bytes.count)
        let block = [1, UInt8(count & 0xFF), UInt8(count >> 8), UInt8(~count & 0xFF), UInt8(~count >> 8)] + bytes
        return head + block + little(crc32(bytes)) + little(UInt32(bytes.count))
    }

    /// About `count` zeros in a 158th of the bytes: a literal, then copies of 258 bytes from one byte back.
    static func bomb(_ count: Int) -> [UInt8] {
        var writer = BitWriter()
        writer.write(0b011, bits: 3)  // The last block, with the fixed codes.
        writer.writeCode(0b0011_0000, bits: 8)  // The literal 0.
        for _ in 0..<(count / 258) {
            writer.writeCode(0b1100_0101, bits: 8)  // Length 258.
            writer.writeCode(0, bits: 5)  // Distance 1.
        }
        writer.writeCode(0, bits: 7)  // The end.
        return head + writer.finished() + [0, 0, 0, 0, 0, 0, 0, 0]
    }

    private struct BitWriter {
        private var bytes: [UInt8] = []
        private var current: UInt8 = 0
        private var filled = 0

        mutating func write(_ value: UInt32, bits: Int) {
            for place in 0..<bits {
                current |= UInt8(value >> UInt32(place) & 1) << UInt8(filled)
                filled += 1
                if filled == 8 {
                    bytes.append(current)
                    current = 0
                    filled = 0
                }
            }
        }

        /// Codes go highest bit first.
        mutating func writeCode(_ code: UInt32, bits: Int) {
            for place in stride(from: bits - 1, through: 0, by: -1) { write(code >> UInt32(place) & 1, bits: 1) }
        }

        func finished() -> [UInt8] { filled == 0 ? bytes : bytes + [current] }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
    }

    private static func little(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
