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
    /// By score, greatest first, then by id; in the order chosen where the search weighs more than the score.
    package var hits: [SearchHit]
    /// Items that met the conditions.
    package var matched: Int
    /// Items whose scores were compared.
    package var scanned: Int
    /// Whether every item that met the conditions was scanned.
    package var complete: Bool
    /// Whether the hits are proven to be the best that the conditions and the cap allow.
    package var exact: Bool
    /// Items that were scored in float32, after bounds had ruled the others out; all of them without codes.
    package var rescored = 0
    /// Items that met the conditions, but are nearer to something disliked than to everything liked.
    package var setAside = 0
}
