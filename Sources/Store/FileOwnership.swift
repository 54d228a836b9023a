import Foundation
import Glibc

/// Whose the files are that the superuser makes: theirs whose folder it is.
///
/// A command that runs as root beside a service that runs as another user would else leave files behind that the service
/// cannot open. For everybody but the superuser nothing changes.
package enum FileOwnership {
    /// Why a folder cannot be made.
    package struct Failure: Error, Sendable, Equatable {
        package let folder: String
        /// The system's word for it.
        package let reason: String
    }

    /// O_PATH and AT_EMPTY_PATH, which Glibc has for programs that ask for its extensions alone.
    private static let forNameAlone: Int32 = 0o10_000_000
    private static let ofDescriptor: Int32 = 0x1000

    /// Gives an open file or folder to the owner of what `path` names.
    ///
    /// - Returns: whether it is theirs now; where not, `errno` says why.
    @discardableResult
    package static func give(_ descriptor: Int32, likeThatOf path: String) -> Bool {
        guard geteuid() == 0 else { return true }
        var model = stat()
        // SAFETY: the path is read as a C string and the structure written during the call alone.
        guard unsafe stat(path, &model) == 0 else { return false }
        return fchown(descriptor, model.st_uid, model.st_gid) == 0
    }

    /// Gives a file that is still empty to the owner of its folder, without opening it: closing a descriptor would drop
    /// the locks that a connection of this process may hold on it by then. What has another name too stays as it is: it
    /// may be somebody else's.
    static func giveEmptyFile(_ path: String, likeThatOf folder: String) {
        guard geteuid() == 0 else { return }
        var model = stat()
        var found = stat()
        // SAFETY, of all four: paths are read as C strings and structures written during the calls alone. The descriptor
        // stands for what has the name, so that what is looked at is what is given away; closing it drops no lock.
        let place = unsafe open(path, forNameAlone | O_NOFOLLOW | O_CLOEXEC)
        guard place >= 0 else { return }
        defer { close(place) }
        guard unsafe stat(folder, &model) == 0, unsafe fstat(place, &found) == 0,
            found.st_mode & S_IFMT == S_IFREG, found.st_nlink == 1, found.st_size == 0
        else { return }
        unsafe _ = fchownat(place, "", model.st_uid, model.st_gid, ofDescriptor)
    }

    /// Makes a folder and those above it, each for one user alone; those that exist stay as they are.
    ///
    /// - Throws: `Failure`, also where a file is in the way.
    package static func makeFolder(_ folder: String) throws(Failure) {
        if isFolder(folder) { return }
        let parent = URL(fileURLWithPath: folder).deletingLastPathComponent().path
        if parent != folder { try makeFolder(parent) }
        // SAFETY, of both: the path is read as a C string for the time of the call.
        guard unsafe mkdir(folder, 0o700) == 0 else {
            let problem = errno
            // Another process may have made it meanwhile.
            if isFolder(folder) { return }
            // SAFETY: the C library's text is copied at once.
            throw Failure(folder: folder, reason: unsafe String(cString: strerror(problem)))
        }
        let made = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard made >= 0 else { return }
        give(made, likeThatOf: parent)
        close(made)
    }

    private static func isFolder(_ path: String) -> Bool {
        var found = stat()
        // SAFETY: the path is read as a C string and the structure written during the call alone.
        return unsafe stat(path, &found) == 0 && found.st_mode & S_IFMT == S_IFDIR
    }
}
