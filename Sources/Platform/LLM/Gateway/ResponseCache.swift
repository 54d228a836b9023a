internal import Foundation
package import Store

/// Replies that need not be paid for again: in memory, bounded, and behind it in the database until they expire.
///
/// What was asked on a user's behalf is in the database alone: a command in another process erases a person there, and
/// could not reach this one's memory. What is in memory counts only while its row is there, since it may name somebody as
/// well; what has lost its row goes when it is asked for, or with the next purge.
package final class ResponseCache: Sendable {
    package struct Limits: Sendable, Equatable {
        /// Replies in memory.
        package var entries = 1000
        /// Bytes of the replies in memory.
        package var bytes = 16 << 20
        /// Replies in the database.
        package var storedEntries = 50_000
        /// How long a reply holds; zero keeps none.
        package var lifetime = Duration.seconds(86_400)

        package init() {}
    }

    package struct Statistics: Sendable, Equatable {
        package var entries = 0
        package var bytes = 0
        package var memoryHits = 0
        package var storeHits = 0
        package var misses = 0
    }

    private struct Entry: Sendable {
        let text: String
        let expiresAt: Date
        var lastUse: UInt64
    }

    private struct State: Sendable {
        var entries: [String: Entry] = [:]
        var uses: UInt64 = 0
        var stored = 0
        var statistics = Statistics()
    }

    private let limits: Limits
    private let repository: LLMCacheRepository
    private let date: @Sendable () -> Date
    private let state = Guarded(State())
    /// Stores between two looks at what has expired.
    private static let storesBetweenPurges = 256

    package init(limits: Limits, repository: LLMCacheRepository, time: LLMTime) {
        self.limits = limits
        self.repository = repository
        date = time.date
    }

    package var statistics: Statistics { state.withLock { $0.statistics } }

    /// The reply of a key, or nil. A store that fails is a store without it: a cache is no reason for a failure.
    ///
    /// - Parameter userID: as given to `set`; it is part of what the key was made of.
    package func reply(of key: String, userID: String?) async -> String? {
        guard limits.lifetime > .zero else { return nil }
        let now = date()
        if userID == nil, let text = await fromMemory(key, now: now) { return text }
        guard let found = try? await repository.reply(of: key) else {
            state.withLock { $0.statistics.misses += 1 }
            return nil
        }
        state.withLock { $0.statistics.storeHits += 1 }
        if userID == nil { keep(key, found.text, expiresAt: found.expiresAt) }
        return found.text
    }

    /// Keeps a reply in the store, and in memory where it is nobody's in particular.
    package func set(_ key: String, to text: String, userID: String?) async {
        guard limits.lifetime > .zero else { return }
        let expiresAt = date().addingTimeInterval(limits.lifetime.inSeconds)
        if userID == nil { keep(key, text, expiresAt: expiresAt) }
        // Text with U+0000 cannot be stored; nothing that is asked for has it.
        try? await repository.set(key, to: text, userID: userID, expiresAt: expiresAt, needsUsage: true)
        let isDue = state.withLock { state in
            state.stored += 1
            return state.stored.isMultiple(of: Self.storesBetweenPurges)
        }
        if isDue { _ = try? await purge() }
    }

    /// Removes from the store what has expired or is too much, and from memory what the store has no longer.
    ///
    /// - Returns: how many replies went from the store.
    @discardableResult
    package func purge() async throws -> Int {
        let count = try await repository.purge(limit: limits.storedEntries)
        let keys = state.withLock { Array($0.entries.keys) }
        let present = try await repository.present(keys)
        state.withLock { state in
            for key in keys where !present.contains(key) { Self.remove(key, from: &state) }
        }
        return count
    }

    private func fromMemory(_ key: String, now: Date) async -> String? {
        let text = state.withLock { state -> String? in
            guard let entry = state.entries[key], entry.expiresAt > now else {
                Self.remove(key, from: &state)
                return nil
            }
            return entry.text
        }
        guard let text, let present = try? await repository.present([key]) else { return nil }
        return state.withLock { state in
            guard present.contains(key) else {
                Self.remove(key, from: &state)
                return nil
            }
            state.uses += 1
            state.entries[key]?.lastUse = state.uses
            state.statistics.memoryHits += 1
            return text
        }
    }

    private func keep(_ key: String, _ text: String, expiresAt: Date) {
        guard text.utf8.count <= limits.bytes / 4 else { return }
        state.withLock { state in
            Self.remove(key, from: &state)
            state.uses += 1
            state.entries[key] = Entry(text: text, expiresAt: expiresAt, lastUse: state.uses)
            state.statistics.entries += 1
            state.statistics.bytes += text.utf8.count
            while state.statistics.entries > limits.entries || state.statistics.bytes > limits.bytes {
                guard let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse })?.key else { return }
                Self.remove(oldest, from: &state)
            }
        }
    }

    private static func remove(_ key: String, from state: inout State) {
        guard let entry = state.entries.removeValue(forKey: key) else { return }
        state.statistics.entries -= 1
        state.statistics.bytes -= entry.text.utf8.count
    }
}
