internal import Foundation
internal import Store

/// A key set in a file that is read again when it changes, so that a provider's new keys need no restart.
///
/// A file that cannot be used leaves the keys as they were, and says so in `problem`: one that is just being written must
/// not refuse everybody. To take all keys back, a list without keys is written: `{"keys": []}`. At the start such a list
/// is refused, since nobody would get in by it.
final class KeySetFile: Sendable {
    /// What tells one version of the file from another; a file that is moved into place has another number.
    private struct Stamp: Sendable, Equatable {
        let modified: Date?
        let bytes: Int?
        let number: Int?
    }

    private enum Look: Sendable {
        case same
        case changed(Stamp?, [UInt8])
        case failed(Stamp?, String)
    }

    private struct State {
        var stamp: Stamp?
        var keys: TokenKeySet?
        var problem: String?
        var loads = 0
        var failures = 0
    }

    let path: String
    private let state = Guarded(State())
    /// A disk may take its time; the cooperative pool has none to spare.
    private let work = BoundedWork(label: "pathlight.key-set", concurrency: 1, maximumWaiting: 10_000)

    /// - Throws: `IdentityError` of code `invalidSettings` where the file cannot be used at the start.
    init(path: String) async throws {
        self.path = path
        let keys = await current()
        if let problem { throw IdentityError(.invalidSettings, problem) }
        guard !keys.keys.isEmpty else {
            throw IdentityError(
                .invalidSettings, "\(path): \(TokenKeySet.refusal("it has no key for RS256 or ES256").message)")
        }
    }

    /// Why the file cannot be used as it is now; nil where all is well.
    var problem: String? { state.withLock { $0.problem } }

    var statistics: TokenStatistics {
        state.withLock {
            TokenStatistics(
                keys: $0.keys?.keys.count ?? 0, keySetLoads: $0.loads, keySetFailures: $0.failures,
                keySetProblem: $0.problem)
        }
    }

    /// The keys, of the file as it is now where it can be used.
    func current() async -> TokenKeySet {
        let (known, keys) = state.withLock { ($0.stamp, $0.keys) }
        let isFirst = keys == nil
        let fallback = keys ?? TokenKeySet(keys: [])
        switch await work.run({ [path] in Self.look(at: path, known: isFirst ? nil : known) }) {
        case nil, .same:
            return fallback
        case .failed(let stamp, let reason):
            fail(stamp, reason, known: known)
            return fallback
        case .changed(let stamp, let bytes):
            do {
                let loaded = try await TokenKeySet(json: bytes)
                state.withLock { state in
                    // Somebody else may have been faster, with this version or a later one.
                    guard state.stamp == known else { return }
                    state.stamp = stamp
                    state.keys = loaded
                    state.problem = nil
                    state.loads += 1
                }
                return loaded
            } catch {
                fail(stamp, "\(error)", known: known)
                return fallback
            }
        }
    }

    /// Remembers the version that was bad, so that it is not read again at every request.
    private func fail(_ stamp: Stamp?, _ reason: String, known: Stamp?) {
        state.withLock { state in
            guard state.stamp == known else { return }
            let keeps =
                state.keys == nil
                ? "" : "; the keys read before are used on, and a list without keys (“{\"keys\": []}”) takes them back"
            let problem = "\(path): \(reason)\(keeps)"
            if state.stamp != stamp || state.problem != problem { state.failures += 1 }
            state.stamp = stamp
            state.problem = problem
        }
    }

    private static func look(at path: String, known: Stamp?) -> Look {
        let stamp = stamp(of: path)
        if let known, stamp == known { return .same }
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            let bytes = try handle.read(upToCount: TokenKeySet.maximumBytes + 1) ?? Data()
            return .changed(stamp, Array(bytes))
        } catch {
            return .failed(stamp, "the key set cannot be read; is the path right, and may the service read it?")
        }
    }

    private static func stamp(of path: String) -> Stamp? {
        guard let found = try? FileManager.default.attributesOfItem(atPath: path) else { return nil }
        return Stamp(
            modified: found[.modificationDate] as? Date, bytes: (found[.size] as? NSNumber)?.intValue,
            number: (found[.systemFileNumber] as? NSNumber)?.intValue)
    }
}

/// What became of the file of public keys.
package struct TokenStatistics: Sendable, Equatable {
    /// How many keys there are, those of the file.
    package let keys: Int
    /// How often the file was read with success,
    package let keySetLoads: Int
    /// and how often without.
    package let keySetFailures: Int
    /// Why the file cannot be used as it is now; nil where all is well.
    package let keySetProblem: String?

    package init(keys: Int, keySetLoads: Int, keySetFailures: Int, keySetProblem: String?) {
        self.keys = keys
        self.keySetLoads = keySetLoads
        self.keySetFailures = keySetFailures
        self.keySetProblem = keySetProblem
    }
}
