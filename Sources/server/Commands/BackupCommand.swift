internal import ArgumentParser
internal import Foundation
internal import Platform
internal import Store

/// `pathlight backup FILE`: copies the database beside a running service, and checks the copy.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Writes everything that is stored to one file, beside a running service, and checks it.",
        discussion: """
            The file holds personal data and has mode 0600. Keys of private columns are not in it: without them, what \
            is sealed stays sealed. Models are not in it either.
            """)

    @Argument(help: "The file; it is written aside, checked, and then takes its name.")
    var file: String

    @Flag(help: "Replace the file if it exists.")
    var force = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let (settings, _) = try common.settings()
        try Pathways.requireSQLite(settings)
        let report = ProgressReport("copying pages")
        defer { report.end() }
        let manifest = try await SQLiteBackup.make(
            of: Pathways.databasePath(settings), to: file, replacing: force,
            program: "pathlight \(Pathlight.version)", progress: report.update)
        Terminal.error(
            "\(file): schema \(manifest.schemaVersion), \(manifest.rows) rows in \(manifest.tables.count) tables, checked"
        )
        if let place = try Self.keys(settings) {
            Terminal.error(
                "the keys of private columns are not in it; they are in \(place): keep a copy of them elsewhere")
        }
    }

    /// Where the keys are that a restored backup needs; nil where there are none.
    private static func keys(_ settings: ServiceSettings) throws -> String? {
        let keys = try PrivateColumns.settings(settings)
        guard keys.mode != .off else { return nil }
        if keys.keys != nil { return "the variable PATHLIGHT_ENCRYPTION_KEYS" }
        let file = keys.keyFile ?? keys.defaultKeyFile
        return FileManager.default.fileExists(atPath: file) ? file : nil
    }
}
