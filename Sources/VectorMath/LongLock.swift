internal import Glibc

/// A value that one thread at a time may use, for as long as it takes; who waits sleeps.
///
/// POSIX's mutex and no `Mutex`: where that is waited for, the kernel hands it from thread to thread, and the thread
/// sanitizer takes what the next one reads for a race.
///
/// SAFETY of `@unchecked Sendable`: the value is used with the mutex held, and by `deinit`, when nobody else is left.
@safe package final class LongLock<Value: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    package init(_ value: Value) {
        self.value = value
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        let failure = unsafe pthread_mutex_init(mutex, nil)
        precondition(failure == 0, "a mutex cannot be made (error \(failure))")
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        let failure = unsafe pthread_mutex_lock(mutex)
        precondition(failure == 0, "a mutex cannot be taken (error \(failure))")
        defer { unsafe _ = pthread_mutex_unlock(mutex) }
        return body(&value)
    }
}
