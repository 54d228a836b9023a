internal import Synchronization
package import VectorIndex

/// Searches that come at the same time, over an index large enough that they gain by sharing a pass.
///
/// A search of many rows uses every core, so only one runs at a time here. Who comes while none runs searches at once;
/// the others wait, and whoever is next searches for all that wait together if they are enough, else for itself alone.
/// Over fewer rows nobody waits for anybody (docs/decisions/0015-queues.md has the measurements behind the two numbers).
package final class SearchTurns: Sendable {
    /// Rows from which a search uses every core; below, searches side by side are quicker than a batch of any size.
    package static let leastRows = 8_192
    /// Searches that share a pass, at least: fewer are as quick one after another.
    package static let leastJoined = 16
    /// At most, so that a pass stays short beside a request.
    package static let mostJoined = 64

    /// What somebody who waited is told.
    private enum Turn: Sendable {
        /// The result, which somebody else found.
        case found(Result<SearchResult, IndexError>)
        /// To search, and for these as well.
        case search(for: [Waiting])
    }

    private struct Waiting: Sendable {
        let index: Generation
        let request: SearchRequest
        let continuation: CheckedContinuation<Turn, Never>
    }

    private struct State {
        var isSearching = false
        var joined = 0
        /// In the order of their coming.
        var waiting: [Waiting] = []
    }

    private let state = Mutex(State())
    private let leastRows: Int

    /// - Parameter leastRows: of an index in which searches wait for one another.
    package init(leastRows: Int = SearchTurns.leastRows) { self.leastRows = leastRows }

    /// Searches that somebody else's pass answered, so far.
    package var joinedCount: Int { state.withLock { $0.joined } }

    /// As `Generation.search`, with equal hits and scores where the request is not approximate.
    ///
    /// - Throws: `IndexError` where the request does not fit the index.
    package func search(_ request: SearchRequest, in index: Generation) async throws(IndexError) -> SearchResult {
        guard index.count >= leastRows else { return try index.search(request) }
        let turn = await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.isSearching else {
                    state.isSearching = true
                    return true
                }
                state.waiting.append(Waiting(index: index, request: request, continuation: continuation))
                return false
            }
            if isFree { continuation.resume(returning: .search(for: [])) }
        }
        switch turn {
        case .found(let result): return try result.get()
        case .search(let others):
            defer { passOn() }
            return try Self.search(request, in: index, joinedBy: others)
        }
    }

    private static func search(
        _ request: SearchRequest, in index: Generation, joinedBy others: [Waiting]
    ) throws(IndexError) -> SearchResult {
        if !others.isEmpty, let results = try? index.search(batch: [request] + others.map(\.request)) {
            for (other, result) in zip(others, results.dropFirst()) {
                other.continuation.resume(returning: .found(.success(result)))
            }
            return results[0]
        }
        // A request that does not fit fails a batch, and is to fail alone.
        for other in others {
            let result: Result<SearchResult, IndexError>
            do throws(IndexError) {
                result = .success(try index.search(other.request))
            } catch {
                result = .failure(error)
            }
            other.continuation.resume(returning: .found(result))
        }
        return try index.search(request)
    }

    /// How many search together of so many who wait for the same index.
    package static func together(of waiting: Int) -> Int {
        waiting >= leastJoined ? min(waiting, mostJoined) : min(waiting, 1)
    }

    /// Gives the turn to who came first, with those who wait for the same index where they are enough.
    private func passOn() {
        let next = state.withLock { state -> (first: Waiting, others: [Waiting])? in
            guard let first = state.waiting.first else {
                state.isSearching = false
                return nil
            }
            let alike = state.waiting.indices.filter { state.waiting[$0].index === first.index }
            let joined = Set(alike.prefix(Self.together(of: alike.count)))
            let others = joined.sorted().dropFirst().map { state.waiting[$0] }
            state.joined += others.count
            state.waiting = state.waiting.indices.filter { !joined.contains($0) }.map { state.waiting[$0] }
            return (first, others)
        }
        next?.first.continuation.resume(returning: .search(for: next?.others ?? []))
    }
}
