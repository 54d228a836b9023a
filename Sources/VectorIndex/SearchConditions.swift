/// What a search may find and how much of it, whatever it searches for.
package struct SearchConditions: Sendable {
    /// How many hits; 0 gives none, more than there are items gives all.
    package var limit: Int
    /// The most hits of one cluster; nil for no cap.
    package var maxPerCluster: Int?
    package var filter: Filter?
    package var excluded: Set<ItemID>
    /// Whether hits tell what their rank would be without the cap.
    package var wantsRankBeforeCap: Bool
    /// Whether hits that are very likely, but not proven, to be the best are good enough.
    package var isApproximate: Bool

    package init(
        limit: Int, maxPerCluster: Int? = nil, filter: Filter? = nil, excluded: Set<ItemID> = [],
        wantsRankBeforeCap: Bool = false, isApproximate: Bool = false
    ) {
        self.limit = limit
        self.maxPerCluster = maxPerCluster
        self.filter = filter
        self.excluded = excluded
        self.wantsRankBeforeCap = wantsRankBeforeCap
        self.isApproximate = isApproximate
    }

    func validate(in generation: Generation) throws(IndexError) {
        guard limit >= 0 else { throw .negativeCount(what: "the number of results", value: limit) }
        if let cap = maxPerCluster, cap < 0 { throw .negativeCount(what: "the cap per cluster", value: cap) }
        guard let filter else { return }
        // A name that no item has is a mistake of the caller's; an index without items cannot tell.
        let known = generation.attributeNames
        for name in filter.attributeNames.sorted() where !known.contains(name) && generation.count > 0 {
            throw .unknownAttribute(name, known: known.sorted())
        }
    }
}
