import CoreFoundation
import Foundation
import Glibc
import Store

/// A key ring in a file that only its owner may read.
package struct KeyFile: Sendable, Equatable {
    package let path: String
    /// Where systemd puts a service's credentials; nil where it gave none.
    private let credentials: String?

    /// - Parameter credentials: the folder of `LoadCredential=`, by default that of the environment.
    package init(
        _ path: String, credentials: String? = ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"]
    ) {
        self.path = path
        self.credentials = credentials
    }

    /// What changes when the file does; nil where there is none.
    struct Stamp: Sendable, Equatable {
        let device: UInt
        let inode: UInt
        let size: Int
        /// The bytes of a `timespec`, to compare.
        let modified: [UInt8]
    }

    var stamp: Stamp? {
        var status = stat()
        // SAFETY: string and struct live through the call.
        guard unsafe stat(path, &status) == 0 else { return nil }
        // SAFETY: the bytes are copied inside the call; the struct has no padding.
        let modified = unsafe withUnsafeBytes(of: status.st_mtim) { unsafe Array($0) }
        return Stamp(
            device: UInt(status.st_dev), inode: UInt(status.st_ino), size: Int(status.st_size), modified: modified)
    }

    package var exists: Bool { stamp != nil }

    /// - Throws: `KeyRingError`
    package func read() throws(KeyRingError) -> KeyRing {
        // SAFETY: the string lives through the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT {
                throw KeyRingError(
                    .missingFile,
                    "there is no key file \(path); bring it back from where its copy is kept, or correct "
                        + "PATHLIGHT_ENCRYPTION_KEY_FILE")
            }
            throw KeyRingError(.unreadable, "the key file \(path) cannot be read: \(Self.reason)")
        }
        defer { close(descriptor) }
        var status = stat()
        // Of the open file, so that what is checked is what is read. SAFETY: the struct lives through the call.
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw KeyRingError(.unreadable, "the key file \(path) is not a file")
        }
        guard status.st_mode & (isCredential ? 0o037 : 0o077) == 0 else {
            throw KeyRingError(
                .openToOthers,
                "the key file \(path) may be read or written by others than its owner (mode "
                    + "\(String(status.st_mode & 0o777, radix: 8))); `chmod 600 \(path)`, and where others could read "
                    + "it, `pathlight users rotate-key`")
        }
        guard status.st_size <= KeyRing.maximumBytes else {
            throw KeyRingError(.tooLarge, "the key file \(path) has more than \(KeyRing.maximumBytes) bytes")
        }
        guard let data = try? FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).readToEnd() else {
            if status.st_size == 0 { return try KeyRing.parse([], place: path) }
            throw KeyRingError(.unreadable, "the key file \(path) cannot be read")
        }
        return try KeyRing.parse(Array(data), place: path)
    }

    /// Whether systemd made the file for this service. Since version 254 it shows the mode 0440, where the group's bits are
    /// the bound of a list that names the service's user alone.
    private var isCredential: Bool {
        guard let credentials, !credentials.isEmpty else { return false }
        let folder = URL(fileURLWithPath: credentials).standardizedFileURL.path
        return URL(fileURLWithPath: path).standardizedFileURL.path.hasPrefix(folder + "/")
    }

    /// Makes the file, and its folder, for one user alone: whose the data is. What is there stays: another start may have come first.
    ///
    /// - Returns: whether the file was made here.
    package func create(_ ring: KeyRing) throws(KeyRingError) -> Bool {
        try makeFolder()
        // By a link and not by renaming, which would replace the file of another start.
        return try write(ring, ownerOf: folder) { aside throws(KeyRingError) in
            // SAFETY: both strings live through the call.
            if unsafe link(aside, path) == 0 { return true }
            guard errno == EEXIST else { throw failure() }
            return false
        }
    }

    /// Replaces the file as a whole: a reader sees the old or the new one. It stays its owner's, also where the superuser
    /// replaces it: a running service could not read it otherwise.
    package func replace(with ring: KeyRing) throws(KeyRingError) {
        _ = try write(ring, ownerOf: path) { aside throws(KeyRingError) in
            // SAFETY: both strings live through the call.
            guard unsafe rename(aside, path) == 0 else { throw failure() }
            return true
        }
    }

    private var folder: String {
        let folder = (path as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }

    private func makeFolder() throws(KeyRingError) {
        do throws(FileOwnership.Failure) {
            try FileOwnership.makeFolder(folder)
        } catch {
            throw KeyRingError(.notWritten, "the folder \(folder) for keys cannot be made: \(error.reason)")
        }
    }

    /// Writes the text beside the file, has it on the disk, then lets `publish` give it its name.
    ///
    /// - Parameter model: whose owner gets the file.
    private func write(
        _ ring: KeyRing, ownerOf model: String, publish: (String) throws(KeyRingError) -> Bool
    ) throws(KeyRingError) -> Bool {
        let aside = "\(path).\(UUID().uuidString)"
        // SAFETY: the string lives through the call.
        let descriptor = unsafe open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(0o600))
        guard descriptor >= 0 else { throw failure() }
        // SAFETY: the string lives through the call. Renamed, it is gone already, and that is no failure.
        defer { unsafe _ = unlink(aside) }
        let isWritten =
            FileOwnership.give(descriptor, likeThatOf: model)
            && Self.fill(descriptor, with: Array(ring.fileText().utf8))
        guard close(descriptor) == 0, isWritten else { throw failure() }
        let isFirst = try publish(aside)
        try syncFolder()
        return isFirst
    }

    private static func fill(_ descriptor: Int32, with bytes: [UInt8]) -> Bool {
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        // The mode again, for a umask that takes more than it should.
        guard (try? handle.write(contentsOf: Data(bytes))) != nil, fchmod(descriptor, 0o600) == 0 else { return false }
        return fsync(descriptor) == 0
    }

    private func syncFolder() throws(KeyRingError) {
        // SAFETY: the string lives through the call.
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure() }
    }

    private func failure() -> KeyRingError {
        KeyRingError(.notWritten, "the key file \(path) cannot be written: \(Self.reason)")
    }

    // SAFETY: the text of the number is copied at once.
    private static var reason: String { unsafe String(cString: strerror(errno)) }
}
