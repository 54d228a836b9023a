import Glibc

extension SQLiteDatabase {
    package func lock(_ name: String) throws -> DatabaseLock? {
        try FileLock.take("\(settings.path).\(name).lock", ownerOf: settings.path)
    }
}

/// flock(2): belongs to the open file, which the kernel closes with its process.
private enum FileLock {
    static func take(_ path: String, ownerOf database: String) throws -> DatabaseLock? {
        // SAFETY: open reads the path as a C string for the time of the call.
        let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600))
        guard file >= 0 else {
            throw StoreError(.notWritable, "the lock \(path) cannot be opened (error \(errno))")
        }
        // Also one that an earlier version made as root and left to nobody else.
        FileOwnership.giveEmptyFile(path, likeThatOf: database)
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let problem = errno
            close(file)
            if problem == EWOULDBLOCK || problem == EINTR { return nil }
            throw StoreError(.inputOutput, "the lock \(path) cannot be taken (error \(problem))")
        }
        return DatabaseLock { close(file) }
    }
}
