/// What a search is asked for.
package struct SearchRequest: Sendable {
    package var query: FusedQuery
    /// How many hits; 0 gives none, more than there are items gives all.
    package var limit: Int
    /// The most hits of one cluster; nil for no cap.
    package var maxPerCluster: Int?
    package var filter: Filter?
    package var excluded: Set<ItemID>
    /// Whether hits tell what their rank would be without the cap.
    package var wantsRankBeforeCap: Bool

    package init(
        query: FusedQuery, limit: Int, maxPerCluster: Int? = nil, filter: Filter? = nil, excluded: Set<ItemID> = [],
        wantsRankBeforeCap: Bool = false
    ) {
        self.query = query
        self.limit = limit
        self.maxPerCluster = maxPerCluster
        self.filter = filter
        self.excluded = excluded
        self.wantsRankBeforeCap = wantsRankBeforeCap
    }

    func validate(in generation: Generation) throws(IndexError) {
        guard limit >= 0 else { throw .negativeCount(what: "the number of results", value: limit) }
        if let cap = maxPerCluster, cap < 0 { throw .negativeCount(what: "the cap per cluster", value: cap) }
        guard query.row.count == generation.layout.rowCount else {
            throw .wrongDimension(what: "the query", expected: generation.layout.rowCount, found: query.row.count)
        }
        guard let filter else { return }
        // A name that no item has is a mistake of the caller's; an index without items cannot tell.
        let known = generation.attributeNames
        for name in filter.attributeNames.sorted() where !known.contains(name) && generation.count > 0 {
            throw .unknownAttribute(name, known: known.sorted())
        }
    }
}

/// One item of a result.
package struct SearchHit: Sendable, Equatable {
    package let id: ItemID
    package let slot: Slot
    package let cluster: String
    /// The canonical inner product of query and row.
    package let score: Float
    /// 1 for the best item that met the conditions, cap or no cap; nil unless asked for.
    package let rankBeforeCap: Int?
}

/// What a search found, and how sure it is.
package struct SearchResult: Sendable, Equatable {
    /// By score, greatest first, then by id.
    package var hits: [SearchHit]
    /// Items that met the conditions.
    package var matched: Int
    /// Items whose scores were compared.
    package var scanned: Int
    /// Whether every item that met the conditions was scanned.
    package var complete: Bool
    /// Whether the hits are proven to be the best that the conditions and the cap allow.
    package var exact: Bool
}
