internal import CCurl
internal import Foundation

/// curl's set of transfers under way.
///
/// `@unchecked Sendable`: of the handle's functions curl allows `curl_multi_wakeup` from any thread, and that one is
/// called under `lock`, which also guards the end of the handle. All others are called on the engine's thread alone.
@safe
final class CurlMulti: @unchecked Sendable {
    private let lock = NSLock()
    private var handle: UnsafeMutableRawPointer?

    /// Connections that are kept for the next transfer.
    private static let keptConnections = 32

    /// Once in a process, and by Swift's lazy statics once for all threads. Never undone: other threads may be in curl.
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_SSL)) == CURLE_OK

    init() throws(OutboundError) {
        guard Self.isReady, let handle = unsafe curl_multi_init() else {
            throw OutboundError(.other, "libcurl does not start", mend: "Look whether memory is short.")
        }
        // SAFETY: a new handle that nobody else has.
        unsafe pl_curl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, Self.keptConnections)
        unsafe self.handle = handle
    }

    // An engine that never got to its thread leaves the handle to this; otherwise `end` was before.
    deinit { end() }

    /// Ends the wait of `poll`, now or the next time. From any thread.
    func wake() {
        lock.withLock {
            // SAFETY: the handle is not ended while the lock is held.
            if let handle = unsafe handle { unsafe _ = curl_multi_wakeup(handle) }
        }
    }

    /// Frees the handle, from which every transfer has been removed.
    func end() {
        lock.withLock {
            // SAFETY: no call of the engine's thread is under way, as this is that thread, and no wake-up, by the lock.
            if let handle = unsafe handle { unsafe _ = curl_multi_cleanup(handle) }
            unsafe handle = nil
        }
    }

    /// - Returns: whether curl took it.
    func add(_ easy: UnsafeMutableRawPointer) -> Bool {
        guard let handle = unsafe handle else { return false }
        // SAFETY: both live, and the easy handle is removed before it ends.
        return unsafe curl_multi_add_handle(handle, easy) == CURLM_OK
    }

    func remove(_ easy: UnsafeMutableRawPointer) {
        guard let handle = unsafe handle else { return }
        // SAFETY: both live; removing what was never added does nothing.
        unsafe _ = curl_multi_remove_handle(handle, easy)
    }

    /// Does what can be done without waiting.
    ///
    /// - Returns: whether curl is well.
    func perform() -> Bool {
        guard let handle = unsafe handle else { return false }
        var running: Int32 = 0
        // SAFETY: the handle lives; curl calls back only with the contexts of transfers that are in it.
        return unsafe curl_multi_perform(handle, &running) == CURLM_OK
    }

    /// Waits until there is something to do.
    func wait(milliseconds: Int32) -> Bool {
        guard let handle = unsafe handle else { return false }
        // SAFETY: the handle lives, and there are no further descriptors.
        return unsafe curl_multi_poll(handle, nil, 0, milliseconds, nil) == CURLM_OK
    }

    /// The next transfer that ended, and how.
    func nextFinished() -> (easy: UnsafeMutableRawPointer, code: CURLcode)? {
        guard let handle = unsafe handle else { return nil }
        var left: Int32 = 0
        // SAFETY: a message is valid until the next call, and is read here.
        while let message = unsafe curl_multi_info_read(handle, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE, let easy = unsafe message.pointee.easy_handle else {
                continue
            }
            return unsafe (easy, message.pointee.data.result)
        }
        return nil
    }
}
