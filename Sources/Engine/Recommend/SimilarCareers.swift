internal import VectorIndex

/// Careers like a given one.
package struct SimilarCareers: Sendable {
    package struct Item: Sendable {
        package let career: Career
        package let score: Float
        package let embeddingSimilarity: Float?
        package let abilitySimilarity: Float?
    }

    package let items: [Item]
    package let alpha: Float
    /// Careers that were compared.
    package let matched: Int
}

extension CareerGeneration {
    /// The careers whose rows are closest to that of `id`, itself left out; none for an unknown id.
    ///
    /// - Parameter clusters: those that a career must be of, as the catalogue names them; nil for all.
    /// - Throws: `RecommendationError.nothingToGoOn` for a career that nothing is known of.
    package func similar(to id: String, limit: Int, clusters: Set<String>? = nil) throws -> SimilarCareers {
        let id = ItemID(storedID(id))
        guard let slot = index.slot(of: id) else { return SimilarCareers(items: [], alpha: 0, matched: 0) }
        let row = index.row(at: slot)
        let layout = index.layout
        let embedding = Array(row[..<layout.embeddingCount])
        let abilities = Array(row[layout.embeddingCount..<layout.embeddingCount + layout.abilityCount])
        let alpha: Float = space == nil ? 0 : RecommendationRequest.defaultAlpha
        do throws(IndexError) {
            let query = try FusedQuery(
                embedding: embedding, abilities: abilities, alpha: alpha, lambda: calibration.lambda, layout: layout)
            let result = try index.search(
                SearchRequest(
                    query: query, limit: limit, filter: clusters.map { .anyOf("cluster", $0) }, excluded: [id]))
            let texts = embedding + [Float](repeating: 0, count: layout.rowCount - embedding.count)
            let tail = layout.rowCount - layout.embeddingCount - abilities.count
            let traits =
                [Float](repeating: 0, count: layout.embeddingCount) + abilities + [Float](repeating: 0, count: tail)
            let items = result.hits.compactMap { hit -> SimilarCareers.Item? in
                guard let career = careers[hit.id.text] else { return nil }
                return SimilarCareers.Item(
                    career: career, score: (1 + hit.score) / 2,
                    embeddingSimilarity: alpha > 0 ? (1 + index.innerProduct(texts, at: hit.slot)) / 2 : nil,
                    abilitySimilarity: alpha < 1
                        ? (1 + calibration.lambda * index.innerProduct(traits, at: hit.slot)) / 2 : nil)
            }
            return SimilarCareers(items: items, alpha: alpha, matched: result.matched)
        } catch {
            throw RecommendationError.nothingToGoOn
        }
    }
}
