package import Platform

/// What there is to say of an identity provider's key set: each thing once, when it begins and when it ends.
package struct TokenKeyNews: Sendable {
    package enum Item: Sendable, Equatable {
        /// The file cannot be used as it is now; the keys that were read before are used on.
        case unusable(String)
        /// What was wrong is no longer.
        case usable
        /// The file names no key, so that no token signed by one holds.
        case withoutKeys
        case withKeys(Int)
    }

    private var problem: String?
    private var hasKeys = true

    package init() {}

    /// What is new since the last look.
    package mutating func note(_ statistics: TokenStatistics) -> [Item] {
        var items: [Item] = []
        if statistics.keySetProblem != problem {
            items.append(statistics.keySetProblem.map(Item.unusable) ?? .usable)
            problem = statistics.keySetProblem
        }
        if (statistics.keys > 0) != hasKeys {
            hasKeys.toggle()
            items.append(hasKeys ? .withKeys(statistics.keys) : .withoutKeys)
        }
        return items
    }
}
