import Glibc
import Synchronization
import Testing
import VectorMath

@Suite struct `A background thread` {
    @Test func `gives way to others, and does alone what is split`() {
        let mine = Glibc.pthread_self()
        let place = Mutex<(niceness: Int32, isApart: Bool, threads: Set<UInt>)?>(nil)
        let isThere = BackgroundThread.start {
            let niceness = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
            let own = pthread_self()
            let threads = Set(WorkerThreads.map(64) { _ in UInt(pthread_self()) })
            place.withLock { $0 = (niceness, pthread_equal(own, mine) == 0, threads) }
        }
        #expect(isThere)
        var found: (niceness: Int32, isApart: Bool, threads: Set<UInt>)?
        for _ in 0..<5_000 where found == nil {
            usleep(1_000)
            found = place.withLock { $0 }
        }
        #expect(found?.niceness ?? 0 > getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0))
        #expect(found?.isApart == true && found?.threads.count == 1)
    }

    @Test func `leaves the thread that starts it as it is`() {
        let before = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
        let isDone = Atomic(false)
        #expect(BackgroundThread.start { isDone.store(true, ordering: .releasing) })
        for _ in 0..<5_000 where !isDone.load(ordering: .acquiring) { usleep(1_000) }
        let wasDone = isDone.load(ordering: .acquiring)
        #expect(wasDone)
        #expect(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) == before)
    }
}
