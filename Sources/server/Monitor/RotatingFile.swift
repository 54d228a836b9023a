internal import Foundation
internal import Glibc
internal import Store

/// A file that lines are added to, and that makes room for itself: `NAME` becomes `NAME.1`, that `NAME.2`, and the oldest
/// goes.
///
/// Several processes may add lines: each is one write at the end of the file that has the name at that moment.
package final class RotatingFile: Sendable {
    private let path: String
    private let maximumBytes: Int
    private let kept: Int
    private let lock = Guarded(())

    /// - Parameters:
    ///   - maximumBytes: beyond which a new file begins.
    ///   - kept: older files beside it.
    package init(path: String, maximumBytes: Int = 5 << 20, kept: Int = 5) {
        precondition(maximumBytes > 0 && kept >= 1, "there is room for something")
        self.path = path
        self.maximumBytes = maximumBytes
        self.kept = kept
    }

    /// Adds one line, which ends with its line break, and makes folder and file where they are missing.
    ///
    /// - Throws: what the system says where that cannot be done.
    package func append(_ line: String) throws {
        try lock.withLock { _ in
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let bytes = Data(line.utf8)
            if let size = Self.size(of: path), size + bytes.count > maximumBytes { try rotate() }
            // SAFETY: the path is read as a C string for the time of the call.
            let file = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, mode_t(0o640))
            guard file >= 0 else { throw Self.failure }
            let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
            try handle.write(contentsOf: bytes)
            try handle.close()
        }
    }

    private static func size(of path: String) -> Int? {
        ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? NSNumber)?.intValue
    }

    private func rotate() throws {
        for number in stride(from: kept - 1, through: 0, by: -1) {
            let from = number == 0 ? path : "\(path).\(number)"
            // SAFETY: both paths are read as C strings for the time of the call.
            guard unsafe rename(from, "\(path).\(number + 1)") == 0 || errno == ENOENT else { throw Self.failure }
        }
    }

    private static var failure: POSIXError { POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
}
