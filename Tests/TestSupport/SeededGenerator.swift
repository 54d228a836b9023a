import Foundation

/// SplitMix64: a small generator whose whole state is one number, so that a failing run is repeated by naming its seed.
///
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
///
/// `PATHLIGHT_TEST_SEED` (decimal or `0x…`) overrides every seed, given or drawn. A drawn seed is printed on standard
/// error as it is drawn; put the generator itself into the comment of an expectation to see the seed beside a failure:
/// `#expect(a == b, "\(generator)")`.
package struct SeededGenerator: RandomNumberGenerator, Sendable, CustomStringConvertible {
    /// The seed that the sequence began with.
    package let seed: UInt64
    private var state: UInt64

    /// Starts the sequence of `seed`, or of a newly drawn and printed one.
    package init(seed given: UInt64? = nil) {
        if let override = Self.override {
            seed = override
        } else if let given {
            seed = given
        } else {
            seed = UInt64.random(in: .min ... .max)
            FileHandle.standardError.write(Data("seed drawn: PATHLIGHT_TEST_SEED=\(seed) repeats this run\n".utf8))
        }
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from the standard normal distribution, by the Box–Muller transform.
    package mutating func nextGaussian() -> Double {
        // 1 − u lies in (0, 1], where the logarithm is finite.
        let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &self))).squareRoot()
        return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &self))
    }

    /// A direction of `count` numbers, all of them equally likely.
    package mutating func direction(_ count: Int) -> [Float] {
        let values = (0..<count).map { _ in nextGaussian() }
        let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return values.map { Float($0 / norm) }
    }

    package var description: String { "PATHLIGHT_TEST_SEED=\(seed)" }

    private static let override: UInt64? = {
        guard let text = ProcessInfo.processInfo.environment["PATHLIGHT_TEST_SEED"], !text.isEmpty else { return nil }
        let value = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
        guard let value else {
            preconditionFailure("PATHLIGHT_TEST_SEED is not an unsigned 64-bit number: \(text)")
        }
        return value
    }()
}
