internal import CKernels
internal import Glibc
internal import Synchronization

/// Work in steps, each of several items, that a few threads do together.
///
/// Meant for steps of microseconds: threads take items from one counter, and who is early waits by spinning. No thread
/// waits for one that has not come: if the system gives this work one core only, its thread does everything.
package enum Lockstep {
    /// Calls `body(lane, step, item)` for each item of each step and returns when all are done.
    ///
    /// The items of a step run side by side, in any order and on any lane; a step begins when the one before it is
    /// done, and sees all that it wrote. A lane runs one item at a time.
    ///
    /// - Parameter itemCounts: of each step, each at least 1.
    package static func run(
        lanes: Int, itemCounts: [Int], _ body: @Sendable (_ lane: Int, _ step: Int, _ item: Int) -> Void
    ) {
        guard lanes > 1 else {
            for (step, count) in itemCounts.enumerated() {
                for item in 0..<count { body(0, step, item) }
            }
            return
        }
        let state = State(itemCounts)
        WorkerThreads.concurrently(lanes) { lane in
            var step = 0
            while true {
                // Items are numbered through all steps. Whoever holds one waits for the steps before: those who hold
                // their items are running, so somebody always gets on.
                let number = state.next.add(1, ordering: .relaxed).oldValue
                guard number < state.total else { return }
                while number >= state.ends[step] { step += 1 }
                let start = step == 0 ? 0 : state.ends[step - 1]
                state.wait(until: start)
                body(lane, step, number - start)
                state.done.add(1, ordering: .releasing)
            }
        }
    }

    private final class State: Sendable {
        /// Items of all steps up to and with each.
        let ends: [Int]
        let total: Int
        let next = Atomic(0)
        let done = Atomic(0)

        init(_ itemCounts: [Int]) {
            var ends: [Int] = []
            var total = 0
            for count in itemCounts {
                precondition(count > 0, "a step has items")
                total += count
                ends.append(total)
            }
            self.ends = ends
            self.total = total
        }

        /// Returns once `count` items are done.
        func wait(until count: Int) {
            var spins = 0
            while done.load(ordering: .acquiring) < count {
                spins += 1
                // About ten microseconds; whoever holds the item may be waiting for this very core.
                if spins % 256 == 0 { sched_yield() } else { pl_cpu_relax() }
            }
        }
    }
}
