internal import ArgumentParser
internal import Foundation
internal import Logging
internal import Monitor
internal import Platform
internal import Store

/// `pathlight users erase`: removes everything about one person, and proves it.
struct UsersEraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase", abstract: "Removes everything about one person, then looks for what is left of them.",
        discussion: """
            Messages to their address that lie as files in the folder for mail go first; where one of these stays, nothing \
            else is erased, since nobody would know the address afterwards. Then everything goes in one transaction, and \
            the files of career monitoring are written anew without them, and every column of text or bytes of every table \
            is read, the files of the database as they lie on the disk, databases that a restore set aside, the monitor's \
            files, those that it set aside, and the other messages; ends with 1 where a name of theirs is still found or \
            something could not be looked at. Run it with the service's settings: where mail went to them and neither \
            `mail.folder` nor `mail.smtp.host` is set, nothing is erased. A running service may go on. Backups are not \
            touched: what they hold goes when they expire.
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
            let places = Places(
                database: Pathways.databasePath(settings),
                mailFolder: settings.mail.messageFolder(in: settings.dataDirectory), isMailSet: settings.mail.isSet,
                monitorFolder: settings.monitor.settings(dataDirectory: settings.dataDirectory).folder)
            let erasure = PersonErasure(
                database, cipher: encryption.cipher, mailFolder: places.mailFolder,
                written: Self.monitorFiles(settings, database, encryption.cipher))
            let preview = try await erasure.preview(id)
            try Self.requireMailFolder(places, preview)
            if !yes { try ask(preview) }
            let report = try await erasure.erase(id)
            try Terminal.data(json ? try Self.json(report, places) : Self.text(report, places))
            try await database.close()
            if !report.isProven { throw ExitCode(1) }
        } catch {
            try? await database.close()
            throw error
        }
    }

    /// Where somebody was looked for.
    private struct Places {
        let database: String
        let mailFolder: String
        /// Whether the settings here say where mail goes; without them the folder is a guess.
        let isMailSet: Bool
        let monitorFolder: String
    }

    private static func monitorFiles(
        _ settings: ServiceSettings, _ database: any SQLDatabase, _ cipher: any ColumnCipher
    ) -> WrittenFiles {
        let monitor = settings.monitor.settings(dataDirectory: settings.dataDirectory)
        let files = MonitorFiles(
            folder: monitor.folder, students: StudentRepository(database, cipher: cipher),
            courses: CourseRepository(database), notes: MonitorFileRepository(database))
        return files.written(studentsFile: monitor.studentsFile)
    }

    /// A service whose settings say where mail goes has sent mail to this person, and these settings do not: its messages
    /// may lie in a folder that is not known here. Before anything is erased, since nobody knows the address afterwards.
    ///
    /// - Throws: `StartProblem`
    private static func requireMailFolder(_ places: Places, _ preview: [String: Int]) throws {
        guard !places.isMailSet, let messages = preview["mail_log"], messages > 0 else { return }
        throw StartProblem(
            "nothing was erased: \(messages) messages to them are in the records, and these settings do not say where mail "
                + "goes, so that files of them would be left. Give the service's own settings, by --config or its "
                + "variables: PATHLIGHT_MAIL_FOLDER, or PATHLIGHT_MAIL_SMTP_HOST where a server takes mail on")
    }

    /// - Throws: `StartProblem` unless somebody types the id again.
    private func ask(_ preview: [String: Int]) throws {
        guard isatty(STDIN_FILENO) == 1 else {
            throw ValidationError("--yes is needed where nobody can be asked; nothing was erased")
        }
        for line in Self.lines(preview) { Terminal.error("  \(line)") }
        Terminal.error("This cannot be undone. Type the id again to erase it:")
        guard readLine() == id else { throw StartProblem("nothing was erased") }
    }

    private static func lines(_ counts: [String: Int]) -> [String] {
        counts.isEmpty ? ["nothing"] : counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
    }

    private static func text(_ report: ErasureReport, _ places: Places) -> String {
        var lines = ["removed:"] + lines(report.removed).map { "  \($0)" }
        lines += report.removedMessages.map { "  the message \($0)" }
        lines.append(
            report.isHeldBack
                ? "NOTHING WAS ERASED in \(places.database): it alone knows the address by which messages that stay are found; "
                    + "see that they can be read and removed, or move what is not to them elsewhere, and erase again"
                : "looked through \(report.scannedValues) values in \(report.scannedTables) tables of "
                    + places.database)
        let absence = FileManager.default.fileExists(atPath: places.mailFolder) ? "" : ", which is not there"
        let limit =
            places.isMailSet ? "" : "; files of mail elsewhere were not looked at: no `mail.folder` is set here"
        lines.append("looked for messages in \(places.mailFolder)\(absence)\(limit)")
        if !report.isHeldBack {
            lines.append("looked through the files of career monitoring in \(places.monitorFolder)")
            lines += report.writtenAnew.map { "written anew: \($0)" }
        }
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
        if file.contains(".csv.set-aside-") { return "the monitor set it aside; delete it once it is not needed" }
        if file.hasSuffix(".csv") || file.hasSuffix(".csv.part") {
            return "take them out of it, and erase again; one that is the monitor's own it writes anew when it runs"
        }
        return file.hasSuffix(".eml") || file.hasSuffix(".eml.part")
            ? "it is a message to somebody else; delete it once it is not needed"
            : "erase again once the service has stopped"
    }

    private static func json(_ report: ErasureReport, _ places: Places) throws -> String {
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

            let database: String
            let mailFolder: String
            let monitorFolder: String
            let removed: [String: Int]
            let removedMessages: [String]
            let writtenAnew: [String]
            let remains: [Place]
            let files: [String]
            let doubts: [Doubt]
            let unopened: Int
            let scannedTables: Int
            let scannedValues: Int
            let rewritten: Bool
            let ofIdAlone: Bool
            let heldBack: Bool
            let proven: Bool
        }
        let answer = Answer(
            database: places.database, mailFolder: places.mailFolder, monitorFolder: places.monitorFolder,
            removed: report.removed, removedMessages: report.removedMessages, writtenAnew: report.writtenAnew,
            remains: report.remains.map { .init(table: $0.table, column: $0.column, rows: $0.rows) },
            files: report.files,
            doubts: report.doubts.sorted { $0.key < $1.key }.map { .init(file: $0.key, reason: $0.value) },
            unopened: report.unopened, scannedTables: report.scannedTables, scannedValues: report.scannedValues,
            rewritten: report.isRewritten, ofIdAlone: report.isOfIDAlone, heldBack: report.isHeldBack,
            proven: report.isProven)
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(answer), as: UTF8.self)
    }
}
