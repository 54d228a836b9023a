import Foundation
import Store
import Testing

struct TimeTests {
    @Test(arguments: [
        (0.0, "1970-01-01T00:00:00.000Z"), (1_772_098_200.125, "2026-02-26T09:30:00.125Z"),
        (951_782_400, "2000-02-29T00:00:00.000Z"), (-0.001, "1969-12-31T23:59:59.999Z"),
        (4_107_542_399.9996, "2100-03-01T00:00:00.000Z"), (-62_167_219_200, "0000-01-01T00:00:00.000Z"),
        (253_402_300_799.999, "9999-12-31T23:59:59.999Z"), (1e300, "9999-12-31T23:59:59.999Z"),
        (-1e300, "0000-01-01T00:00:00.000Z"),
    ])
    func `a time is written in UTC with milliseconds`(seconds: Double, text: String) {
        #expect(SQLTime.text(of: Date(timeIntervalSince1970: seconds)) == text)
    }

    @Test func `what is written is read back to the millisecond and sorts as time does`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix(state: seed)
        var pairs: [(Int, String)] = []
        for _ in 0..<2000 {
            let milliseconds = Int.random(in: -62_167_219_200_000...253_402_300_799_999, using: &generator)
            let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
            let text = SQLTime.text(of: date)
            let back = SQLTime.date(of: text).map { Int(($0.timeIntervalSince1970 * 1000).rounded()) }
            #expect(back == milliseconds, "seed \(seed)")
            pairs.append((milliseconds, text))
        }
        #expect(pairs.sorted { $0.0 < $1.0 }.map(\.1) == pairs.map(\.1).sorted(), "seed \(seed)")
    }

    @Test(arguments: [
        "", "2026-02-26", "2026-02-26T09:30:00Z", "2026-02-26T09:30:00.125", "2026-02-30T09:30:00.125Z",
        "2026-13-01T00:00:00.000Z", "2026-01-00T00:00:00.000Z", "2026-01-01T24:00:00.000Z",
        "2026-01-01T00:60:00.000Z", "2026-01-01T00:00:60.000Z", "+026-01-01T00:00:00.000Z",
        "2025-02-29T00:00:00.000Z", "2026-01-01T00:00:00.０Z",
    ])
    func `any other form is refused`(text: String) {
        #expect(SQLTime.date(of: text) == nil)
    }
}

/// SplitMix64: the same numbers for a seed on every machine.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
