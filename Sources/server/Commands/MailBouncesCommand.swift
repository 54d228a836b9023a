internal import ArgumentParser
internal import Foundation
internal import Platform
internal import Store

/// `pathlight mail bounces FILE…`: remembers addresses that came back as missing.
struct MailBouncesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bounces", abstract: "Reads bounces, and remembers the addresses that do not exist.",
        discussion: """
            Takes messages (.eml) and mailboxes (mbox), as a mail server leaves them in a file or hands them to a command. \
            A report (RFC 3464) counts where it is about a message that went out from here, for the address that it names; \
            everything else is counted and changes nothing. Ends with 0 whatever was in the messages, and with 75 where \
            the database could not be reached, so that a mail server tries again later.
            """)

    private static let chunkBytes = 64 << 10
    /// EX_TEMPFAIL of sysexits.
    private static let tryAgain: Int32 = 75

    @Argument(help: "Files to read; “-” is standard input.")
    var files: [String]

    @Flag(help: "Print one JSON document.")
    var json = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        do {
            let summary = try await MailAccess.with(common) { access in
                let intake = BounceIntake(suppressions: access.suppressions, log: access.log)
                var summary = BounceSummary()
                for file in files { try await Self.read(file, intake, &summary) }
                return summary
            }
            try Terminal.data(json ? Self.json(summary) : Self.text(summary))
        } catch let error as StoreError {
            Terminal.error("pathlight: \(error)")
            throw ExitCode(Self.tryAgain)
        }
    }

    private static func read(_ file: String, _ intake: BounceIntake, _ summary: inout BounceSummary) async throws {
        let handle: FileHandle
        if file == "-" {
            handle = .standardInput
        } else {
            do {
                handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
            } catch {
                throw StartProblem("\(file) cannot be read: \(error.localizedDescription)")
            }
        }
        var mailbox = MailboxReader()
        while true {
            let chunk: Data?
            do {
                chunk = try handle.read(upToCount: chunkBytes)
            } catch {
                throw StartProblem("\(file) cannot be read: \(error.localizedDescription)")
            }
            let messages = chunk.map { mailbox.read($0) } ?? []
            for message in messages { try await intake.take(message, into: &summary) }
            if chunk?.isEmpty ?? true { break }
        }
        for message in mailbox.finish() { try await intake.take(message, into: &summary) }
    }

    private static func text(_ summary: BounceSummary) -> String {
        let counts = BounceSummary.Verdict.allCases.compactMap { verdict in
            summary.counts[verdict].map { "\(words(for: verdict)): \($0)" }
        }
        return (["messages: \(summary.messages)"] + counts).joined(separator: "\n")
    }

    private static func words(for verdict: BounceSummary.Verdict) -> String {
        switch verdict {
        case .noReport: "no report of a mail server"
        case .foreign: "about nothing that was sent from here"
        case .kept: "somebody's address all the same"
        case .remembered: "remembered, gets no more mail"
        case .known: "remembered before"
        }
    }

    private static func json(_ summary: BounceSummary) -> String {
        var json = JSONWriter()
        json.object { json in
            json.field("messages", summary.messages)
            for verdict in BounceSummary.Verdict.allCases {
                json.field(verdict.rawValue, summary.counts[verdict] ?? 0)
            }
        }
        return String(decoding: json.finishBytes(), as: UTF8.self)
    }
}

/// The data of mail as commands get at them.
struct MailAccess: Sendable {
    let suppressions: MailSuppressionRepository
    let log: MailLogRepository

    /// Opens the data for `body` and closes them again.
    ///
    /// - Parameter opensKeys: whether addresses are looked for, and not only entries counted or removed.
    static func with<Value>(
        _ common: CommonOptions, opensKeys: Bool = true, _ body: (MailAccess) async throws -> Value
    ) async throws -> Value {
        let (settings, logger) = try common.settings()
        let database = try await Pathways.openDatabase(settings, logger: logger)
        do {
            var cipher: any ColumnCipher = PlainColumns()
            if opensKeys {
                cipher = try await PrivateColumns.open(
                    settings, database: database, makesKeys: false, logger: logger
                ).cipher
            }
            let value = try await body(
                MailAccess(
                    suppressions: MailSuppressionRepository(database, cipher: cipher), log: MailLogRepository(database))
            )
            try await database.close()
            return value
        } catch {
            try? await database.close()
            throw error
        }
    }
}
