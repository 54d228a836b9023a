/// One career that somebody was shown, and what they made of it.
package struct AbilityWeightSample: Sendable, Equatable {
    /// Whose it is: samples of a group are never split between fitting and checking.
    package let group: String
    /// qₖ·cₖ of the person's and the career's unit ability vectors, both without any weights: (15).
    package let features: [Double]
    /// What the texts said for this career.
    package let offset: Double
    /// 1 for a career that was wanted, 0 for one that was not; between them for what is less clear.
    package let target: Double
    /// How much it counts, above 0.
    package let weight: Double

    package init(group: String, features: [Double], offset: Double, target: Double, weight: Double = 1) {
        precondition(features.count == Ability.count)
        self.group = group
        self.features = features
        self.offset = offset
        self.target = target
        self.weight = weight
    }

    /// - Parameters:
    ///   - person: unit ability vector, (15).
    ///   - career: unit ability vector in the same frame, (15).
    package init(
        group: String, person: [Float], career: [Float], offset: Double, target: Double, weight: Double = 1
    ) {
        precondition(person.count == Ability.count && career.count == Ability.count)
        self.init(
            group: group, features: zip(person, career).map { Double($0) * Double($1) }, offset: offset, target: target,
            weight: weight)
    }

    /// Whether its numbers can be what they are said to be; they come from stored documents, which may be damaged.
    var isUsable: Bool {
        features.allSatisfy { abs($0) <= 1.001 } && abs(offset) <= 1_000 && (0...1).contains(target)
            && weight > 0 && weight <= 1_000
    }

    /// Whether the career was wanted, for figures that know only yes and no.
    var isPositive: Bool { target > 0.5 }
}

/// Which samples fit and which check: by a hash of the group, so that a group stays where it is when others come.
enum AbilityWeightSplit {
    /// One group in so many is held out.
    static let heldOutShare: UInt64 = 5
    /// Parts of the fitting groups for choosing the penalty.
    static let folds = 5

    static func isHeldOut(_ group: String) -> Bool { hash(group) % heldOutShare == 0 }

    /// 0..<folds; from other bits than `isHeldOut`.
    static func fold(_ group: String) -> Int { Int((hash(group) >> 32) % UInt64(folds)) }

    /// 0 or 1, halves as even as chance makes them; from a bit that `fold` does not use.
    static func half(_ group: String) -> Int { Int((hash(group) >> 16) & 1) }

    /// FNV-1a over UTF-8, then the finaliser of SplitMix64: FNV's low bits alone are uneven for ids that differ in
    /// their last letter. Swift's own hash changes with every start.
    private static func hash(_ group: String) -> UInt64 {
        var generator = SplitMix64(
            seed: group.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 })
        return generator.next()
    }
}
