/// The exponential function in additions and multiplications alone: the same bits on every processor and system, which
/// the one of the C library does not promise, and scores are to be equal on all replicas.
package enum Exponential {
    private static let log2 = 0.693147180559945286
    /// The logarithm of 2 in two parts, of which a power's product with the first is exact.
    private static let log2High = 6.93147180369123816490e-01
    private static let log2Low = 1.90821492927058770002e-10
    /// 1/n! for n from 13 down to 0: the remainder is below 1e-17 for |r| ≤ log(2)/2.
    private static let coefficients: [Double] = [
        1.0 / 6_227_020_800, 1.0 / 479_001_600, 1.0 / 39_916_800, 1.0 / 3_628_800, 1.0 / 362_880, 1.0 / 40_320,
        1.0 / 5_040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1,
    ]

    /// e to the power of `x`, within 1e-15 of it; 0 below -708.
    ///
    /// - Parameter x: at most 0.
    package static func of(_ x: Double) -> Double {
        guard x > -708 else { return 0 }
        let power = (min(x, 0) / log2).rounded()
        let rest = (min(x, 0) - power * log2High) - power * log2Low
        var sum = 0.0
        for coefficient in coefficients { sum = sum * rest + coefficient }
        return Double(sign: .plus, exponent: Int(power), significand: sum)
    }
}
