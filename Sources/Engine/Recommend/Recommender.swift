internal import Synchronization
internal import VectorIndex

/// The careers as they are served now, and recommendations from them.
///
/// Readers take the current generation, with the encoder of its space, once a request; `publish` puts the next pair in
/// its place. The latest few stay at hand, so that the pages of one list all come from the same generation.
package final class Recommender: Sendable {
    /// A generation and what embeds queries for it; nil where there is no model.
    struct Published: Sendable {
        let generation: CareerGeneration
        let encoder: EncodingQueue?
    }

    /// Newest last; never empty.
    private let published: Mutex<[Published]>
    private let turns = SearchTurns()
    /// Generations that are kept for pages, the newest among them. An import makes two: its careers, then their vectors.
    package static let keptGenerations = 6

    package init(generation: CareerGeneration, encoder: EncodingQueue?) {
        published = Mutex([Published(generation: generation, encoder: encoder)])
    }

    package var current: CareerGeneration { newest.generation }

    package var encoder: EncodingQueue? { newest.encoder }

    private var newest: Published { published.withLock { $0[$0.count - 1] } }

    package func publish(_ generation: CareerGeneration, encoder: EncodingQueue?) {
        published.withLock { published in
            // The same state read anew takes the place of its older reading.
            published.removeAll { $0.generation.number == generation.number }
            published.append(Published(generation: generation, encoder: encoder))
            published.removeFirst(max(0, published.count - Self.keptGenerations))
        }
    }

    /// A generation that is still kept, or nil.
    package func generation(number: UInt64) -> CareerGeneration? {
        published.withLock { published in published.first { $0.generation.number == number }?.generation }
    }

    private func source(of request: RecommendationRequest) throws(RecommendationError) -> Published {
        let newest = newest
        guard let wanted = request.generation, wanted != newest.generation.number else { return newest }
        guard let kept = published.withLock({ $0.first { $0.generation.number == wanted } }) else {
            throw .generationGone(wanted, current: newest.generation.number)
        }
        return kept
    }

    /// The careers that serve somebody best.
    ///
    /// - Throws: `RecommendationError`, or an error of the encoder.
    package func recommend(_ request: RecommendationRequest) async throws -> RecommendationReply {
        try await recommend(batch: [request])[0].get()
    }

    /// The replies to several requests, in their order: equal to those given one by one, where these are exact.
    ///
    /// Texts of all requests are embedded together, and plain searches of one generation share their pass over the
    /// rows. A request that cannot be answered fails alone.
    ///
    /// Texts that a model outside was to embed and did not are left out, and the replies concerned are degraded; where
    /// nothing else was said, the list is empty.
    ///
    /// - Throws: an error of the encoder, which concerns all of them.
    package func recommend(
        batch requests: [RecommendationRequest]
    ) async throws -> [Result<RecommendationReply, RecommendationError>] {
        let start = ContinuousClock.now
        var stated: [(source: Published, statement: ResolvedQuery.Statement)?] = []
        var failures: [Int: RecommendationError] = [:]
        for (position, request) in requests.enumerated() {
            do throws(RecommendationError) {
                let source = try source(of: request)
                stated.append((source, try ResolvedQuery.Statement(request, in: source.generation)))
            } catch {
                stated.append(nil)
                failures[position] = error
            }
        }
        let (vectors, texts, unread) = try await vectors(for: stated)
        let embedded = ContinuousClock.now
        var searches: [(position: Int, search: CareerSearch)] = []
        var replies: [Int: RecommendationReply] = [:]
        for (position, request) in requests.enumerated() {
            guard let (source, statement) = stated[position] else { continue }
            let found = vectors[source.generation.number] ?? [:]
            do throws(RecommendationError) {
                searches.append(
                    (
                        position,
                        try CareerSearch(
                            request, statement, vectors: found,
                            unread: unread[source.generation.number].flatMap { statement.isRead(by: found) ? nil : $0 },
                            in: source.generation)
                    ))
            } catch {
                failures[position] = error
                guard case .textUnavailable(let unread) = error else { continue }
                var reply = CareerSearch.unanswered(request, unread, in: source.generation)
                reply.timing = .init(embed: embedded - start, total: embedded - start, texts: texts)
                replies[position] = reply
            }
        }
        let results = await CareerSearch.results(of: searches.map(\.search), turns: turns)
        let searched = ContinuousClock.now
        for ((position, search), result) in zip(searches, results) {
            do throws(RecommendationError) {
                let began = ContinuousClock.now
                let source = stated[position]?.source
                let readsLike = readsLike(
                    stated[position]?.statement, source, vectors[source?.generation.number ?? 0] ?? [:])
                var reply = search.reply(with: try result.get(), readsLike: readsLike)
                let end = ContinuousClock.now
                reply.timing = .init(
                    embed: embedded - start, search: searched - embedded, explain: end - began, total: end - start,
                    texts: texts)
                replies[position] = reply
            } catch {
                failures[position] = error
            }
        }
        return requests.indices.map { position in
            replies[position].map { .success($0) } ?? .failure(failures[position] ?? .nothingToGoOn)
        }
    }

    /// The occupations that are shown of what somebody wrote.
    private static let shownOccupations = 3

    /// What somebody wrote in their own words reads like; answers that they chose are not theirs.
    private func readsLike(
        _ statement: ResolvedQuery.Statement?, _ source: Published?, _ vectors: [String: [Float]]
    ) -> [ReadsLike] {
        guard let statement, let encoder = source?.encoder, encoder.isGrounded else { return [] }
        let written = statement.parts.compactMap { part -> (weight: Float, vector: [Float])? in
            guard part.isWritten, let text = part.work ?? part.takes, let vector = vectors[text] else { return nil }
            return (part.weight, vector)
        }
        return encoder.readsLike(written, count: Self.shownOccupations)
    }

    /// For each generation the vectors of everything that was said: phrases of the quiz are at hand, other texts are
    /// embedded, those of all requests together.
    ///
    /// - Returns: the vectors by generation and text, how many texts were embedded, and by generation why others were not.
    private func vectors(
        for stated: [(source: Published, statement: ResolvedQuery.Statement)?]
    ) async throws -> (found: [UInt64: [String: [Float]]], embedded: Int, unread: [UInt64: Degradation]) {
        var found: [UInt64: [String: [Float]]] = [:]
        var missing: [UInt64: (source: Published, texts: [String])] = [:]
        for (source, statement) in stated.compactMap({ $0 }) {
            let generation = source.generation
            guard let encoder = source.encoder, let space = generation.space else { continue }
            // Vectors of two spaces are never compared: the encoder must be the one that made the generation.
            guard encoder.space.id == space.id else {
                throw SpaceMismatch(encoder: encoder.space.id, generation: space.id)
            }
            for text in statement.parts.flatMap({ [$0.work, $0.takes].compactMap { $0 } })
            where found[generation.number]?[text] == nil {
                if let vector = generation.phraseVectors[text] {
                    found[generation.number, default: [:]][text] = vector
                } else if missing[generation.number]?.texts.contains(text) != true {
                    missing[generation.number, default: (source, [])].texts.append(text)
                }
            }
        }
        var unread: [UInt64: Degradation] = [:]
        for (number, entry) in missing {
            guard let encoder = entry.source.encoder else { continue }
            let reading = try await encoder.reading(of: entry.texts, role: .query)
            for case (let text, let vector?) in zip(entry.texts, reading.vectors) {
                found[number, default: [:]][text] = vector
            }
            unread[number] = reading.failure?.degradation
        }
        return (found, missing.values.reduce(0) { $0 + $1.texts.count }, unread)
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
