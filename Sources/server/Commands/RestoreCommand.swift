internal import ArgumentParser
internal import Foundation
internal import Store

/// `pathlight restore FILE`: checks a backup and puts it in the place of the database.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Puts a backup in the place of the database, once it has been checked.",
        discussion: """
            The service must be stopped. The database that was there is kept beside the new one, as \
            pathlight.db.before-restore-TIME. If this is interrupted, run it again.
            """)

    @Argument(help: "A file that “pathlight backup” wrote, or a copy of a database that nothing had open.")
    var file: String

    @Flag(name: .customLong("yes"), help: "Do not ask.")
    var isConfirmed = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let (settings, _) = try common.settings()
        try Pathways.requireSQLite(settings)
        let database = Pathways.databasePath(settings)
        if !isConfirmed { try Self.ask(about: database) }
        let progress = ProgressReport("copying pages")
        defer { progress.end() }
        let report = try await SQLiteRestore.restore(file, over: database, progress: progress.update)
        Terminal.error("\(database): \(Self.description(of: report.check))")
        if let kept = report.kept { Terminal.error("what was there before: \(kept)") }
    }

    private static func description(of check: BackupCheck) -> String {
        let content = "schema \(check.schemaVersion), \(check.rows) rows in \(check.tables) tables"
        guard let manifest = check.manifest else {
            return content + "; the file does not say what it should hold, so it was checked for damage alone"
        }
        return content + ", as \(manifest.program) saved them at \(manifest.createdAt)"
    }

    /// - Throws: `StartProblem` unless a person at a terminal agrees.
    private static func ask(about database: String) throws {
        guard FileManager.default.fileExists(atPath: database) else { return }
        guard isatty(STDIN_FILENO) == 1 else {
            throw StartProblem("\(database) would be replaced, and nobody is there to be asked; add --yes")
        }
        FileHandle.standardError.write(Data("Replace \(database)? It is kept beside the new one. [y/N] ".utf8))
        guard let answer = readLine()?.lowercased(), ["y", "yes"].contains(answer) else {
            throw StartProblem("nothing was changed")
        }
    }
}
