internal import Glibc

/// Writes a file of checksummed blocks aside and puts it in its place at once: whoever looks sees the old file or the
/// new one, whole, whatever happens meanwhile.
///
/// The file aside is locked, so that two processes do not write it together; one that was killed leaves it behind, and the
/// next takes it over. The file in place is never written to, so that mappings of it stay good.
@safe package final class BlockFileWriter {
    private let path: String
    private let asidePath: String
    private let descriptor: Int32
    private let block: UnsafeMutableRawPointer
    /// Bytes of the block that wait to be written.
    private var filled = 0
    /// Where in the file the block begins.
    private var position = 0
    private var sums: [UInt32] = []
    private var failure: BlockFileError?
    private var isCommitted = false

    /// - Throws: `BlockFileError.busy` while another process writes the same file; `.system`.
    package init(replacing path: String) throws(BlockFileError) {
        self.path = path
        asidePath = path + ".new"
        descriptor = try Self.openLocked(asidePath)
        unsafe block = UnsafeMutableRawPointer.allocate(byteCount: BlockFile.blockBytes, alignment: 4_096)
        if ftruncate(descriptor, 0) != 0 {
            failure = .system(operation: "emptying", path: asidePath, code: errno)
        }
    }

    private static func openLocked(_ path: String) throws(BlockFileError) -> Int32 {
        while true {
            let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw .system(operation: "creating", path: path, code: errno) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let code = errno
                _ = close(descriptor)
                throw code == EWOULDBLOCK ? .busy(path: path) : .system(operation: "locking", path: path, code: code)
            }
            // Who held the lock before may just have put this very file in its place: it is not ours to write to.
            var own = stat()
            var named = stat()
            if unsafe fstat(descriptor, &own) == 0, unsafe stat(path, &named) == 0,
                own.st_ino == named.st_ino, own.st_dev == named.st_dev
            {
                if own.st_size == 0, own.st_nlink == 1 { give(descriptor, toOwnerOf: folder(of: path)) }
                return descriptor
            }
            _ = close(descriptor)
        }
    }

    /// What root writes is the folder's owner's: a service that runs as that one could neither read nor replace it else.
    private static func give(_ descriptor: Int32, toOwnerOf folder: String) {
        var owner = stat()
        guard geteuid() == 0, unsafe stat(folder, &owner) == 0 else { return }
        _ = fchown(descriptor, owner.st_uid, owner.st_gid)
    }

    private static func folder(of path: String) -> String {
        let cut = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        return cut.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    deinit {
        unsafe block.deallocate()
        // A file that is not put in place is of no use; the lock is still held here.
        if !isCommitted { unsafe _ = unlink(asidePath) }
        _ = close(descriptor)
    }

    /// Goes on at `offset`: what lies between is zero.
    package func begin(at offset: Int) {
        precondition(filled == 0 && sums.isEmpty, "the section before was not ended")
        position = offset
    }

    /// Adds elements as their bytes; an error is kept for `finish`.
    package func append<Element: BitwiseCopyable>(_ elements: Span<Element>) {
        unsafe elements.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            var done = 0
            while done < bytes.count, failure == nil {
                let count = min(bytes.count - done, BlockFile.blockBytes - filled)
                // SAFETY: the block has room for `count` bytes more, and the source has as many left.
                unsafe (block + filled).copyMemory(from: base + done, byteCount: count)
                filled += count
                done += count
                if filled == BlockFile.blockBytes { flush() }
            }
        }
    }

    /// Ends the section; gives the checksums of its blocks.
    package func end() -> [UInt32] {
        if filled > 0 { flush() }
        defer { sums = [] }
        return sums
    }

    private func flush() {
        // SAFETY: the first `filled` bytes of the block were written.
        let span = unsafe Span(_unsafeStart: block.assumingMemoryBound(to: UInt8.self), count: filled)
        sums.append(CRC32C.checksum(of: span))
        if failure == nil { unsafe failure = write(block, count: filled, at: position) }
        position += filled
        filled = 0
    }

    private func write(_ source: UnsafeRawPointer, count: Int, at offset: Int) -> BlockFileError? {
        var done = 0
        while done < count {
            // SAFETY: the source has `count` bytes.
            let put = unsafe pwrite(descriptor, source + done, count - done, offset + done)
            if put > 0 {
                done += put
            } else if put == 0 {
                // Neither progress nor a reason: asked again it could go on so for ever.
                return .system(operation: "writing", path: asidePath, code: EIO)
            } else if errno != EINTR {
                return .system(operation: "writing", path: asidePath, code: errno)
            }
        }
        return nil
    }

    /// Writes the head, brings all to the disk, and puts the file in its place.
    ///
    /// - Parameter size: of the file.
    package func finish(head: [UInt8], size: Int) throws(BlockFileError) {
        precondition(filled == 0 && sums.isEmpty, "the last section was not ended")
        if failure == nil {
            unsafe failure = head.withUnsafeBytes { bytes in
                unsafe bytes.baseAddress.flatMap { unsafe write($0, count: bytes.count, at: 0) }
            }
        }
        if let failure { throw failure }
        guard ftruncate(descriptor, size) == 0, fsync(descriptor) == 0 else {
            throw .system(operation: "writing", path: asidePath, code: errno)
        }
        guard unsafe rename(asidePath, path) == 0 else {
            throw .system(operation: "replacing", path: path, code: errno)
        }
        isCommitted = true
        syncFolder()
    }

    /// Makes the new name last. The file is whole either way, so that a folder which cannot be synced is no failure.
    private func syncFolder() {
        let descriptor = unsafe open(Self.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = fsync(descriptor)
        _ = close(descriptor)
    }
}
