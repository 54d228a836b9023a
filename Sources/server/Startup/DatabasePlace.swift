import CoreFoundation
internal import Foundation
internal import Glibc

/// What lies where the database is kept.
enum DatabasePlace: Equatable {
    /// Neither a file nor, perhaps, its folder.
    case missing
    /// A file without a byte: another program made it, or a start that was cut off at once.
    case empty
    /// Something; whether it can be used is told by opening it, as is a folder that may not be looked into.
    case taken

    init(_ path: String) {
        var found = stat()
        // SAFETY: the path is read as a C string and the structure written during the call alone.
        guard unsafe stat(path, &found) == 0 else {
            self = errno == ENOENT || errno == ENOTDIR ? .missing : .taken
            return
        }
        self = found.st_mode & S_IFMT == S_IFREG && found.st_size == 0 ? .empty : .taken
    }

    /// What a command says that needs a database and makes none.
    static func absence(at path: String) -> StartProblem {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        return StartProblem(
            "there is no database in \(folder), and this command makes none. Name the folder of the service's data with "
                + "--data or PATHLIGHT_DATA; “pathlight serve” makes a new one")
    }
}
