import Foundation
import TestSupport

/// Damages the bytes of a file in the ways that disks, downloads and people do.
struct FileMutator {
    var random: SeededGenerator

    /// Numbers at which arithmetic that is not careful gives way.
    private static let numbers = [
        "0", "-1", "1", "2", "65536", "2147483647", "2147483648", "4294967295", "4294967296", "9223372036854775807",
        "9223372036854775808", "-9223372036854775808", "18446744073709551615", "99999999999999999999999", "1e308",
        "1e999", "-0", "0.5", "1e-400",
    ]
    /// Values of another kind than is expected.
    private static let values = [
        "null", "true", "false", "[]", "{}", "\"\"", "[[]]", "{\"a\":1}", "\"\\u0000\"", "\"..\"", "\"/\"",
        "\"\\ud83d\\ude00\"",
        "\"bert\"", "\"mpnet\"", "\"[UNK]\"", "[1,2]", "3.5",
    ]

    mutating func mutate(_ whole: [UInt8]) -> [UInt8] {
        var bytes = whole
        for _ in 0..<(Bool.random(using: &random) ? 1 : Int.random(in: 1...5, using: &random)) where !bytes.isEmpty {
            step(&bytes)
        }
        return bytes
    }

    private mutating func step(_ bytes: inout [UInt8]) {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: bytes[place(in: bytes)] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 1: bytes[place(in: bytes)] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
        case 3: bytes.removeSubrange(range(in: bytes))
        case 4: bytes.insert(contentsOf: bytes[range(in: bytes)], at: place(in: bytes))
        case 5: bytes.replaceSubrange(range(in: bytes), with: Array(bytes[range(in: bytes)]))
        case 6: zero(range(in: bytes), of: &bytes)
        case 7, 8: replaceNumber(in: &bytes)
        default: replaceValue(in: &bytes)
        }
    }

    private mutating func place(in bytes: [UInt8]) -> Int { Int.random(in: bytes.indices, using: &random) }

    private mutating func range(in bytes: [UInt8]) -> Range<Int> {
        let start = place(in: bytes)
        return start..<min(bytes.count, start + Int.random(in: 1...64, using: &random))
    }

    private func zero(_ range: Range<Int>, of bytes: inout [UInt8]) { for i in range { bytes[i] = 0 } }

    /// Puts a notable number in the place of one that is written in digits.
    private mutating func replaceNumber(in bytes: inout [UInt8]) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let starts = bytes.indices.filter { digits.contains(bytes[$0]) && ($0 == 0 || !digits.contains(bytes[$0 - 1])) }
        guard let start = starts.randomElement(using: &random) else { return }
        let end = bytes[start...].firstIndex { !digits.contains($0) } ?? bytes.count
        bytes.replaceSubrange(start..<end, with: Array((Self.numbers.randomElement(using: &random) ?? "0").utf8))
    }

    /// Puts another value in the place of what follows a colon, to the next comma or bracket.
    private mutating func replaceValue(in bytes: inout [UInt8]) {
        guard let colon = bytes.indices.filter({ bytes[$0] == UInt8(ascii: ":") }).randomElement(using: &random) else {
            return
        }
        let end = bytes[(colon + 1)...].firstIndex { ",}]".utf8.contains($0) } ?? bytes.count
        bytes.replaceSubrange(colon + 1..<end, with: Array((Self.values.randomElement(using: &random) ?? "0").utf8))
    }
}
