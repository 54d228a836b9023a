internal import Foundation
internal import Glibc

/// The first administrator's link in a file that only this user may read.
package struct AdminLinkFile: Sendable {
    package let path: String

    package init(dataDirectory: String) {
        path = URL(fileURLWithPath: dataDirectory, isDirectory: true).appendingPathComponent("admin-sign-in-link").path
    }

    /// Puts the link in the place of an earlier one. Whoever reads meets the whole of one of them.
    ///
    /// - Throws: `StartProblem` where it cannot be written.
    package func write(_ link: String) throws {
        let aside = path + ".new"
        // Of a start that was killed in the middle.
        unsafe unlink(aside)
        let file = unsafe open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600))
        guard file >= 0 else { throw Self.problem(path) }
        let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: Data("\(link)\n".utf8))
            try handle.close()
        } catch {
            unsafe unlink(aside)
            throw StartProblem("\(path) cannot be written: \(error.localizedDescription)")
        }
        guard unsafe rename(aside, path) == 0 else {
            let problem = Self.problem(path)
            unsafe unlink(aside)
            throw problem
        }
    }

    /// Whether the file holds this link, and not that of another process on the same folder.
    package func holds(_ link: String) -> Bool {
        FileManager.default.contents(atPath: path) == Data("\(link)\n".utf8)
    }

    /// Takes the file away if it holds this link.
    package func remove(_ link: String) {
        if holds(link) { remove() }
    }

    /// Takes the file away, if there is one.
    package func remove() { unsafe unlink(path) }

    private static func problem(_ path: String) -> StartProblem {
        // SAFETY: strerror's text is copied before anything else is called.
        StartProblem("\(path) cannot be written: \(unsafe String(cString: strerror(errno)))")
    }
}
