internal import Synchronization
internal import VectorIndex

/// The careers as they are served now, and recommendations from them.
///
/// Readers take the current generation once a request; `publish` puts the next one in its place.
package final class Recommender: Sendable {
    private let published: Mutex<CareerGeneration>
    /// Nil where there is no model.
    private let encoder: EncodingQueue?

    package init(generation: CareerGeneration, encoder: EncodingQueue?) {
        published = Mutex(generation)
        self.encoder = encoder
    }

    package var current: CareerGeneration { published.withLock { $0 } }

    package func publish(_ generation: CareerGeneration) {
        published.withLock { $0 = generation }
    }

    /// The careers that serve somebody best.
    ///
    /// - Throws: `RecommendationError`, or an error of the encoder.
    package func recommend(_ request: RecommendationRequest) async throws -> RecommendationReply {
        let generation = current
        let clock = ContinuousClock()
        let start = clock.now
        var timing = RecommendationReply.Timing()

        let statement = try ResolvedQuery.Statement(request, in: generation)
        let vectors = try await vectors(for: statement.parts, in: generation)
        let embedded = clock.now
        timing.embed = embedded - start

        let query = try ResolvedQuery(statement, vectors: vectors, alpha: request.alpha, in: generation)
        let result = try search(query, request, in: generation)
        let searched = clock.now
        timing.search = searched - embedded

        let explainer = Explainer(query: query, generation: generation, request: request)
        let recommendations = result.hits.enumerated().compactMap { position, hit in
            explainer.recommendation(hit, rank: position + 1)
        }
        let end = clock.now
        timing.explain = end - searched
        timing.total = end - start
        return RecommendationReply(
            recommendations: recommendations, alpha: query.alpha, lambda: generation.calibration.lambda,
            exact: result.exact, complete: result.complete, degradation: generation.degradation,
            generation: generation.index.number, matched: result.matched, scanned: result.scanned, timing: timing)
    }

    private func search(
        _ query: ResolvedQuery, _ request: RecommendationRequest, in generation: CareerGeneration
    ) throws -> SearchResult {
        do throws(IndexError) {
            return try generation.index.search(
                SearchRequest(
                    query: try query.fused(in: generation), limit: request.topN,
                    maxPerCluster: request.diversity ? request.maxPerCluster : nil, filter: request.filter,
                    excluded: Set((request.excluded + request.liked + request.disliked).map(ItemID.init)),
                    wantsRankBeforeCap: true))
        } catch {
            switch error {
            case .zeroQuery: throw RecommendationError.nothingToGoOn
            default: throw RecommendationError.filter(error)
            }
        }
    }

    /// The vectors of everything that was said: phrases of the quiz are at hand, other texts are embedded.
    private func vectors(for parts: [QueryPart], in generation: CareerGeneration) async throws -> [String: [Float]] {
        guard let encoder, let space = generation.space else { return [:] }
        // Vectors of two spaces are never compared: the encoder must be the one that made the generation.
        guard encoder.space.id == space.id else {
            throw SpaceMismatch(encoder: encoder.space.id, generation: space.id)
        }
        var found: [String: [Float]] = [:]
        var missing: [String] = []
        for text in parts.flatMap({ [$0.work, $0.takes].compactMap { $0 } }) where found[text] == nil {
            if let vector = generation.phraseVectors[text] {
                found[text] = vector
            } else if !missing.contains(text) {
                missing.append(text)
            }
        }
        for (text, vector) in zip(missing, try await encoder.vectors(of: missing, role: .query)) {
            found[text] = vector
        }
        return found
    }
}

/// The encoder's space is not the one that the generation's vectors live in.
package struct SpaceMismatch: Error, Sendable, Equatable, CustomStringConvertible {
    package let encoder: String
    package let generation: String

    package init(encoder: String, generation: String) {
        self.encoder = encoder
        self.generation = generation
    }

    package var description: String {
        "the encoder gives vectors of space \(encoder), the careers have vectors of space \(generation); re-embed them"
    }
}
