import VectorIndex

extension NaiveScan {
    /// Items that meet the conditions, whatever their scores.
    private func matching(_ conditions: SearchConditions) -> [IndexItem] {
        items.values.filter { item in
            !conditions.excluded.contains(item.id) && conditions.filter.map { Self.meets(item, $0) } ?? true
        }
    }

    /// The greatest score over the liked queries, without what some disliked query scores higher.
    func search(
        best liked: [FusedQuery], unlike disliked: [FusedQuery], _ conditions: SearchConditions
    ) -> (found: [Found], matched: Int, setAside: Int) {
        let matching = matching(conditions)
        var ranks: [Rank] = []
        for item in matching {
            let best = liked.map { score(item, $0.row) }.max()!
            if let worst = disliked.map({ score(item, $0.row) }).max(), worst > best { continue }
            ranks.append(Rank(score: best, id: item.id))
        }
        ranks.sort()
        var taken: [String: Int] = [:]
        var found: [Found] = []
        for (position, rank) in ranks.enumerated() where found.count < conditions.limit {
            let cluster = items[rank.id]!.cluster
            if let cap = conditions.maxPerCluster, taken[cluster, default: 0] >= cap { continue }
            taken[cluster, default: 0] += 1
            found.append(Found(id: rank.id, score: rank.score.bitPattern, rankBeforeCap: position + 1))
        }
        return (found, matching.count, matching.count - ranks.count)
    }

    /// The definition, every similarity computed anew at every step.
    func search(marginalRelevance weight: Float, _ request: SearchRequest, alpha: Float, lambda: Float) -> [Found] {
        let matching = matching(request.conditions)
        let ranks = matching.map { Rank(score: score($0, request.query.row), id: $0.id) }.sorted()
        let relevance = Dictionary(uniqueKeysWithValues: ranks.map { ($0.id, $0.score) })
        let positions = Dictionary(uniqueKeysWithValues: ranks.enumerated().map { ($1.id, $0 + 1) })
        func weighted(_ item: IndexItem) -> [Float] {
            var row = row(of: item)
            for i in row.indices { row[i] *= i < layout.embeddingCount ? alpha : (1 - alpha) * lambda }
            return row
        }
        var chosen: [IndexItem] = []
        var rest = matching
        while chosen.count < request.limit {
            var best: (value: Double, item: IndexItem)?
            for item in rest {
                if let cap = request.maxPerCluster, chosen.count(where: { $0.cluster == item.cluster }) >= cap {
                    continue
                }
                var value = Double(relevance[item.id]!)
                if let similarity = chosen.map({ score(item, weighted($0)) }).max() {
                    value = Double(weight) * value - (1 - Double(weight)) * Double(similarity)
                }
                if let best, value < best.value || (value == best.value && best.item.id < item.id) { continue }
                best = (value, item)
            }
            guard let best else { break }
            chosen.append(best.item)
            rest.removeAll { $0.id == best.item.id }
        }
        return chosen.map {
            Found(id: $0.id, score: relevance[$0.id]!.bitPattern, rankBeforeCap: positions[$0.id]!)
        }
    }
}
