import Synchronization
import Testing
import VectorMath

struct LockstepTests {
    @Test(arguments: 1...5)
    func `does every item once, a step after the other`(lanes: Int) {
        let counts = (0..<200).map { 1 + $0 * 7 % 9 }
        for _ in 0..<20 {
            let done = Mutex<[[Int]]>(counts.map { Array(repeating: 0, count: $0) })
            let early = Atomic(0)
            Lockstep.run(lanes: lanes, itemCounts: counts) { lane, step, item in
                done.withLock { done in
                    if lane >= lanes || step > 0 && done[step - 1].contains(0) { early.add(1, ordering: .relaxed) }
                    done[step][item] += 1
                }
            }
            #expect(early.load(ordering: .relaxed) == 0)
            #expect(done.withLock { $0.allSatisfy { $0.allSatisfy { $0 == 1 } } })
        }
    }

    @Test func `runs several at once`() {
        let total = Atomic(0)
        WorkerThreads.concurrently(6) { _ in
            for _ in 0..<30 {
                Lockstep.run(lanes: 3, itemCounts: Array(repeating: 4, count: 25)) { _, _, _ in
                    total.add(1, ordering: .relaxed)
                }
            }
        }
        #expect(total.load(ordering: .relaxed) == 6 * 30 * 100)
    }
}
