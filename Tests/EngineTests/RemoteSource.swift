import Engine
import Store
import TestSupport

/// A provider outside that gives the vectors of words, or what it is told to instead.
final class RemoteSource: TextVectorSource {
    struct Call: Sendable, Equatable {
        let texts: [String]
        let role: TextRole
        let limit: Duration
    }

    private struct State {
        var calls: [Call] = []
        /// Each for one call; nil gives vectors.
        var script: [VectorsUnavailable?] = []
        /// Once the script is at its end.
        var failure: VectorsUnavailable?
        /// Calls that still succeed before `failure`.
        var callsBeforeFailure: Int?
        var seed = ""
        var noise: Float = 0
        var isShort = false
        /// Calls with a text that has this in it are refused for it.
        var refused: String?
    }

    private let state = Guarded(State())
    private let words = WordVectorizer(views: 1)

    var calls: [Call] { state.withLock { $0.calls } }
    /// Every text that was sent, in order.
    var texts: [String] { calls.flatMap(\.texts) }

    func forgetCalls() { state.withLock { $0.calls = [] } }

    func script(_ steps: VectorsUnavailable?...) { state.withLock { $0.script = steps } }

    /// - Parameter calls: that succeed first.
    func fail(with failure: VectorsUnavailable?, after calls: Int = 0) {
        state.withLock { state in
            state.failure = failure
            state.callsBeforeFailure = calls
        }
    }

    /// Becomes another model, with a name for what it is now.
    func change(to seed: String) { state.withLock { $0.seed = seed } }

    /// Rounds otherwise than before.
    func addNoise(_ noise: Float) { state.withLock { $0.noise = noise } }

    /// Refuses calls for a text with `part` in it, and says so as providers do.
    func refuse(_ part: String?) { state.withLock { $0.refused = part } }

    func giveTooFew(_ isShort: Bool) { state.withLock { $0.isShort = isShort } }

    func vectors(of texts: [String], role: TextRole, within limit: Duration) async throws -> [[Float]] {
        let (failure, seed, noise, isShort) = state.withLock { state in
            state.calls.append(Call(texts: texts, role: role, limit: limit))
            var failure: VectorsUnavailable?
            if !state.script.isEmpty {
                failure = state.script.removeFirst()
            } else if let left = state.callsBeforeFailure, left > 0 {
                state.callsBeforeFailure = left - 1
            } else {
                failure = state.failure
            }
            if let refused = state.refused, texts.contains(where: { $0.contains(refused) }) { failure = .unread }
            return (failure, state.seed, state.noise, state.isShort)
        }
        if let failure { throw failure }
        // Another seed is other words, and so other vectors.
        let vectors = try words.vectors(
            of: seed.isEmpty ? texts : texts.map { $0.split(separator: " ").map { $0 + seed }.joined(separator: " ") },
            role: role)
        let noisy = noise == 0 ? vectors : vectors.map { Self.unit($0.map { $0 + noise }) }
        return isShort ? Array(noisy.dropLast()) : noisy
    }

    private static func unit(_ vector: [Float]) -> [Float] {
        let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / norm }
    }
}

extension VectorsUnavailable {
    static let down = VectorsUnavailable(reason: "unreachable", description: "it is down", isTransient: true)
    static let unread = VectorsUnavailable(
        reason: "rejected", description: "a text is refused", isTransient: false, isAboutTexts: true)
    static let refused = VectorsUnavailable(reason: "rejected", description: "the key is wrong", isTransient: false)
}

/// Time that stands still but for pauses, which it remembers.
final class RemoteClock: Sendable {
    private let origin = ContinuousClock.Instant.now
    private let state = Guarded((elapsed: Duration.zero, pauses: [Duration]()))

    var pauses: [Duration] { state.withLock { $0.pauses } }

    func advance(by duration: Duration) { state.withLock { $0.elapsed += duration } }

    var time: RemoteVectorizer.Time {
        RemoteVectorizer.Time(
            now: { self.origin + self.state.withLock { $0.elapsed } },
            pause: { duration in
                try Task.checkCancellation()
                self.state.withLock { state in
                    state.pauses.append(duration)
                    state.elapsed += duration
                }
            })
    }
}
