internal import Dispatch
internal import Glibc
internal import Synchronization

/// Runs CPU-long work on several threads at once, outside the Swift cooperative pool.
package enum WorkerThreads {
    /// Processors that this process may use.
    package static let processorCount: Int = {
        // Not ProcessInfo: the core stays free of Foundation.
        max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }()

    /// Whether what is started here stays on this thread: for work that gives way (`BackgroundThread`), and for counting.
    @TaskLocal package static var isConfined = false

    /// Calls `body(0) … body(count - 1)`, at most one per processor at a time, and returns when all are done.
    package static func concurrently(_ count: Int, _ body: @Sendable (Int) -> Void) {
        if count <= 1 || isConfined {
            for index in 0..<count { body(index) }
            return
        }
        DispatchQueue.concurrentPerform(iterations: count, execute: body)
    }

    /// `[body(0), …, body(count - 1)]`, computed at most one per processor at a time.
    package static func map<T: Sendable>(_ count: Int, _ body: @Sendable (Int) -> T) -> [T] {
        if count <= 1 { return count == 1 ? [body(0)] : [] }
        let results = Mutex<[T?]>(Array(repeating: nil, count: count))
        concurrently(count) { index in
            let result = body(index)
            results.withLock { $0[index] = result }
        }
        return results.withLock { $0.compactMap { $0 } }
    }
}
