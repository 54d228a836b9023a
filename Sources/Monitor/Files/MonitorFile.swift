internal import Crypto
package import Foundation
internal import Glibc
internal import Store

/// A file that others read while it is written anew: by its name there is always a whole one.
///
/// What is here blocks; callers bring a thread of their own (`OwnThread`).
package struct MonitorFile: Sendable, Equatable {
    package let path: String

    package init(_ path: String) { self.path = path }

    /// The folder that it lies in.
    var folder: String {
        let folder = (path as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }

    var name: String { (path as NSString).lastPathComponent }

    /// Where it is written: in the same folder, hidden, and so renamed at one moment.
    var partPath: String { "\(folder)/.\(name).part" }

    /// Where it is, whole, just before it gets its name, and what had the name just after.
    var swapPath: String { "\(folder)/.\(name).swap" }

    package func remove() throws {
        // SAFETY: the path is read as a C string for the time of the call.
        guard unsafe unlink(path) == 0 || errno == ENOENT else {
            throw SystemCall.failure("it cannot be removed", file: path)
        }
    }

    /// Of the file as it is, read in pieces; nil where there is none.
    ///
    /// - Throws: `MonitorFileError` of code `unreadable`.
    package func digest() throws -> FileDigest? {
        let file: OpenedFile
        do {
            file = try OpenedFile(path)
        } catch let error as MonitorFileError where error.code == .missing {
            return nil
        }
        var hash = SHA256()
        var offset = 0
        while true {
            let piece = try file.bytes(at: offset, upTo: 1 << 16)
            guard !piece.isEmpty else { return FileDigest(hash, bytes: Int64(offset)) }
            hash.update(data: piece)
            offset += piece.count
        }
    }

    /// Begins to write it anew; what is there stays until `commit`. Makes the folder where it is missing.
    ///
    /// - Throws: `MonitorFileError`, of code `busy` where somebody else is writing it.
    package func begin() throws -> MonitorFileWriter { try MonitorFileWriter(self) }

    /// Removes what a killed writer left; one that still writes is left alone.
    package func removeLeftover() throws {
        guard FileStatus(of: partPath) != nil else { return }
        do {
            try begin().discard()
        } catch let error as MonitorFileError where error.code == .busy {
            return
        }
    }

    /// Gives the file another name, `NAME.set-aside-TIME`, never one that something has already.
    ///
    /// - Parameter named: the file whose name it is to have; its own where nil.
    /// - Returns: the path that it has now; nil where there was nothing to set aside.
    /// - Throws: `MonitorFileError`; the file then still has its name.
    package func setAside(at time: Date, named: MonitorFile? = nil) throws -> String? {
        guard FileStatus(of: path) != nil else { return nil }
        // 20261122T010035Z: names of some systems take no colon, and the milliseconds help nobody.
        let digits = SQLTime.text(of: time).prefix { $0 != "." }.filter { $0 != "-" && $0 != ":" }
        let stamp = String(digits) + "Z"
        for attempt in 1...Self.attempts {
            let target = "\((named ?? self).path).set-aside-\(stamp)" + (attempt == 1 ? "" : "-\(attempt)")
            // The name is taken first, by an empty file, which renaming then replaces: nothing of anybody else's can be in
            // between. SAFETY: the path is read as a C string for the time of the call.
            let reserved = unsafe open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600))
            if reserved < 0, errno == EEXIST { continue }
            guard reserved >= 0 else { throw SystemCall.failure("it cannot be set aside as \(target)", file: path) }
            _ = Glibc.close(reserved)
            // SAFETY: both paths are read as C strings for the time of the call.
            guard unsafe Glibc.rename(path, target) == 0 else {
                let failure = SystemCall.failure("it cannot be set aside as \(target)", file: path)
                // SAFETY: as above.
                unsafe _ = unlink(target)
                throw failure
            }
            try SystemCall.synchronise(folder: folder)
            return target
        }
        throw MonitorFileError(
            .notWritten, file: path, "it cannot be set aside: there are \(Self.attempts) files of that second already")
    }

    private static let attempts = 1_000
}
