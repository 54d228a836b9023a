internal import Foundation

/// Runs CPU-long work on a thread of its own, away from the cooperative pool.
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
