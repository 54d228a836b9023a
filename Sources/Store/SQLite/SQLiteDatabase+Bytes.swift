import Glibc

extension SQLiteDatabase {
    /// Reads a file as it lies on the disk, a piece at a time, until `body` has seen enough. Blocks.
    ///
    /// For the database's own file as well: a process that closes any descriptor of a file loses its locks on it, those
    /// of open connections too (POSIX advisory locks; sqlite.org/howtocorrupt.html, 2.2), so that a descriptor of the
    /// database stays open as long as the database.
    ///
    /// - Parameter body: gets up to a megabyte; returns whether to go on.
    /// - Throws: `StoreError` where there is a file that cannot be read; what `body` throws. A missing file has no bytes.
    package func readBytes(of path: String, _ body: (ArraySlice<UInt8>) throws -> Bool) throws {
        // SAFETY: open reads the path as a C string for the time of the call.
        let file = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return }
            throw StoreError.system("it cannot be read", at: path)
        }
        defer { heldFiles.close(file, holding: [location, location + "-shm"]) }
        var room = [UInt8](repeating: 0, count: 1 << 20)
        var offset = 0
        while true {
            // SAFETY: the buffer lives and has its length through the call.
            let count = unsafe room.withUnsafeMutableBytes {
                unsafe pread(file, $0.baseAddress, $0.count, off_t(offset))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw StoreError.system("it cannot be read", at: path) }
            guard count > 0, try body(room[..<count]) else { return }
            offset += count
        }
    }
}

/// Descriptors that must not be closed before the connections are.
final class HeldFiles: Sendable {
    private let descriptors = Guarded<[Int32]>([])

    /// Closes a descriptor, or keeps it where it is of one of the files that connections have locks on, by whatever name
    /// it was opened.
    func close(_ descriptor: Int32, holding paths: [String]) {
        if let identity = DurableFile.identity(of: descriptor),
            !paths.contains(where: { (try? DurableFile.status(of: $0))?.identity == identity })
        {
            _ = Glibc.close(descriptor)
        } else {
            descriptors.withLock { $0.append(descriptor) }
        }
    }

    /// Closes what was kept; all connections are closed.
    func release() {
        let all = descriptors.withLock { descriptors in
            defer { descriptors = [] }
            return descriptors
        }
        for descriptor in all { _ = Glibc.close(descriptor) }
    }

    deinit { release() }
}
