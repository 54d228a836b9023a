import Synchronization

// The vectors of recent texts.

/// Numbers of an embedder since it was loaded.
package struct EmbeddingStatistics: Equatable, Sendable {
    /// Texts answered without the encoder: from the cache, or because the same call had them twice.
    package var hits = 0
    /// Texts that the encoder computed.
    package var misses = 0
    /// Tokens that the encoder computed, special tokens included.
    package var tokens = 0
    /// Vectors in the cache.
    package var entries = 0
}

/// A cache of bounded size that drops what was not asked for the longest.
///
/// The key is the list of token ids, not the text: a model sees nothing else of a text, so texts that differ in
/// case or spacing share an entry, and a key is never longer than the model's own limit, whatever is sent.
/// (As a key, a Swift String would also take canonically equivalent texts for one, which cased models do not.)
/// Of texts that a model outside embeds nobody here knows the token ids: the words of a text's hash stand for them.
package final class EmbeddingCache: Sendable {
    private struct Entry {
        var key: [Int32]
        var vector: [Float]
        /// Neighbours in order of use; -1 at the ends.
        var newer: Int
        var older: Int
    }

    private struct State {
        var entries: [Entry] = []
        var places: [[Int32]: Int] = [:]
        var newest = -1
        var oldest = -1
        var statistics = EmbeddingStatistics()
    }

    private let state = Mutex(State())
    private let capacity: Int

    /// - Parameter capacity: vectors that are kept; 0 keeps none.
    package init(capacity: Int) {
        precondition(capacity >= 0, "a cache cannot hold \(capacity) vectors")
        self.capacity = capacity
    }

    package var statistics: EmbeddingStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.entries = state.entries.count
            return statistics
        }
    }

    /// The vectors of `keys` that are known; they become the newest.
    package func vectors(of keys: [[Int32]]) -> [[Float]?] {
        guard capacity > 0 else { return Array(repeating: nil, count: keys.count) }
        return state.withLock { state in
            keys.map { key in
                guard let place = state.places[key] else { return nil }
                Self.unlink(place, &state)
                Self.linkNewest(place, &state)
                return state.entries[place].vector
            }
        }
    }

    /// Keeps the vector of each key, in the place of the oldest ones if there is no room.
    package func insert(_ pairs: [(key: [Int32], vector: [Float])]) {
        guard capacity > 0 else { return }
        state.withLock { state in
            for pair in pairs { Self.insert(pair.key, pair.vector, capacity, &state) }
        }
    }

    package func count(hits: Int, misses: Int, tokens: Int) {
        state.withLock { state in
            state.statistics.hits += hits
            state.statistics.misses += misses
            state.statistics.tokens += tokens
        }
    }

    private static func insert(_ key: [Int32], _ vector: [Float], _ capacity: Int, _ state: inout State) {
        let place: Int
        if let known = state.places[key] {
            // Another thread computed the same text meanwhile.
            place = known
            unlink(place, &state)
            state.entries[place].vector = vector
        } else if state.entries.count < capacity {
            place = state.entries.count
            state.entries.append(Entry(key: key, vector: vector, newer: -1, older: -1))
            state.places[key] = place
        } else {
            place = state.oldest
            unlink(place, &state)
            state.places[state.entries[place].key] = nil
            state.entries[place].key = key
            state.entries[place].vector = vector
            state.places[key] = place
        }
        linkNewest(place, &state)
    }

    private static func unlink(_ place: Int, _ state: inout State) {
        let (newer, older) = (state.entries[place].newer, state.entries[place].older)
        if newer >= 0 { state.entries[newer].older = older } else { state.newest = older }
        if older >= 0 { state.entries[older].newer = newer } else { state.oldest = newer }
    }

    private static func linkNewest(_ place: Int, _ state: inout State) {
        state.entries[place].newer = -1
        state.entries[place].older = state.newest
        if state.newest >= 0 { state.entries[state.newest].newer = place }
        state.newest = place
        if state.oldest < 0 { state.oldest = place }
    }
}
