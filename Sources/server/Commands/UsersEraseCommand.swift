internal import ArgumentParser
internal import Foundation
internal import Logging
internal import Platform
internal import Store

/// `pathlight users erase`: removes everything about one person, and proves it.
struct UsersEraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase", abstract: "Removes everything about one person, then looks for what is left of them.",
        discussion: """
            Everything goes in one transaction, and messages to their address that lie as files in the folder for mail. Then \
            every column of text or bytes of every table is read, the files of the database as they lie on the disk, \
            databases that a restore set aside, and the other messages; ends with 1 where a name of theirs is still found or \
            something could not be looked at. A running service may go on. Backups are not touched: what they hold goes when \
            they expire.
            """)

    @Argument(help: "The user's id.")
    var id: String

    @Flag(help: "Do not ask first.")
    var yes = false

    @Flag(help: "Print one JSON document.")
    var json = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let (settings, logger) = try common.settings()
        let database = try await Pathways.openDatabase(settings, logger: logger)
        do {
            let encryption = try await PrivateColumns.open(
                settings, database: database, makesKeys: false, logger: logger)
            let erasure = PersonErasure(
                database, cipher: encryption.cipher,
                mailFolder: settings.mail.messageFolder(in: settings.dataDirectory))
            if !yes { try await ask(erasure) }
            let report = try await erasure.erase(id)
            try Terminal.data(json ? try Self.json(report) : Self.text(report))
            try await database.close()
            if !report.isProven { throw ExitCode(1) }
        } catch {
            try? await database.close()
            throw error
        }
    }

    /// - Throws: `StartProblem` unless somebody types the id again.
    private func ask(_ erasure: PersonErasure) async throws {
        guard isatty(STDIN_FILENO) == 1 else {
            throw ValidationError("--yes is needed where nobody can be asked; nothing was erased")
        }
        for line in Self.lines(try await erasure.preview(id)) { Terminal.error("  \(line)") }
        Terminal.error("This cannot be undone. Type the id again to erase it:")
        guard readLine() == id else { throw StartProblem("nothing was erased") }
    }

    private static func lines(_ counts: [String: Int]) -> [String] {
        counts.isEmpty ? ["nothing"] : counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
    }

    private static func text(_ report: ErasureReport) -> String {
        var lines = ["removed:"] + lines(report.removed).map { "  \($0)" }
        lines += report.removedMessages.map { "  the message \($0)" }
        lines.append("looked through \(report.scannedValues) values in \(report.scannedTables) tables")
        if report.isOfIDAlone {
            lines.append(
                "there is no account of that id, so that nothing is known of an address that was erased before: this is "
                    + "about the id and what it owned alone")
        }
        if report.isRewritten { lines.append("the database file was written anew, without what lay in its free space") }
        for remains in report.remains {
            lines.append("STILL THERE: \(remains.rows) rows of \(remains.table), in \(remains.column)")
        }
        for file in report.files {
            lines.append("STILL THERE: in the bytes of \(file); \(advice(file))")
        }
        for (file, reason) in report.doubts.sorted(by: { $0.key < $1.key }) {
            lines.append("NOT KNOWN: whether \(file) still holds something: \(reason)")
        }
        if report.unopened > 0 {
            lines.append("NOT KNOWN: \(report.unopened) sealed values cannot be opened with the keys of the ring")
        }
        if report.isProven { lines.append("nothing remains; backups made before still hold it until they expire") }
        return lines.joined(separator: "\n")
    }

    private static func advice(_ file: String) -> String {
        if file.contains(".db.before-restore-") || file.contains(".db.restoring") {
            return "a restore left it; delete it once it is not needed"
        }
        return file.hasSuffix(".eml") || file.hasSuffix(".eml.part")
            ? "it is a message to somebody else; delete it once it is not needed"
            : "erase again once the service has stopped"
    }

    private static func json(_ report: ErasureReport) throws -> String {
        struct Answer: Encodable {
            struct Place: Encodable {
                let table: String
                let column: String
                let rows: Int
            }
            struct Doubt: Encodable {
                let file: String
                let reason: String
            }

            let removed: [String: Int]
            let removedMessages: [String]
            let remains: [Place]
            let files: [String]
            let doubts: [Doubt]
            let unopened: Int
            let scannedTables: Int
            let scannedValues: Int
            let rewritten: Bool
            let ofIdAlone: Bool
            let proven: Bool
        }
        let answer = Answer(
            removed: report.removed, removedMessages: report.removedMessages,
            remains: report.remains.map { .init(table: $0.table, column: $0.column, rows: $0.rows) },
            files: report.files,
            doubts: report.doubts.sorted { $0.key < $1.key }.map { .init(file: $0.key, reason: $0.value) },
            unopened: report.unopened, scannedTables: report.scannedTables, scannedValues: report.scannedValues,
            rewritten: report.isRewritten, ofIdAlone: report.isOfIDAlone, proven: report.isProven)
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(answer), as: UTF8.self)
    }
}
