/// What a search is asked for: one query, and the conditions on what it may find.
package struct SearchRequest: Sendable {
    package var query: FusedQuery
    package var conditions: SearchConditions

    package init(query: FusedQuery, conditions: SearchConditions) {
        self.query = query
        self.conditions = conditions
    }

    package init(
        query: FusedQuery, limit: Int, maxPerCluster: Int? = nil, filter: Filter? = nil, excluded: Set<ItemID> = [],
        wantsRankBeforeCap: Bool = false, isApproximate: Bool = false
    ) {
        self.query = query
        conditions = SearchConditions(
            limit: limit, maxPerCluster: maxPerCluster, filter: filter, excluded: excluded,
            wantsRankBeforeCap: wantsRankBeforeCap, isApproximate: isApproximate)
    }

    /// How many hits; 0 gives none, more than there are items gives all.
    package var limit: Int {
        get { conditions.limit }
        set { conditions.limit = newValue }
    }

    /// The most hits of one cluster; nil for no cap.
    package var maxPerCluster: Int? {
        get { conditions.maxPerCluster }
        set { conditions.maxPerCluster = newValue }
    }

    package var filter: Filter? {
        get { conditions.filter }
        set { conditions.filter = newValue }
    }

    package var excluded: Set<ItemID> {
        get { conditions.excluded }
        set { conditions.excluded = newValue }
    }

    /// Whether hits tell what their rank would be without the cap.
    package var wantsRankBeforeCap: Bool {
        get { conditions.wantsRankBeforeCap }
        set { conditions.wantsRankBeforeCap = newValue }
    }

    func validate(in generation: Generation) throws(IndexError) {
        try conditions.validate(in: generation)
        try query.validate(in: generation)
    }
}

extension FusedQuery {
    func validate(in generation: Generation) throws(IndexError) {
        guard row.count == generation.layout.rowCount else {
            throw .wrongDimension(what: "the query", expected: generation.layout.rowCount, found: row.count)
        }
    }
}
