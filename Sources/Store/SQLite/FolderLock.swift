import Glibc

/// Who uses a data folder: any number of processes beside each other, or one restore alone.
///
/// flock(2) on the folder itself: no file is made for it, and the kernel gives it back with its process
/// (docs/decisions/0011-locks-not-leases.md).
package enum FolderLock {
    private enum Mode {
        case shared, alone

        var flags: Int32 { (self == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB }
    }

    /// For everything that opens a database in the folder, for as long as it is open.
    ///
    /// - Throws: `StoreError` of code `busy` while a backup is being restored there.
    package static func share(_ folder: String) throws -> DatabaseLock {
        do {
            if let lock = try take(folder, .shared) { return lock }
        } catch let error as StoreError where error.code == .inputOutput {
            // A file system without such locks. Starting there worked before there was a lock; restoring does not.
            return DatabaseLock {}
        }
        throw StoreError(
            .busy, "a backup is being restored into this folder", location: folder,
            mend: "Wait until “pathlight restore” has ended.")
    }

    /// For a restore.
    ///
    /// - Throws: `StoreError` of code `busy` where anything has a database in the folder open.
    package static func hold(_ folder: String) throws -> DatabaseLock {
        if let lock = try take(folder, .alone) { return lock }
        throw inUse(folder, by: nil)
    }

    /// - Parameter process: its number, where it is known.
    static func inUse(_ location: String, by process: pid_t?) -> StoreError {
        let name = process.map { "process \($0)" } ?? "another process"
        return StoreError(
            .busy, "\(name) uses the data", location: location,
            mend: "Stop the service and end other commands, then run this again.")
    }

    /// - Returns: nil where somebody has the folder in a way that does not go with `mode`.
    private static func take(_ folder: String, _ mode: Mode) throws -> DatabaseLock? {
        // SAFETY: open reads the path as a C string for the time of the call.
        let file = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw StoreError.system("the folder cannot be opened", at: folder) }
        while flock(file, mode.flags) != 0 {
            if errno == EINTR { continue }
            defer { close(file) }
            if errno == EWOULDBLOCK { return nil }
            throw StoreError(
                .inputOutput, "the folder cannot be locked (error \(errno))", location: folder,
                mend: "Its file system has no flock(2); keep the data on a local one.")
        }
        return DatabaseLock { close(file) }
    }
}
