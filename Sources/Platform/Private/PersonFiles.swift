internal import Foundation
internal import Glibc
internal import Store

/// Files beside the database that may hold what somebody said, or what was said to them.
struct PersonFiles: Sendable {
    /// A message that was left in the folder for mail.
    struct Message: Sendable {
        let path: String
        let content: [UInt8]
    }

    /// What a look at the messages gave, each by itself: one that stays closed keeps no other from being looked at.
    struct Look: Sendable {
        /// How many were looked at.
        var count = 0
        /// Those that were looked for, and removed where that was asked.
        var found: [String] = []
        /// Those that could not be read or removed, and why.
        var doubts: [String: String] = [:]
    }

    /// What the system says of a message that it does not read or remove.
    private struct Refusal: Error, CustomStringConvertible {
        let path: String
        let reason: String

        var description: String { "\(path): \(reason)" }

        /// Of the call that has just failed.
        init(_ path: String) {
            self.path = path
            // SAFETY: strerror's text is copied before anything else is called.
            reason = unsafe String(cString: strerror(errno))
        }
    }

    /// Larger than any message of ours.
    private static let maximumMessage = 64 << 20

    let database: String
    /// Where messages lie as files; nil where there is no such folder.
    let mailFolder: String?
    /// Removes a message; one that has gone already is no failure.
    var remove: @Sendable (String) throws -> Void = PersonFiles.unlink

    /// The files of the database itself.
    var ofDatabase: [String] { ["", "-wal", "-journal"].map { database + $0 } }

    /// Databases that a restore set aside, or left behind when it was cut off: they hold what this one has lost.
    func setAside() throws -> [String] {
        let url = URL(fileURLWithPath: database)
        let starts = [".before-restore-", ".restoring"].map { url.lastPathComponent + $0 }
        let folder = url.deletingLastPathComponent()
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            .filter { name in starts.contains { name.hasPrefix($0) } && !name.hasSuffix("-shm") }
            .map { folder.appendingPathComponent($0).path }
    }

    /// The messages in the folder for mail, those that were being written when a process was killed too.
    func messages() throws -> [String] {
        guard let mailFolder else { return [] }
        // A folder that cannot be reached is not one that is not there.
        // SAFETY: access reads the path as a C string for the time of the call.
        if unsafe access(mailFolder, F_OK) != 0, errno == ENOENT { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: mailFolder).sorted()
            .filter { $0.hasSuffix(".eml") || $0.hasSuffix(".eml.part") }
            .map { "\(mailFolder)/\($0)" }
    }

    /// The messages that were sent to one of some addresses.
    ///
    /// - Throws: where one cannot be read: it may be to them.
    func messages(to addresses: Set<String>) throws -> [Message] {
        guard !addresses.isEmpty else { return [] }
        let search = MarkSearch(ids: [], addresses: addresses)
        return try messages().compactMap { path in
            guard let content = try Self.content(of: path), Self.isSent(content, to: search) else { return nil }
            return Message(path: path, content: content)
        }
    }

    /// Removes the messages that were sent to one of some addresses.
    ///
    /// - Throws: where the folder cannot be listed.
    func removeMessages(to addresses: Set<String>) throws -> Look {
        guard !addresses.isEmpty else { return Look() }
        let search = MarkSearch(ids: [], addresses: addresses)
        return try look { path, content in
            guard Self.isSent(content, to: search) else { return false }
            try remove(path)
            return true
        }
    }

    /// The messages that name somebody, in what a reader is shown as well.
    ///
    /// - Throws: where the folder cannot be listed.
    func messages(naming search: MarkSearch) throws -> Look {
        try look { _, content in
            search.matches(content, short: nil)
                || Self.texts(of: MailPart(content[...])).contains {
                    search.matches($0, short: nil)
                }
        }
    }

    private func look(for isWanted: (_ path: String, _ content: [UInt8]) throws -> Bool) throws -> Look {
        var look = Look()
        for path in try messages() {
            do {
                guard let content = try Self.content(of: path) else { continue }
                look.count += 1
                if try isWanted(path, content) { look.found.append(path) }
            } catch {
                look.doubts[path] = (error as? Refusal)?.reason ?? error.localizedDescription
            }
        }
        return look
    }

    private static func isSent(_ content: [UInt8], to search: MarkSearch) -> Bool {
        guard let recipient = MailPart(content[...]).header["to"] else { return false }
        return search.matches(Array(recipient.utf8), short: nil)
    }

    /// Nil for a message that has gone meanwhile, and for nothing else: what cannot be looked at may be theirs.
    private static func content(of path: String) throws -> [UInt8]? {
        // A pipe would wait for somebody to write.
        // SAFETY: open reads the path as a C string for the time of the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Refusal(path)
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        defer { try? file.close() }
        return Array(try file.read(upToCount: maximumMessage) ?? Data())
    }

    /// Whether a file of whatever size names somebody, read piece by piece; one that is not there names nobody.
    static func isFound(_ search: MarkSearch, in path: String) throws -> Bool {
        // As for messages. SAFETY: open reads the path as a C string for the time of the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return false }
            throw Refusal(path)
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        defer { try? file.close() }
        // A name may lie across two pieces.
        var carried: [UInt8] = []
        while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
            let bytes = carried + Array(piece)
            if search.matches(bytes, short: nil) { return true }
            carried = Array(bytes.suffix(1_024))
        }
        return false
    }

    private static func unlink(_ path: String) throws {
        // SAFETY: unlink reads the path as a C string for the time of the call.
        guard unsafe Glibc.unlink(path) == 0 || errno == ENOENT else { throw Refusal(path) }
    }

    private static func texts(of part: MailPart) -> [[UInt8]] {
        [part.decodedBody] + part.parts.map(\.decodedBody)
    }
}
