import Engine
import Foundation
import TestSupport
import Testing

struct ExponentialTests {
    /// Two units in the last place are 4.4e-16: the C library's own may be off by one of them.
    private static let bound = 1e-15

    private static func error(at x: Double) -> Double {
        let expected = exp(x)
        return abs(Exponential.of(x) - expected) / expected
    }

    @Test func `is that of the C library over a grid`() {
        var worst = (error: 0.0, x: 0.0)
        for step in 0...200_000 {
            let x = -Double(step) * 700 / 200_000
            let error = Self.error(at: x)
            if error > worst.error { worst = (error, x) }
        }
        #expect(worst.error <= Self.bound, "\(worst)")
    }

    @Test func `is that of the C library at random places, most of them where softmaxes are`() {
        var random = SeededGenerator(seed: 300)
        for _ in 0..<200_000 {
            let x = -pow(10, Double.random(in: -18...2.8, using: &random))
            #expect(Self.error(at: x) <= Self.bound, "\(x) \(random)")
        }
    }

    /// Where the power of 2 changes, and beside it.
    @Test func `is that of the C library at halves of log 2`() {
        for half in 0..<2_000 {
            let place = -Double(half) * log(2.0) / 2
            for x in [place.nextDown, place, min(place.nextUp, 0)] {
                #expect(Self.error(at: x) <= Self.bound, "\(x)")
            }
        }
    }

    @Test func `is 1 at 0 and 0 far below it`() {
        #expect(Exponential.of(0) == 1 && Exponential.of(-0.0) == 1)
        // What is above 0 by rounding is 0.
        #expect(Exponential.of(1e-12) == 1)
        for x in [-708.0, -708.000_1, -1e6, -1e300, -Double.greatestFiniteMagnitude, -Double.infinity, .nan] {
            #expect(Exponential.of(x) == 0, "\(x)")
        }
        #expect(Exponential.of(-707.999) > 0)
    }

    @Test func `does not fall where its argument rises`() {
        var before = 0.0
        for step in 0..<100_000 {
            let value = Exponential.of(-30 + Double(step) * 3e-4)
            // Up to rounding: it is no table of the true values.
            #expect(value >= before * (1 - 1e-15))
            before = value
        }
    }
}
