internal import VectorIndex

/// One request on its way from what was said to its reply, with the generation that it keeps to.
struct CareerSearch: Sendable {
    private enum Way {
        /// One query.
        case plain(SearchRequest)
        /// A query for each liked and each disliked career.
        case best(liked: [FusedQuery], disliked: [FusedQuery], SearchConditions)
        /// Maximal marginal relevance.
        case varied(weight: Float, SearchRequest)
    }

    private let request: RecommendationRequest
    private let generation: CareerGeneration
    /// What the replies are explained by: one query, or one for each liked career.
    private let queries: [ResolvedQuery]
    /// `queries` as rows of the index.
    private let rows: [[Float]]
    private let way: Way
    /// Why some of the request's texts have no vector.
    private let unread: Degradation?

    init(
        _ request: RecommendationRequest, _ statement: ResolvedQuery.Statement, vectors: [String: [Float]],
        unread: Degradation? = nil, in generation: CareerGeneration
    ) throws(RecommendationError) {
        self.request = request
        self.generation = generation
        self.unread = unread
        func resolved(_ statement: ResolvedQuery.Statement) throws(RecommendationError) -> ResolvedQuery {
            do throws(RecommendationError) {
                return try ResolvedQuery(
                    statement, vectors: vectors, unread: unread, alpha: request.alpha, in: generation)
            } catch {
                throw Self.precise(error, of: request, in: generation)
            }
        }
        let examples = statement.parts.filter { if case .example = $0.origin { true } else { false } }
        var queries: [ResolvedQuery] = []
        var disliked: [ResolvedQuery] = []
        // Marginal relevance knows one query.
        if request.examples == .bestScore, request.marginalRelevance == nil, !examples.isEmpty {
            for example in examples {
                let query = try resolved(statement.with(only: example))
                if example.weight > 0 { queries.append(query) } else { disliked.append(query) }
            }
            // With dislikes alone, what else was said is what draws near.
            if queries.isEmpty { queries = [try resolved(statement.withoutExamples)] }
        } else {
            queries = [try resolved(statement)]
        }
        self.queries = queries
        do throws(IndexError) {
            let fused = try Self.fused(queries, in: generation)
            rows = fused.map(\.row)
            let search = SearchRequest(
                query: fused[0], limit: request.skip + request.topN,
                maxPerCluster: request.diversity ? request.maxPerCluster : nil, filter: request.filter,
                excluded: Set(Self.leftOut(of: request).map { ItemID(generation.storedID($0)) }),
                wantsRankBeforeCap: true, isApproximate: request.isApproximate)
            if let weight = request.marginalRelevance {
                way = .varied(weight: weight, search)
            } else if fused.count > 1 || !disliked.isEmpty {
                way = .best(
                    liked: fused, disliked: try Self.fused(disliked, in: generation), search.conditions)
            } else {
                way = .plain(search)
            }
        } catch {
            throw Self.problem(error)
        }
    }

    /// Careers that a list never has: those that were named, and those that the person has dismissed.
    private static func leftOut(of request: RecommendationRequest) -> [String] {
        var last: [String: HistoryEntry.Kind] = [:]
        for entry in request.history { last[entry.career] = entry.kind }
        let dismissed = last.filter { $0.value == .dismissed }.keys
        return request.excluded + request.liked + request.disliked + dismissed
    }

    private static func fused(
        _ queries: [ResolvedQuery], in generation: CareerGeneration
    ) throws(IndexError) -> [FusedQuery] {
        var fused: [FusedQuery] = []
        for query in queries { fused.append(try query.fused(in: generation)) }
        return fused
    }

    /// Why there is nothing to go on, where that is known better.
    private static func precise(
        _ error: RecommendationError, of request: RecommendationRequest, in generation: CareerGeneration
    ) -> RecommendationError {
        guard error == .nothingToGoOn else { return error }
        let absent = passedOver(by: request, in: generation)
        if !absent.isEmpty { return .absentExamplesAlone(absent) }
        let hasQueryForEach = request.examples == .bestScore && request.marginalRelevance == nil
        return hasQueryForEach && request.liked.isEmpty && !request.disliked.isEmpty ? .dislikesAlone : error
    }

    private static func problem(_ error: IndexError) -> RecommendationError {
        switch error {
        case .zeroQuery: .nothingToGoOn
        default: .filter(error)
        }
    }

    // MARK: Searching

    /// The result of each search; plain ones over one index share a pass, a single one with those of other requests.
    static func results(
        of searches: [CareerSearch], turns: SearchTurns
    ) async -> [Result<SearchResult, RecommendationError>] {
        if searches.count == 1, case .plain(let request) = searches[0].way {
            do throws(IndexError) {
                return [.success(try await turns.search(request, in: searches[0].generation.index))]
            } catch {
                return [.failure(problem(error))]
            }
        }
        var results = [Result<SearchResult, RecommendationError>?](repeating: nil, count: searches.count)
        var groups: [ObjectIdentifier: [(position: Int, request: SearchRequest)]] = [:]
        for (position, search) in searches.enumerated() {
            if case .plain(let request) = search.way {
                groups[ObjectIdentifier(search.generation.index), default: []].append((position, request))
            }
        }
        for group in groups.values where group.count > 1 {
            let index = searches[group[0].position].generation.index
            // One request that does not fit fails them all; they are then answered one by one below.
            guard let found = try? index.search(batch: group.map(\.request)) else { continue }
            for ((position, _), result) in zip(group, found) { results[position] = .success(result) }
        }
        return zip(searches, results).map { search, result in
            result ?? search.result()
        }
    }

    private func result() -> Result<SearchResult, RecommendationError> {
        let index = generation.index
        do throws(IndexError) {
            switch way {
            case .plain(let request): return .success(try index.search(request))
            case .best(let liked, let disliked, let request):
                return .success(try index.search(best: liked, unlike: disliked, request))
            case .varied(let weight, let request):
                return .success(
                    try index.search(
                        marginalRelevance: weight, request, alpha: queries[0].alpha,
                        lambda: generation.calibration.lambda))
            }
        } catch {
            return .failure(Self.problem(error))
        }
    }

    // MARK: The reply

    /// - Parameter readsLike: the occupations that what was written reads like.
    func reply(with result: SearchResult, readsLike: [ReadsLike] = []) -> RecommendationReply {
        let named = NamedSkills(request)
        let explainers = queries.map {
            Explainer(
                query: $0, generation: generation, isRated: request.abilities != nil, named: named,
                readsLike: $0.usesText ? readsLike : [])
        }
        let page = result.hits.dropFirst(request.skip).enumerated().compactMap { position, hit in
            explainers[nearest(to: hit)].recommendation(hit, rank: request.skip + position + 1)
        }
        // Where no text counts, a dismissal still leaves its career out, and nothing else of a history matters.
        let counted = queries[0].parts.filter { part in
            guard case .history(_, _, let kind) = part.origin else { return false }
            return queries[0].usesText || kind == .dismissed
        }
        var reply = RecommendationReply(
            recommendations: page, alpha: queries[0].alpha, lambda: generation.calibration.lambda,
            exact: result.exact, complete: result.complete, degradation: generation.degradation ?? unread,
            generation: generation.number, matched: result.matched, scanned: result.scanned,
            rescored: result.rescored, setAside: result.setAside, skip: request.skip,
            sources: generation.sources(of: page.map(\.career)),
            profile: queries[0].usesAbilities ? queries[0].profile : nil,
            personalisation: Personalisation(counted), passedOver: Self.passedOver(by: request, in: generation))
        if queries[0].usesText { reply.readsLike = readsLike }
        return reply
    }

    /// The answer to who gave nothing but text that could not be read: nobody, and why.
    static func unanswered(
        _ request: RecommendationRequest, _ unread: Degradation, in generation: CareerGeneration
    ) -> RecommendationReply {
        RecommendationReply(
            recommendations: [], alpha: 0, lambda: generation.calibration.lambda, exact: true, complete: false,
            degradation: unread, generation: generation.number, matched: 0, scanned: 0, rescored: 0, setAside: 0,
            skip: request.skip, sources: [], profile: nil, personalisation: nil,
            passedOver: passedOver(by: request, in: generation))
    }

    /// The liked and disliked careers that are not served, and so did not count.
    private static func passedOver(
        by request: RecommendationRequest, in generation: CareerGeneration
    ) -> [PassedOver] {
        [("liked", request.liked), ("disliked", request.disliked)].flatMap { field, ids in
            ids.compactMap { id in
                generation.absent[id].map { PassedOver(field: field, career: id, reason: $0) }
            }
        }
    }

    /// The query that gave a hit its score.
    private func nearest(to hit: SearchHit) -> Int {
        guard rows.count > 1 else { return 0 }
        // The greatest, not the one equal to the score: no sum has to come out alike to the last bit.
        let products = rows.map { generation.index.innerProduct($0, at: hit.slot) }
        return products.indices.max { products[$0] < products[$1] } ?? 0
    }
}
