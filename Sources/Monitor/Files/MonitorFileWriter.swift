internal import Crypto
internal import Foundation
internal import Glibc
internal import Store

/// Writes a `MonitorFile` as `.NAME.part` and gives it its name at the end, whole and on the disk.
///
/// A fixed name and a lock on it, not a new name each time: what a killed process left behind is used again by the next,
/// and two that write the same file do not meet. One that goes without `commit` leaves nothing.
package final class MonitorFileWriter: Sendable {
    private struct State: Sendable {
        var isOpen = true
        /// Not yet written, less than `pieceBytes` after each call.
        var buffer: [UInt8] = []
        var hash = SHA256()
        var bytes: Int64 = 0
    }

    private static let pieceBytes = 1 << 16

    package let file: MonitorFile
    private let part: String
    private let descriptor: Int32
    // One writer uses it at a time; the lock only says so to the compiler.
    private let state = Guarded(State())

    /// - Throws: `MonitorFileError`
    init(_ file: MonitorFile) throws {
        let part = file.partPath
        do throws(FileOwnership.Failure) {
            try FileOwnership.makeFolder(file.folder)
        } catch {
            throw MonitorFileError(
                .notWritten, file: file.path, "its folder \(error.folder) cannot be made: \(error.reason)")
        }
        // SAFETY: the path is read as a C string for the time of the call.
        let opened = unsafe open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600))
        guard opened >= 0 else { throw SystemCall.failure("it cannot be made", file: part) }
        do {
            try Self.claim(opened, part, folder: file.folder)
        } catch {
            _ = Glibc.close(opened)
            throw error
        }
        // Last of all: once a class has all its values, throwing runs `deinit`, which would remove another's file.
        self.file = file
        self.part = part
        descriptor = opened
    }

    deinit { discard() }

    /// Locks and empties the file.
    private static func claim(_ descriptor: Int32, _ part: String, folder: String) throws {
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw MonitorFileError(.busy, file: part, "somebody else is writing it")
        }
        // Whoever had the lock before may have given the file its name since it was opened here: emptied, it would be lost.
        guard let named = FileStatus(of: part), let opened = FileStatus(of: descriptor), named.isSameFile(as: opened)
        else {
            throw MonitorFileError(.busy, file: part, "somebody else has just finished it")
        }
        guard ftruncate(descriptor, 0) == 0, fchmod(descriptor, 0o600) == 0 else {
            throw SystemCall.failure("it cannot be written", file: part)
        }
        FileOwnership.give(descriptor, likeThatOf: folder)
    }

    /// Adds bytes at the end.
    ///
    /// - Throws: `MonitorFileError`, of code `diskFull` where there is no room; the file that was there stays.
    package func append(_ bytes: [UInt8]) throws {
        try state.withLock { state in
            guard state.isOpen else { throw ended }
            state.buffer += bytes
            if state.buffer.count >= Self.pieceBytes { try flush(&state) }
        }
    }

    /// Has everything on the disk; what was written is known before it takes the place of the file that was there.
    ///
    /// - Throws: `MonitorFileError`
    package func finish() throws -> FileDigest {
        try state.withLock { state in
            guard state.isOpen else { throw ended }
            try flush(&state)
            guard fsync(descriptor) == 0 else {
                throw SystemCall.failure("it cannot be written to the disk", file: part)
            }
            return FileDigest(state.hash, bytes: state.bytes)
        }
    }

    /// Has everything on the disk, then in the place of the file that was there, whose readers stay the same.
    ///
    /// - Returns: what was written.
    /// - Throws: `MonitorFileError`
    package func commit() throws -> FileDigest {
        try exchange()?.remove()
        return state.withLock { FileDigest($0.hash, bytes: $0.bytes) }
    }

    /// As `commit`, and keeps what was there: somebody may have changed it since it was looked at, up to this moment.
    ///
    /// - Returns: what was there, under a name of its own (`MonitorFile.swapPath`); nil where there was nothing.
    /// - Throws: `MonitorFileError`
    package func exchange() throws -> MonitorFile? {
        try state.withLock { state in
            guard state.isOpen else { throw ended }
            try flush(&state)
            // Who may read it should stay so; the owner may be changed by some alone.
            if let old = FileStatus(of: file.path), old.isPlain {
                _ = fchown(descriptor, old.owner, old.group)
                guard fchmod(descriptor, old.mode) == 0 else {
                    throw SystemCall.failure("it cannot be made readable as the one before", file: part)
                }
            }
            guard fsync(descriptor) == 0 else {
                throw SystemCall.failure("it cannot be written to the disk", file: part)
            }
            // From here on by another name, so that what comes out is never taken for a part that may be emptied.
            guard try FileExchange.move(part, to: file.swapPath) else {
                throw MonitorFileError(
                    .busy, file: file.path, "\(file.swapPath) was left there; it is seen to in the next run")
            }
            state.isOpen = false
            defer { _ = Glibc.close(descriptor) }
            let hasOld: Bool
            do {
                hasOld = try FileExchange.put(file.swapPath, inPlaceOf: file.path)
            } catch {
                // What is whole and is not served is of no use. SAFETY: the path is read for the time of the call.
                unsafe _ = unlink(file.swapPath)
                throw error
            }
            try SystemCall.synchronise(folder: file.folder)
            return hasOld ? MonitorFile(file.swapPath) : nil
        }
    }

    /// Takes away what was written so far; nothing after `commit`.
    package func discard() {
        state.withLock { state in
            guard state.isOpen else { return }
            state.isOpen = false
            // Before the lock goes with the descriptor: afterwards the name may be another's.
            // SAFETY: the path is read as a C string for the time of the call. What stays is used by the next writer.
            unsafe _ = unlink(part)
            _ = Glibc.close(descriptor)
        }
    }

    private var ended: MonitorFileError {
        MonitorFileError(.notWritten, file: file.path, "it was committed or discarded already")
    }

    private func flush(_ state: inout State) throws {
        var done = 0
        while done < state.buffer.count {
            // SAFETY: the pointer lives inside the closure and is advanced by less than its buffer's length.
            let count = unsafe state.buffer.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemCall.failure("it cannot be written", file: part) }
            done += count
        }
        state.hash.update(data: state.buffer)
        state.bytes += Int64(state.buffer.count)
        state.buffer.removeAll(keepingCapacity: true)
    }
}
