/// One of two halves of the careers, so that weights are learned on one and reported on the other.
package enum CareerHalf: String, CaseIterable, Sendable, Codable {
    case first, second

    /// The half of a career: by a hash of its id alone, so that it is the same on every machine and stays there when
    /// other careers come.
    package init(of id: String) { self = AbilityWeightSplit.half(id) == 0 ? .first : .second }

    package var other: CareerHalf { self == .first ? .second : .first }
}
