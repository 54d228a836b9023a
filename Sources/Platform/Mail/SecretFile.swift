internal import Glibc

/// A small file that holds a secret.
package enum SecretFile {
    static let maximumBytes = 4096

    /// - Throws: `MailError` (`invalidSettings`) for what is no small file, or one that others may read.
    package static func read(_ path: String) throws(MailError) -> String {
        // A pipe would wait for somebody to write.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw objection(path, "cannot be read: \(systemReason)") }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw objection(path, "is no file")
        }
        guard status.st_mode & 0o007 == 0 else {
            throw objection(path, "may be read by everybody on this machine; run “chmod o-rwx \(path)”")
        }
        var bytes = [UInt8](repeating: 0, count: maximumBytes + 1)
        var count = 0
        while count < bytes.count {
            // SAFETY: the pointer lives inside the closure and is advanced by less than its buffer's length.
            let read = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(file, buffer.baseAddress.map { unsafe $0 + count }, buffer.count - count)
            }
            if read < 0, errno == EINTR { continue }
            guard read >= 0 else { throw objection(path, "cannot be read: \(systemReason)") }
            if read == 0 { break }
            count += read
        }
        guard count <= maximumBytes, let text = String(validating: bytes[..<count], as: UTF8.self) else {
            throw objection(path, "is longer than \(maximumBytes) bytes or not UTF-8")
        }
        return text
    }

    // SAFETY: strerror's text is copied before anything else is called.
    private static var systemReason: String { unsafe String(cString: strerror(errno)) }

    private static func objection(_ path: String, _ problem: String) -> MailError {
        MailError(.invalidSettings, "\(path), which `mail.smtp.password_file` names, \(problem)")
    }
}
