internal import Foundation
internal import Glibc

/// Begins threads, and tells where the system gives none (its limit of tasks, or of memory): `Thread` says nothing then,
/// and who waits for its work waits for ever.
package struct ThreadStarter: Sendable {
    package static let system = ThreadStarter { ThreadStarter.begin(Work(name: $0, body: $1)) }

    private final class Work: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }

        func run() {
            Thread.current.name = name
            body()
        }
    }

    private let starting: @Sendable (String, @escaping @Sendable () -> Void) -> Bool

    /// - Parameter starting: runs what it is given on a thread of that name and says so, or leaves it and says that.
    package init(_ starting: @escaping @Sendable (String, @escaping @Sendable () -> Void) -> Bool) {
        self.starting = starting
    }

    /// Runs `body` on a thread of its own.
    ///
    /// - Returns: whether there is such a thread; where the system gives none, nothing runs.
    package func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Bool { starting(name, body) }

    private static func begin(_ work: Work) -> Bool {
        let context = unsafe Unmanaged.passRetained(work).toOpaque()
        var thread = pthread_t()
        // SAFETY: the thread takes the retained work over; where there is no thread, it is released here.
        let failure = unsafe pthread_create(
            &thread, nil,
            { context in
                if let context = unsafe context {
                    unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
                }
                return nil
            }, context)
        guard failure == 0 else {
            unsafe Unmanaged<Work>.fromOpaque(context).release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
