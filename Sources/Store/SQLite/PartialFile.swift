import Glibc

/// A database file in the making, under a name of its own, for this user alone.
///
/// A fixed name and a lock on it, not a new name each time: what a killed process left behind is used again by the
/// next, and two that write the same file do not meet.
final class PartialFile {
    let path: String
    private let file: Int32
    private var isOpen = true

    /// Makes the file, empty.
    ///
    /// - Throws: `StoreError` of code `busy` where another process is writing it.
    init(_ path: String) throws {
        self.path = path
        // SAFETY: open reads the path as a C string for the time of the call.
        file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600))
        guard file >= 0 else { throw StoreError.system("it cannot be made", at: path) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            throw StoreError(
                .busy, "another process is writing it", location: path, mend: "Wait until that one has ended.")
        }
        do {
            // Whoever had the lock before may have given the file its final name since it was opened here.
            guard try DurableFile.status(of: path)?.identity == DurableFile.identity(of: file) else {
                throw StoreError(
                    .busy, "another process has just finished it", location: path, mend: "Run this again.")
            }
            guard ftruncate(file, 0) == 0, fchmod(file, 0o600) == 0 else {
                throw StoreError.system("it cannot be written", at: path)
            }
            try removeCompanions()
        } catch {
            close(file)
            throw error
        }
    }

    /// Hands the file to a user, where this one may do so.
    func give(to owner: uid_t, _ group: gid_t) throws {
        guard geteuid() == 0 else { return }
        guard fchown(file, owner, group) == 0 else { throw StoreError.system("it cannot change hands", at: path) }
    }

    /// Gives the file its final name, with all its bytes on the disk. No connection may be open on it.
    func publish(as target: String) throws {
        try removeCompanions()
        guard fsync(file) == 0 else { throw StoreError.system("it cannot be written to the disk", at: path) }
        try DurableFile.rename(path, to: target)
        try DurableFile.synchronise(DurableFile.folder(of: target))
        release()
    }

    /// Takes the file away.
    func discard() {
        guard isOpen else { return }
        // There is nothing to do about what stays: the next attempt uses it.
        try? removeCompanions()
        try? DurableFile.remove(path)
        release()
    }

    /// What SQLite keeps beside a database; from another file of the name it must not reach into this one.
    private func removeCompanions() throws {
        for suffix in ["-journal", "-wal", "-shm"] { try DurableFile.remove(path + suffix) }
    }

    private func release() {
        guard isOpen else { return }
        isOpen = false
        close(file)
    }

    deinit { release() }
}
