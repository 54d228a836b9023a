package import Foundation
internal import Glibc
internal import Store

/// Leaves each message as an `.eml` file in a folder, where no mail server is set: somebody can open it, or another
/// program can send it.
package struct FolderMailer: Mailer {
    private let folder: String
    private let clock: @Sendable () -> Date
    private let random: @Sendable () -> UInt64
    private let encoder: MIMEEncoder

    /// - Parameters:
    ///   - folder: made with the first message, for the owner of the one it lies in alone.
    ///   - random: tells files of one moment apart.
    package init(
        folder: String, encoder: MIMEEncoder = MIMEEncoder(), clock: @escaping @Sendable () -> Date = { Date() },
        random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) }
    ) {
        self.folder = folder
        self.encoder = encoder
        self.clock = clock
        self.random = random
    }

    package var place: String { "the folder \(folder)" }

    package func send(_ message: MailMessage) async -> MailOutcome {
        await MailWork.run { write(encoder.encode(message)) }
    }

    private func write(_ bytes: [UInt8]) -> MailOutcome {
        do {
            try FileOwnership.makeFolder(folder)
            let name = Self.name(at: clock(), random: random())
            try Self.write(bytes, to: name, in: folder)
            return .sent(MailReceipt(place: "\(folder)/\(name)"))
        } catch {
            let reason =
                (error as? SystemFailure)?.reason ?? (error as? FileOwnership.Failure)?.reason
                ?? error.localizedDescription
            return .deferred(
                MailFailure(
                    .folder, "mail cannot be written to the folder \(folder): \(reason)",
                    mend: "Make the folder writable, name another with mail.folder, or set mail.smtp.host"))
        }
    }

    /// Sorts by time: `20261122T010035.125Z-8f3a….eml`.
    static func name(at date: Date, random: UInt64) -> String {
        let digits = String(random, radix: 16)
        let time = SQLTime.text(of: date).filter { $0 != "-" && $0 != ":" }
        return "\(time)-\(String(repeating: "0", count: 16 - digits.count))\(digits).eml"
    }

    /// Under a name of its own first: nobody who looks through the folder meets half a message.
    private static func write(_ bytes: [UInt8], to name: String, in folder: String) throws(SystemFailure) {
        let target = "\(folder)/\(name)"
        let aside = "\(folder)/.\(name).part"
        let file = unsafe open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600))
        guard file >= 0 else { throw SystemFailure() }
        do throws(SystemFailure) {
            defer { close(file) }
            // Of who tries the mail out as root, a message is still for the user of the service to read and remove.
            FileOwnership.give(file, likeThatOf: folder)
            try fill(file, with: bytes)
            guard fsync(file) == 0 else { throw SystemFailure() }
            guard unsafe rename(aside, target) == 0 else { throw SystemFailure() }
        } catch {
            unsafe unlink(aside)
            throw error
        }
        let directory = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        // The name is as durable as the file.
        fsync(directory)
        close(directory)
    }

    private static func fill(_ file: Int32, with bytes: [UInt8]) throws(SystemFailure) {
        var done = 0
        while done < bytes.count {
            // SAFETY: the pointer lives inside the closure and is advanced by less than its buffer's length.
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(file, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemFailure() }
            done += count
        }
    }
}

/// What the system said last.
private struct SystemFailure: Error {
    // SAFETY: strerror's text is copied before anything else is called.
    let reason = unsafe String(cString: strerror(errno))
}
