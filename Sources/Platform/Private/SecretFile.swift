import CoreFoundation
import Glibc

/// A small file that holds a secret and that not everybody on the machine may read: a password, a key shared with
/// another program.
package enum SecretFile {
    static let maximumBytes = 4096

    /// Why a file is not taken. `reason` completes a sentence that begins with the file: “cannot be read: …”.
    package struct Problem: Error, Sendable, Equatable {
        package let reason: String
    }

    /// The file's bytes.
    ///
    /// - Throws: `Problem` for what is no small file, or one that others may read.
    package static func read(_ path: String) throws(Problem) -> [UInt8] {
        // A pipe would wait for somebody to write.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw Problem(reason: "cannot be read: \(systemReason)") }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Problem(reason: "is no file")
        }
        guard status.st_mode & 0o007 == 0 else {
            throw Problem(reason: "may be read by everybody on this machine; run “chmod o-rwx \(path)”")
        }
        var bytes = [UInt8](repeating: 0, count: maximumBytes + 1)
        var count = 0
        while count < bytes.count {
            // SAFETY: the pointer lives inside the closure and is advanced by less than its buffer's length.
            let read = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(file, buffer.baseAddress.map { unsafe $0 + count }, buffer.count - count)
            }
            if read < 0, errno == EINTR { continue }
            guard read >= 0 else { throw Problem(reason: "cannot be read: \(systemReason)") }
            if read == 0 { break }
            count += read
        }
        guard count <= maximumBytes else { throw Problem(reason: "is longer than \(maximumBytes) bytes") }
        return Array(bytes[..<count])
    }

    // SAFETY: strerror's text is copied before anything else is called.
    private static var systemReason: String { unsafe String(cString: strerror(errno)) }
}
