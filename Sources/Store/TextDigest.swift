/// SHA-256 (FIPS 180-4) of short text, for names that must not collide. This module has no cryptography below it; what
/// has to be fast or secret is computed above.
package enum TextDigest {
    /// 64 hexadecimal digits.
    ///
    /// - Complexity: O(length); about 10 ns for each byte.
    package static func hexadecimal(of text: String) -> String {
        var state: [UInt32] = [
            0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
        ]
        var message = Array(text.utf8)
        let bits = UInt64(message.count) * 8
        message.append(0x80)
        message += [UInt8](repeating: 0, count: (120 - message.count % 64) % 64)
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            message.append(UInt8(truncatingIfNeeded: bits >> shift))
        }
        for start in stride(from: 0, to: message.count, by: 64) { compress(message[start..<start + 64], into: &state) }
        return state.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.utf8.count) + digits
        }.joined()
    }

    /// One block of 64 bytes (section 6.2.2).
    private static func compress(_ block: ArraySlice<UInt8>, into state: inout [UInt32]) {
        var schedule = [UInt32](repeating: 0, count: 64)
        for (offset, byte) in block.enumerated() { schedule[offset / 4] = schedule[offset / 4] << 8 | UInt32(byte) }
        for round in 16..<64 {
            let (near, far) = (schedule[round - 2], schedule[round - 15])
            let low = rotated(far, 7) ^ rotated(far, 18) ^ far >> 3
            let high = rotated(near, 17) ^ rotated(near, 19) ^ near >> 10
            schedule[round] = schedule[round - 16] &+ low &+ schedule[round - 7] &+ high
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for round in 0..<64 {
            let mixed = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
            let first = h &+ mixed &+ (e & f ^ ~e & g) &+ constants[round] &+ schedule[round]
            let second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) &+ (a & b ^ a & c ^ b & c)
            (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
        }
        for (place, word) in [a, b, c, d, e, f, g, h].enumerated() { state[place] &+= word }
    }

    private static func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (section 4.2.2), by whole
    /// numbers: the root of p · 2⁹⁶ has 32 bits after its point.
    private static let constants: [UInt32] = primes.map { prime in
        var (low, high) = (UInt64(1) << 32, UInt64(8) << 32)
        // p < 512, so that the root is below 8.
        while low + 1 < high {
            let middle = (low + high) / 2
            if isCubeAtMost(middle, prime) { low = middle } else { high = middle }
        }
        return UInt32(truncatingIfNeeded: low)
    }

    /// Whether root³ ≤ prime · 2⁹⁶; root has at most 35 bits.
    private static func isCubeAtMost(_ root: UInt64, _ prime: UInt64) -> Bool {
        let cube = UInt128(root) * UInt128(root) * UInt128(root)
        return cube <= UInt128(prime) << 96
    }

    private static let primes: [UInt64] = {
        var found: [UInt64] = []
        var candidate: UInt64 = 2
        while found.count < 64 {
            if found.allSatisfy({ candidate % $0 != 0 }) { found.append(candidate) }
            candidate += 1
        }
        return found
    }()
}
