internal import Synchronization

/// What texts read lately are about: asked for again and again, by the same page or person.
final class GroundedCache: Sendable {
    struct Entry: Sendable {
        let shares: OccupationShares
        /// The grounded half.
        let vector: [Float]
    }

    /// Entries of one of the two halves; about 4 KB each.
    private let capacity: Int
    /// What is asked for goes into the young half; when it is full, it becomes the old one, and what was in that and not
    /// asked for since is forgotten: about least recently used, without a list to keep.
    private let halves = Mutex<(young: [[Float]: Entry], old: [[Float]: Entry])>(([:], [:]))

    init(capacity: Int = 2_048) {
        precondition(capacity > 0, "a cache has room for one")
        self.capacity = capacity
    }

    /// - Parameter key: the text's own vector, and its title's or the grounded half after it.
    func entry(_ key: [Float]) -> Entry? {
        halves.withLock { halves in
            if let found = halves.young[key] { return found }
            guard let found = halves.old[key] else { return nil }
            Self.put(found, key, &halves, capacity)
            return found
        }
    }

    func insert(_ entry: Entry, _ key: [Float]) {
        halves.withLock { Self.put(entry, key, &$0, capacity) }
    }

    private static func put(
        _ entry: Entry, _ key: [Float], _ halves: inout (young: [[Float]: Entry], old: [[Float]: Entry]),
        _ capacity: Int
    ) {
        if halves.young.count >= capacity { halves = ([:], halves.young) }
        halves.young[key] = entry
    }
}
