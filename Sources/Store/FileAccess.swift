import Glibc

/// Whether this user may do something with a file or folder, and what is in the way where not.
package enum FileAccess {
    package enum Refusal: Sendable, Equatable {
        /// Nobody may write there, whoever owns it and whatever its rights are.
        case readOnlyFileSystem
        case notAllowed
    }

    /// What is in the way of everybody, as a clause after the name of the place.
    package static let readOnly = "lies on a file system that is mounted read-only"
    /// What to do about that. Faults of a disk are the usual cause: `errors=remount-ro`.
    package static let readOnlyMend =
        "See why (`dmesg` tells of faults of the disk), mount it for writing (`mount -o remount,rw`), or name another folder."

    /// - Parameter mode: `R_OK`, `W_OK` and `X_OK` of access(2), those that are wanted.
    /// - Returns: nil where all of it is allowed.
    package static func refusal(of path: String, _ mode: Int32) -> Refusal? {
        // SAFETY: the path is read as a C string for the time of the call.
        guard unsafe Glibc.access(path, mode) != 0 else { return nil }
        return errno == EROFS ? .readOnlyFileSystem : .notAllowed
    }
}
