/// Cosines as sentences show them.
package enum Hundredths {
    /// The number with two decimals, as C's `%.2f` writes it; by hand, since Foundation takes microseconds for each.
    ///
    /// - Precondition: the number is finite and below 10¹².
    package static func text(of value: Float) -> String {
        // A float times 100 is exact in a double, so that this rounds the float itself, a tie to even.
        let (whole, rest) = Int((abs(Double(value)) * 100).rounded(.toNearestOrEven))
            .quotientAndRemainder(dividingBy: 100)
        return (value.sign == .minus ? "-" : "") + String(whole) + (rest < 10 ? ".0" : ".") + String(rest)
    }
}
