// Which texts are computed next.

extension EmbeddingQueueState {
    /// The texts that people wait for and that are computed next, in a batch for each core.
    ///
    /// Half of the budget goes by age, so that nobody starves. The other half goes to the requests in turn, first to
    /// those that were served the least, so that one text does not wait for a thousand of somebody else's.
    mutating func round() -> [[Int]] {
        // No overflow where a core's budget is without bound.
        let budget = limits.batchTokens.multipliedReportingOverflow(by: lanes)
        var round = Round(budget: budget.overflow ? .max : budget.partialValue)
        takeByAge(.awaited, until: round.budget / 2, &round)
        takeInTurn(&round)
        return cut(round)
    }

    /// The portion of a re-embedding that is computed next.
    mutating func backgroundRound() -> [[Int]] {
        var round = Round(budget: limits.batchTokens)
        takeByAge(.background, until: round.budget, &round)
        return round.chosen.isEmpty ? [] : [byLength(round.chosen)]
    }

    private struct Round {
        let budget: Int
        var tokens = 0
        var chosen: [Int] = []

        /// Only a text that is longer than the budget by itself may exceed it.
        func hasRoom(for length: Int) -> Bool { chosen.isEmpty || length <= budget - tokens }
    }

    /// Takes from the oldest request until it has no more, then from the next.
    private mutating func takeByAge(_ urgency: Urgency, until share: Int, _ round: inout Round) {
        var exhausted = 0
        for id in lines[urgency] ?? [] {
            while round.chosen.isEmpty || round.tokens < share, let number = upcoming(id) {
                guard choose(number, of: id, &round) else { break }
            }
            // What did not fit keeps its place; nothing behind it may pass by age.
            if upcoming(id) != nil { break }
            exhausted += 1
        }
        lines[urgency]?.removeFirst(exhausted)
    }

    private mutating func takeInTurn(_ round: inout Round) {
        var hasTaken = true
        while hasTaken, round.tokens < round.budget {
            hasTaken = false
            let turns = (lines[.awaited] ?? []).enumerated().map {
                (served: requests[$0.element]?.served ?? 0, place: $0.offset, id: $0.element)
            }
            for turn in turns.sorted(by: { ($0.served, $0.place) < ($1.served, $1.place) })
            where round.tokens < round.budget {
                if let number = upcoming(turn.id), choose(number, of: turn.id, &round) { hasTaken = true }
            }
        }
        lines[.awaited] = lines[.awaited]?.filter { upcoming($0) != nil }
    }

    /// The next entry that a request may bring; nil where none of its entries waits to be chosen.
    private mutating func upcoming(_ id: UInt64) -> Int? {
        while let request = requests[id], request.next < request.entries.count {
            let number = request.entries[request.next]
            if entries[number]?.stage == .waiting { return number }
            requests[id]?.next += 1
        }
        return nil
    }

    private mutating func choose(_ number: Int, of id: UInt64, _ round: inout Round) -> Bool {
        guard let length = entries[number]?.key.count, round.hasRoom(for: length) else { return false }
        entries[number]?.stage = .chosen
        requests[id]?.served += length
        round.tokens += length
        round.chosen.append(number)
        return true
    }

    private func length(_ number: Int) -> Int { entries[number]?.key.count ?? 0 }

    private func byLength(_ numbers: [Int]) -> [Int] {
        numbers.sorted { (length($0), $1) > (length($1), $0) }
    }

    /// Tokens from which a core's share of a round is worth a batch of its own.
    private static let leastShare = 128

    /// Neighbours in length together, about the same tokens for each core.
    ///
    /// Where nothing else is computed, a few short texts are soonest done as one batch with its products split: cut
    /// up, every core reads all weights for a few rows.
    private func cut(_ round: Round) -> [[Int]] {
        let ordered = byLength(round.chosen)
        var batches: [[Int]] = []
        var rest = round.tokens
        var position = 0
        let full = (round.tokens - 1) / limits.batchTokens + 1
        let parts = isComputing ? lanes : min(lanes, max(full, round.tokens / Self.leastShare))
        for part in 0..<parts where position < ordered.count {
            let share = rest / (parts - part)
            var tokens = 0
            var batch: [Int] = []
            while position < ordered.count {
                let next = length(ordered[position])
                // The nearer of the two cuts; what is left over goes to the last batch.
                guard batch.isEmpty || part == parts - 1 || tokens + next / 2 <= share else { break }
                batch.append(ordered[position])
                tokens += next
                position += 1
            }
            rest -= tokens
            batches.append(batch)
        }
        return batches
    }
}
