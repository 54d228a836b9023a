internal import ArgumentParser
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
        try await PrivateAccess.with(common) { data in
            let folder = data.settings.dataDirectory
            let export = PersonExport(
                data.database, cipher: data.cipher, mailFolder: data.settings.mail.messageFolder(in: folder))
            guard let document = try await export.document(of: id) else {
                throw StartProblem("there is nothing about anybody of that id in \(folder)")
            }
            try Terminal.data(document)
        }
    }
}
