internal import Dispatch
internal import Store

/// Long work on threads of its own, so many at a time, with so many waiting; more is refused at once.
///
/// Not the cooperative pool, whose few threads everything else needs.
final class BoundedWork: Sendable {
    private enum Turn { case now, later, never }

    private struct State {
        var running = 0
        /// First come, first served.
        var waiting: [@Sendable () -> Void] = []
    }

    private let concurrency: Int
    private let maximumWaiting: Int
    private let queue: DispatchQueue
    private let state = Guarded(State())

    init(label: String, concurrency: Int, maximumWaiting: Int) {
        precondition(concurrency >= 1 && maximumWaiting >= 0, "somebody works, and nobody or more wait")
        self.concurrency = concurrency
        self.maximumWaiting = maximumWaiting
        queue = DispatchQueue(label: label, attributes: .concurrent)
    }

    /// How many run and wait now.
    var load: (running: Int, waiting: Int) { state.withLock { ($0.running, $0.waiting.count) } }

    /// Runs `body` when its turn comes.
    ///
    /// - Returns: nil where too many wait already.
    func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
        await withCheckedContinuation { continuation in
            let work: @Sendable () -> Void = { continuation.resume(returning: body()) }
            let turn: Turn = state.withLock { state in
                if state.running < concurrency {
                    state.running += 1
                    return .now
                }
                guard state.waiting.count < maximumWaiting else { return .never }
                state.waiting.append(work)
                return .later
            }
            switch turn {
            case .now: start(work)
            case .later: break
            case .never: continuation.resume(returning: nil)
            }
        }
    }

    private func start(_ work: @escaping @Sendable () -> Void) {
        queue.async {
            work()
            let next: (@Sendable () -> Void)? = self.state.withLock { state in
                guard !state.waiting.isEmpty else {
                    state.running -= 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
            if let next { self.start(next) }
        }
    }
}
