internal import Foundation

/// Runs what computes or blocks for long on a thread of its own.
///
/// Not on the cooperative pool, nor on a queue of Dispatch: on Linux the queues of one priority share as many threads as
/// there are processors with the pool, so that two that compute there keep all tasks from theirs.
package enum OwnThread {
    package static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Result { try work() }) }
            // Below the threads that answer requests, where the system takes notice of it.
            thread.qualityOfService = .utility
            thread.start()
        }
    }
}
