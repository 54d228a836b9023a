internal import Foundation
internal import Store

/// Files beside the database that may hold what somebody said, or what was said to them.
struct PersonFiles: Sendable {
    /// A message that was left in the folder for mail.
    struct Message: Sendable {
        let path: String
        let content: [UInt8]
    }

    /// Larger than any message of ours.
    private static let maximumMessage = 64 << 20

    let database: String
    /// Where messages lie as files; nil where there is no such folder.
    let mailFolder: String?

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
        guard let mailFolder, FileManager.default.fileExists(atPath: mailFolder) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: mailFolder).sorted()
            .filter { $0.hasSuffix(".eml") || $0.hasSuffix(".eml.part") }
            .map { "\(mailFolder)/\($0)" }
    }

    /// The messages that were sent to one of some addresses.
    func messages(to addresses: Set<String>) throws -> [Message] {
        guard !addresses.isEmpty else { return [] }
        let search = MarkSearch(ids: [], addresses: addresses)
        return try messages().compactMap { path in
            let content = try Self.content(of: path)
            guard let recipient = MailPart(content[...]).header["to"],
                search.matches(Array(recipient.utf8), short: nil)
            else { return nil }
            return Message(path: path, content: content)
        }
    }

    /// The messages that name somebody, in what a reader is shown as well.
    func messages(naming search: MarkSearch) throws -> [String] {
        try messages().filter { path in
            let content = try Self.content(of: path)
            return search.matches(content, short: nil)
                || Self.texts(of: MailPart(content[...])).contains {
                    search.matches($0, short: nil)
                }
        }
    }

    /// A message that went meanwhile is empty.
    private static func content(of path: String) throws -> [UInt8] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        return Array(try file.read(upToCount: maximumMessage) ?? Data())
    }

    private static func texts(of part: MailPart) -> [[UInt8]] {
        [part.decodedBody] + part.parts.map(\.decodedBody)
    }
}
