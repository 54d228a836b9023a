internal import CoreFoundation
internal import Foundation

/// A file that a command writes by its name: replaced whole where it is a file, written into where it is a pipe, a
/// device or an open file of this process.
struct OutputFile {
    private let name: String
    /// Where links lead: what is replaced is the file, not the link to it.
    private let path: String
    /// Whether a link led through the table of open files (`/dev/stdout`), whose entries only look like names.
    private let isDescriptor: Bool

    /// Links in a row that are followed, as many as Linux does.
    private static let maximumLinks = 40

    init(_ name: String) {
        self.name = name
        var path = name
        var isDescriptor = false
        for _ in 0..<Self.maximumLinks {
            guard let next = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else { break }
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().resolvingSymlinksInPath()
            if folder.path.hasPrefix("/proc/") {
                isDescriptor = true
                break
            }
            path = next.hasPrefix("/") ? next : folder.appendingPathComponent(next).path
        }
        self.path = path
        self.isDescriptor = isDescriptor
    }

    /// - Throws: `StartProblem` where it cannot be written; a file that was there is then as it was.
    func write(_ data: Data) throws {
        do {
            var status = stat()
            let isThere = unsafe stat(path, &status) == 0
            // Links in a circle, a file in the place of a folder: nothing to write beside.
            if !isThere, errno != ENOENT { throw Self.failure }
            let kind = status.st_mode & S_IFMT
            if isThere, kind == S_IFDIR { throw StartProblem("\(name) is a folder; name a file in it") }
            if isThere, isDescriptor || kind != S_IFREG {
                // At the end, where standard output goes to a file that already holds something.
                try Self.fill(try Self.descriptor(of: path, O_WRONLY | O_APPEND), with: data)
            } else {
                try replace(with: data, like: isThere ? status : nil)
            }
        } catch let error as StartProblem {
            throw error
        } catch {
            throw StartProblem("\(name) cannot be written: \(error.systemReason)")
        }
    }

    /// Under another name first: an interrupted write leaves the old file whole.
    private func replace(with data: Data, like status: stat?) throws {
        let folder = (path as NSString).deletingLastPathComponent
        let temporary = "\(folder.isEmpty ? "." : folder)/.pathlight-\(UInt64.random(in: .min ... .max))"
        let file = try Self.descriptor(of: temporary, O_WRONLY | O_CREAT | O_EXCL)
        do {
            if let status {
                // The owner may be changed by some alone; who may read the file should stay so in any case.
                _ = fchown(file, status.st_uid, status.st_gid)
                guard fchmod(file, status.st_mode & 0o7777) == 0 else { throw Self.failure }
            }
            try Self.fill(file, with: data, isDurable: true)
            guard unsafe rename(temporary, path) == 0 else { throw Self.failure }
        } catch {
            unsafe unlink(temporary)
            throw error
        }
    }

    private static func descriptor(of path: String, _ flags: Int32) throws -> Int32 {
        let file = unsafe open(path, flags | O_CLOEXEC, mode_t(0o666))
        guard file >= 0 else { throw failure }
        return file
    }

    /// Writes everything and closes the file.
    private static func fill(_ file: Int32, with data: Data, isDurable: Bool = false) throws {
        let handle = FileHandle(fileDescriptor: file, closeOnDealloc: false)
        do {
            try handle.write(contentsOf: data)
            if isDurable, fsync(file) != 0 { throw failure }
        } catch {
            try? handle.close()
            throw error
        }
        try handle.close()
    }

    private static var failure: NSError { NSError(domain: NSPOSIXErrorDomain, code: Int(errno)) }
}

extension Error {
    /// What the system says of a file that cannot be read or written.
    var systemReason: String {
        let cause = (self as NSError).userInfo[NSUnderlyingErrorKey] as? NSError ?? self as NSError
        return cause.domain == NSPOSIXErrorDomain
            ? unsafe String(cString: strerror(Int32(cause.code))) : cause.localizedDescription
    }
}
