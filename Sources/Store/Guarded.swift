import Foundation

/// A value behind a lock.
///
/// Not `Synchronization.Mutex`: its futexes are unknown to the thread sanitizer on Linux, which then reports
/// every access as a race (Swift 6.3) and would hide the real ones.
///
/// `@unchecked Sendable`: `value` is touched under `lock` alone.
package final class Guarded<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    package init(_ value: Value) { self.value = value }

    /// Runs `body` while nobody else has the value; it must be short and may not come back here.
    package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
