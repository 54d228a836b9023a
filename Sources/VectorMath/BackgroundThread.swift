internal import Glibc

/// A thread for work that nobody waits for: it gives way to all others, and keeps to one processor.
package enum BackgroundThread {
    /// Of 19: a thread that others want the processor of keeps a tenth of it, so that its work ends.
    private static let niceness: Int32 = 10

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs `body` on a thread of its own, what it splits with `WorkerThreads` included.
    ///
    /// - Returns: whether there is such a thread; where the system gives none, nothing runs.
    package static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let work = unsafe Unmanaged.passRetained(Work(body)).toOpaque()
        var thread = pthread_t()
        // SAFETY: the thread takes the retained work over; where there is no thread, it is released here.
        let failure = unsafe pthread_create(
            &thread, nil,
            { work in
                if let work = unsafe work {
                    // Of this thread alone on Linux; where it is refused the work takes its share as others do.
                    setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, BackgroundThread.niceness)
                    let body = unsafe Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body
                    WorkerThreads.$isConfined.withValue(true, operation: body)
                }
                return nil
            }, work)
        guard failure == 0 else {
            unsafe Unmanaged<Work>.fromOpaque(work).release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    /// Lets this thread sleep: for work that waits for others where nobody waits for it.
    package static func pause(milliseconds: UInt32) { usleep(milliseconds * 1_000) }
}
