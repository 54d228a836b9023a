internal import CoreFoundation
internal import Foundation
internal import Glibc

/// An open file that is read by position, so that what reads it may be a value.
final class OpenedFile: Sendable {
    let path: String
    private let descriptor: Int32

    /// - Throws: `MonitorFileError` of code `missing` where there is none, `unreadable` where it cannot be read.
    init(_ path: String) throws {
        self.path = path
        // Not waiting: a pipe of that name would wait for whoever writes into it.
        // SAFETY: the path is read as a C string for the time of the call.
        let opened = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard opened >= 0 else {
            let code: MonitorFileError.Code = errno == ENOENT || errno == ENOTDIR ? .missing : .unreadable
            throw MonitorFileError(code, file: path, "it cannot be opened: \(SystemCall.reason)")
        }
        var status = stat()
        // SAFETY: writes the one structure.
        guard unsafe fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            _ = Glibc.close(opened)
            throw MonitorFileError(.unreadable, file: path, "it is not a file")
        }
        descriptor = opened
    }

    deinit { _ = Glibc.close(descriptor) }

    /// At most `count` bytes from `offset` on; none at the end.
    func bytes(at offset: Int, upTo count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        while true {
            // SAFETY: the buffer has room for `count` bytes and lives through the call.
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress, buffer.count, offset)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else {
                throw MonitorFileError(.unreadable, file: path, "it cannot be read: \(SystemCall.reason)")
            }
            bytes.removeLast(count - got)
            return bytes
        }
    }
}

/// What a name stands for, links not followed.
struct FileStatus {
    let device: UInt64
    let inode: UInt64
    let isPlain: Bool
    let mode: mode_t
    let owner: uid_t
    let group: gid_t

    /// Nil where there is nothing, or nothing that may be looked at.
    init?(of path: String) {
        var found = stat()
        // SAFETY: the path is read as a C string and the structure written during the call alone.
        guard unsafe lstat(path, &found) == 0 else { return nil }
        self.init(found)
    }

    /// Of an open file.
    init?(of descriptor: Int32) {
        var found = stat()
        // SAFETY: writes the one structure.
        guard unsafe fstat(descriptor, &found) == 0 else { return nil }
        self.init(found)
    }

    private init(_ found: stat) {
        device = UInt64(found.st_dev)
        inode = UInt64(found.st_ino)
        isPlain = found.st_mode & S_IFMT == S_IFREG
        mode = found.st_mode & 0o777
        owner = found.st_uid
        group = found.st_gid
    }

    func isSameFile(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }
}

enum SystemCall {
    /// What the system said last. SAFETY: the C library's text is copied at once.
    static var reason: String { unsafe String(cString: strerror(errno)) }

    /// The typed form of the failed system call before it.
    static func failure(_ message: String, file: String) -> MonitorFileError {
        let problem = errno
        let code: MonitorFileError.Code = problem == ENOSPC || problem == EDQUOT ? .diskFull : .notWritten
        // SAFETY: the C library's text is copied at once.
        let cause = unsafe String(cString: strerror(problem))
        return MonitorFileError(code, file: file, "\(message): \(cause)")
    }

    /// Waits until a folder's names are on the disk; a file system that does not know how is taken at its word.
    static func synchronise(folder: String) throws {
        // SAFETY: the path is read as a C string for the time of the call.
        let opened = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { throw failure("it cannot be opened", file: folder) }
        defer { _ = Glibc.close(opened) }
        guard fsync(opened) == 0 || errno == EINVAL else {
            throw failure("its names cannot be written to the disk", file: folder)
        }
    }
}
