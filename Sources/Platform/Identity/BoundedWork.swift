package import Store

/// Long work on threads of its own, so many at a time, with so many waiting; more is refused at once.
///
/// Neither the cooperative pool, whose few threads everything else needs, nor Dispatch's, which on Linux are the same: two
/// that compute there on two processors keep all tasks from theirs. There are two lanes, each with places of its own, so
/// that whoever fills one does not keep the other's from their turn.
package final class BoundedWork: Sendable {
    package enum Lane: Sendable, CaseIterable {
        case main
        /// Never more at a time than half of all, but for one.
        case side
    }

    private struct Entry {
        let id: Int
        let work: @Sendable () -> Void
        let giveUp: @Sendable () -> Void
    }

    private struct Queue {
        var running = 0
        /// First come, first served.
        var waiting: [Entry] = []
    }

    private struct State {
        var main = Queue()
        var side = Queue()
        /// The lane that began something last.
        var last = Lane.side
        var nextID = 0

        var running: Int { main.running + side.running }

        subscript(lane: Lane) -> Queue {
            get { lane == .main ? main : side }
            set { if lane == .main { main = newValue } else { side = newValue } }
        }
    }

    package let concurrency: Int
    private let maximumWaiting: Int
    private let label: String
    private let threads: ThreadStarter
    private let state = Guarded(State())

    /// - Parameters:
    ///   - maximumWaiting: of each lane.
    ///   - threads: tests give their own.
    package init(label: String, concurrency: Int, maximumWaiting: Int, threads: ThreadStarter = .system) {
        precondition(concurrency >= 1 && maximumWaiting >= 0, "somebody works, and nobody or more wait")
        self.concurrency = concurrency
        self.maximumWaiting = maximumWaiting
        self.label = label
        self.threads = threads
    }

    /// How many run and wait now.
    package func load(of lane: Lane = .main) -> (running: Int, waiting: Int) {
        state.withLock { ($0[lane].running, $0[lane].waiting.count) }
    }

    /// Runs `body` when its turn comes. What has begun runs to its end.
    ///
    /// - Returns: nil where too many wait already, where the task was cancelled before the turn came, or where the
    ///   system gave no thread for it.
    package func run<Value: Sendable>(in lane: Lane = .main, _ body: @escaping @Sendable () -> Value) async -> Value? {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let entry = Entry(
                    id: id, work: { continuation.resume(returning: body()) },
                    giveUp: { continuation.resume(returning: nil) })
                enter(entry, lane)
            }
        } onCancel: {
            let entry = state.withLock { state in
                state[lane].waiting.firstIndex { $0.id == id }.map { state[lane].waiting.remove(at: $0) }
            }
            entry?.giveUp()
        }
    }

    private func enter(_ entry: Entry, _ lane: Lane) {
        enum Turn { case now, later, never }
        let turn: Turn = state.withLock { state in
            // Looked at under the lock: a task that is cancelled from here on finds its entry among those that wait.
            guard !Task.isCancelled else { return .never }
            if state.running < concurrency, mayBegin(lane, state) {
                begin(lane, &state)
                return .now
            }
            guard state[lane].waiting.count < maximumWaiting else { return .never }
            state[lane].waiting.append(entry)
            return .later
        }
        switch turn {
        case .now: start(entry, lane)
        case .later: break
        case .never: entry.giveUp()
        }
    }

    private func mayBegin(_ lane: Lane, _ state: State) -> Bool {
        lane == .main || state.side.running < max(1, concurrency / 2)
    }

    private func begin(_ lane: Lane, _ state: inout State) {
        state[lane].running += 1
        state.last = lane
    }

    private func start(_ entry: Entry, _ lane: Lane) {
        let isThere = threads.start(label) {
            var (entry, lane) = (entry, lane)
            while true {
                entry.work()
                guard let next = self.next(after: lane) else { return }
                (entry, lane) = next
            }
        }
        guard !isThere else { return }
        for each in [entry] + takeBack(lane) { each.giveUp() }
    }

    /// Takes back a beginning in `lane` for which there is no thread.
    ///
    /// - Returns: those that wait, where nothing runs whose end would begin them.
    private func takeBack(_ lane: Lane) -> [Entry] {
        state.withLock { state in
            state[lane].running -= 1
            guard state.running == 0 else { return [] }
            let waiting = state.main.waiting + state.side.waiting
            (state.main.waiting, state.side.waiting) = ([], [])
            return waiting
        }
    }

    /// Ends one of `lane` and begins what comes next.
    private func next(after lane: Lane) -> (Entry, Lane)? {
        state.withLock { state in
            state[lane].running -= 1
            guard let lane = next(state) else { return nil }
            begin(lane, &state)
            return (state[lane].waiting.removeFirst(), lane)
        }
    }

    /// Whose turn it is: of two lanes that wait the one that runs less, and in turn where both run as much.
    private func next(_ state: State) -> Lane? {
        let ready = Lane.allCases.filter { !state[$0].waiting.isEmpty && mayBegin($0, state) }
        guard ready.count == 2 else { return ready.first }
        if state.main.running != state.side.running {
            return state.main.running < state.side.running ? .main : .side
        }
        return state.last == .main ? .side : .main
    }
}
