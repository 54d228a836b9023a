internal import ArgumentParser
internal import Logging
internal import Platform
internal import Store

/// `pathlight users export`: everything about one person.
struct UsersExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Prints everything about one person as one JSON document.",
        discussion: """
            Sealed columns are opened. Hashes of credentials are left out, and named as left out. Messages to their address \
            that lie as files in the folder for mail are in it, with asterisks for the secrets of their links.
            """)

    @Argument(help: "The user's id, as “pathlight users list” or an identity provider gives it.")
    var id: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let (settings, logger) = try common.settings()
        let database = try await Pathways.openDatabase(settings, logger: logger)
        do {
            let encryption = try await PrivateColumns.open(
                settings, database: database, makesKeys: false, logger: logger)
            let export = PersonExport(
                database, cipher: encryption.cipher,
                mailFolder: settings.mail.messageFolder(in: settings.dataDirectory))
            guard let document = try await export.document(of: id) else {
                throw StartProblem("there is nothing about anybody of that id in \(settings.dataDirectory)")
            }
            try Terminal.data(document)
            try await database.close()
        } catch {
            try? await database.close()
            throw error
        }
    }
}
