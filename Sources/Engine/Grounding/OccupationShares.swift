/// What a text is about: how much of each occupation, adding up to 1.
package struct OccupationShares: Sendable, Hashable {
    package struct Share: Sendable, Hashable {
        /// Position in the knowledge base.
        package let occupation: Int
        package let share: Float
    }

    /// Ascending by occupation, each at most once, shares above 0.
    package let shares: [Share]

    package init(_ sums: [Int: Double]) {
        // A dictionary's own order is another in each process, and with it the sum's last bit.
        let ordered = sums.sorted { $0.key < $1.key }
        let whole = ordered.reduce(0) { $0 + $1.value }
        guard whole > 0 else {
            shares = []
            return
        }
        shares = ordered.compactMap { occupation, sum in
            let share = Float(sum / whole)
            return share > 0 ? Share(occupation: occupation, share: share) : nil
        }
    }

    /// What several texts are about together: the weighted mean.
    package init(_ texts: [(weight: Double, shares: OccupationShares)]) {
        var sums: [Int: Double] = [:]
        for (weight, text) in texts {
            for share in text.shares { sums[share.occupation, default: 0] += weight * Double(share.share) }
        }
        self.init(sums)
    }

    /// The greatest shares, greatest first, equal ones by occupation.
    package func top(_ count: Int) -> [Share] {
        Array(shares.sorted { ($1.share, $0.occupation) < ($0.share, $1.occupation) }.prefix(count))
    }
}
