import Foundation
import Glibc

/// Steps on files that hold through the loss of power, once their folder is synchronised.
enum DurableFile {
    /// Device and inode: two names of one file have the same.
    struct Identity: Equatable {
        let device: UInt64
        let inode: UInt64
    }

    struct Status {
        let identity: Identity
        let isPlain: Bool
        let bytes: Int
        let owner: uid_t
        let group: gid_t
    }

    /// What a name stands for, links not followed; nil where there is nothing.
    static func status(of path: String) throws -> Status? {
        var found = stat()
        // SAFETY: the path is read as a C string and the structure written during the call alone.
        guard unsafe lstat(path, &found) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw StoreError.system("it cannot be looked at", at: path)
        }
        return Status(
            identity: Identity(device: UInt64(found.st_dev), inode: UInt64(found.st_ino)),
            isPlain: found.st_mode & S_IFMT == S_IFREG, bytes: Int(found.st_size), owner: found.st_uid,
            group: found.st_gid)
    }

    /// Of an open file; nil where the system does not say.
    static func identity(of file: Int32) -> Identity? {
        var found = stat()
        // SAFETY: writes the one structure.
        guard unsafe fstat(file, &found) == 0 else { return nil }
        return Identity(device: UInt64(found.st_dev), inode: UInt64(found.st_ino))
    }

    /// The folder that a path lies in.
    static func folder(of path: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().path
    }

    /// Waits until a file's bytes, or a folder's names, are on the disk.
    static func synchronise(_ path: String) throws {
        // SAFETY: open reads the path as a C string for the time of the call.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw StoreError.system("it cannot be opened", at: path) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw StoreError.system("it cannot be written to the disk", at: path) }
    }

    /// Puts `source` in the place of `target` at one moment.
    static func rename(_ source: String, to target: String) throws {
        // SAFETY: both paths are read as C strings for the time of the call.
        guard unsafe Glibc.rename(source, target) == 0 else {
            throw StoreError.system("it cannot be renamed to \(target)", at: source)
        }
    }

    /// Gives a file a second name.
    static func link(_ source: String, to target: String) throws {
        // SAFETY: both paths are read as C strings for the time of the call.
        guard unsafe Glibc.link(source, target) == 0 else {
            throw StoreError.system("it cannot be given the name \(target) as well", at: source)
        }
    }

    /// Removes a name; one that is not there is no failure.
    static func remove(_ path: String) throws {
        // SAFETY: the path is read as a C string for the time of the call.
        guard unsafe unlink(path) == 0 || errno == ENOENT else {
            throw StoreError.system("it cannot be removed", at: path)
        }
    }
}

extension StoreError {
    /// The typed form of the failed system call before it.
    static func system(_ message: String, at location: String) -> StoreError {
        let problem = errno
        let code: Code
        let mend: String?
        switch problem {
        case ENOSPC, EDQUOT: (code, mend) = (.diskFull, "Free space on its disk.")
        case EROFS: (code, mend) = (.notWritable, FileAccess.readOnlyMend)
        case EACCES, EPERM: (code, mend) = (.notWritable, "See that this user may write in its folder.")
        case ENOENT, ENOTDIR: (code, mend) = (.cannotOpen, "See that its folder exists.")
        default: (code, mend) = (.inputOutput, nil)
        }
        // SAFETY: the C library's text is copied at once.
        let cause = unsafe String(cString: strerror(problem))
        return StoreError(code, message, location: location, mend: mend, cause: cause)
    }
}
