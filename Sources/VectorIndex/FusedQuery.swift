internal import VectorMath

/// A query as a row: one inner product with an item's row gives the fused score.
///
/// With unit embeddings e and centred unit abilities a, the query row is `[α·e | (1 − α)·λ·a | 0]`, so its inner
/// product with `[e′ | a′ | 0]` is `α·cos(e, e′) + (1 − α)·λ·cos(a, a′)` for any α and λ.
package struct FusedQuery: Sendable {
    /// (layout.rowCount)
    package let row: [Float]
    /// Euclidean norm of `row`, rounded up.
    package let norm: Double

    /// - Parameters:
    ///   - embedding: unit length, (layout.embeddingCount); empty for none.
    ///   - abilities: centred, unit length, (layout.abilityCount); empty for none.
    ///   - alpha: weight of the embedding, 0…1.
    ///   - lambda: scale of the ability cosine, 0…1.
    /// - Throws: `IndexError` for a wrong dimension, a value that is not finite, a length that is neither 0 nor 1, a
    ///   weight outside 0…1, or a query in which nothing is left to compare.
    package init(
        embedding: [Float], abilities: [Float], alpha: Float, lambda: Float, layout: RowLayout
    ) throws(IndexError) {
        guard alpha >= 0, alpha <= 1 else { throw .weightOutOfRange(what: "alpha", value: alpha) }
        guard lambda >= 0, lambda <= 1 else { throw .weightOutOfRange(what: "lambda", value: lambda) }
        let embeddingNorm = try unitOrZeroNorm(
            embedding, count: layout.embeddingCount, what: "the embedding of the query")
        let abilityNorm = try unitOrZeroNorm(
            abilities, count: layout.abilityCount, what: "the ability vector of the query")
        let abilityWeight = (1 - alpha) * lambda
        guard (alpha > 0 && embeddingNorm > 0) || (abilityWeight > 0 && abilityNorm > 0) else { throw .zeroQuery }
        var row = [Float](repeating: 0, count: layout.rowCount)
        for i in embedding.indices { row[i] = alpha * embedding[i] }
        for i in abilities.indices { row[layout.embeddingCount + i] = abilityWeight * abilities[i] }
        self.row = row
        norm = RowScan.norm(row.span).nextUp
    }

    /// A query for what is like a row of an index, both its parts weighted as above.
    ///
    /// - Parameter row: (layout.rowCount), each part of unit length or zero.
    /// - Throws: `IndexError` for another dimension, a weight outside 0…1, or a row in which nothing is left to compare.
    package init(like row: [Float], alpha: Float, lambda: Float, layout: RowLayout) throws(IndexError) {
        guard row.count == layout.rowCount else {
            throw .wrongDimension(what: "the row to compare with", expected: layout.rowCount, found: row.count)
        }
        let abilityEnd = layout.embeddingCount + layout.abilityCount
        try self.init(
            embedding: Array(row[..<layout.embeddingCount]), abilities: Array(row[layout.embeddingCount..<abilityEnd]),
            alpha: alpha, lambda: lambda, layout: layout)
    }
}
