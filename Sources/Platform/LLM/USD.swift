/// Amounts of dollars in whole numbers: billionths, so that the price of a token is exact and sums do not drift.
package enum USD {
    package static let nanodollars: Int64 = 1_000_000_000

    /// Reads `2`, `0.15` or `1.5` without a sign or exponent.
    ///
    /// - Parameter digits: after the point at most; the unit is their last place.
    /// - Returns: nil for another form, or more than 1,000,000 dollars.
    package static func units(of text: some StringProtocol, digits: Int) -> Int64? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = number(parts[0], maximumDigits: 7), whole <= 1_000_000 else {
            return nil
        }
        var scale: Int64 = 1
        for _ in 0..<digits { scale *= 10 }
        guard parts.count == 2 else { return whole * scale }
        guard let fraction = number(parts[1], maximumDigits: digits) else { return nil }
        var unit: Int64 = 1
        for _ in 0..<(digits - parts[1].utf8.count) { unit *= 10 }
        return whole * scale + fraction * unit
    }

    /// Reads an amount such as `2` or `0.50`.
    package static func nanodollars(of text: some StringProtocol) -> Int64? { units(of: text, digits: 9) }

    /// `$1.32`, with as many digits after the point as say something, at least two.
    package static func text(nanodollars amount: Int64) -> String { "$" + decimal(nanodollars: amount) }

    /// `1.32`
    package static func decimal(nanodollars amount: Int64) -> String {
        let (whole, rest) = amount.magnitude.quotientAndRemainder(dividingBy: UInt64(nanodollars))
        var digits = String(rest)
        digits = String(repeating: "0", count: 9 - digits.utf8.count) + digits
        while digits.utf8.count > 2, digits.hasSuffix("0") { digits.removeLast() }
        return "\(amount < 0 ? "-" : "")\(whole).\(digits)"
    }

    private static func number(_ text: some StringProtocol, maximumDigits: Int) -> Int64? {
        guard (1...maximumDigits).contains(text.utf8.count),
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return Int64(text)
    }
}
