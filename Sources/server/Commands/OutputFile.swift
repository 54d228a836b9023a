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

    /// As `write`, piece by piece as they come. A file that is made is for its owner alone.
    ///
    /// - Parameter pieces: gives each piece to the function that it is given.
    /// - Throws: `StartProblem`, and what `pieces` throws; a file that was there is then as it was.
    func writeForOwner(_ pieces: ((Data) throws -> Void) async throws -> Void) async throws {
        let target = try telling { try Target(self) }
        do {
            let handle = FileHandle(fileDescriptor: target.file, closeOnDealloc: false)
            try await pieces { piece in try telling { try handle.write(contentsOf: piece) } }
            try telling { try target.finish() }
        } catch {
            target.discard()
            throw error
        }
    }

    /// Where pieces go.
    private struct Target {
        let file: Int32
        private let path: String
        /// Nil where it is written into what is there.
        private let temporary: String?

        init(_ output: OutputFile) throws {
            path = output.path
            var status = stat()
            let isThere = unsafe stat(path, &status) == 0
            if !isThere, errno != ENOENT { throw OutputFile.failure }
            let kind = status.st_mode & S_IFMT
            if isThere, kind == S_IFDIR { throw StartProblem("\(output.name) is a folder; name a file in it") }
            if isThere, output.isDescriptor || kind != S_IFREG {
                temporary = nil
                file = try OutputFile.descriptor(of: path, O_WRONLY | O_APPEND)
                return
            }
            let made = OutputFile.temporary(beside: path)
            file = try OutputFile.descriptor(of: made, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            temporary = made
            // Who may read the old one should stay so; the owner may be changed by some alone.
            guard isThere else { return }
            _ = fchown(file, status.st_uid, status.st_gid)
            guard fchmod(file, status.st_mode & 0o7777) == 0 else {
                let failure = OutputFile.failure
                discard()
                throw failure
            }
        }

        func finish() throws {
            guard let temporary else {
                guard close(file) == 0 else { throw OutputFile.failure }
                return
            }
            guard fsync(file) == 0, unsafe rename(temporary, path) == 0 else { throw OutputFile.failure }
            close(file)
        }

        func discard() {
            close(file)
            if let temporary { unsafe _ = unlink(temporary) }
        }
    }

    /// - Throws: `StartProblem` in place of the system's error.
    private func telling<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let problem as StartProblem {
            throw problem
        } catch {
            throw StartProblem("\(name) cannot be written: \(error.systemReason)")
        }
    }

    private static func temporary(beside path: String) -> String {
        let folder = (path as NSString).deletingLastPathComponent
        return "\(folder.isEmpty ? "." : folder)/.pathlight-\(UInt64.random(in: .min ... .max))"
    }

    /// Under another name first: an interrupted write leaves the old file whole.
    private func replace(with data: Data, like status: stat?) throws {
        let temporary = Self.temporary(beside: path)
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

    private static func descriptor(of path: String, _ flags: Int32, mode: mode_t = 0o666) throws -> Int32 {
        let file = unsafe open(path, flags | O_CLOEXEC, mode)
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
