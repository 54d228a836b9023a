internal import ArgumentParser
internal import Engine
internal import Foundation
internal import Store

/// `pathlight export`: writes what the store has as files that `import` reads back.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes careers, or students' recommendations, to a file.",
        subcommands: [Careers.self, Recommendations.self])

    /// `pathlight export careers FILE`
    struct Careers: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The active careers as JSON, JSON Lines or CSV, which “pathlight import careers” reads back.")

        @Argument(help: "The file, or - for standard output.")
        var file: String

        @Option(help: "Only careers of this source.")
        var source: String?

        @OptionGroup var format: FormatOption
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let format = try format.format(of: file)
            let (settings, logger) = try common.settings()
            let database = try await Pathways.openDatabase(settings, logger: logger)
            do {
                try await Pathways.updateCatalogue(in: database, logger: logger)
                let content = try await CatalogueContent.read(from: database)
                try await database.close()
                let careers = content.careers.filter { source == nil || $0.source == source }
                guard !careers.isEmpty else {
                    let known = Set(content.careers.compactMap(\.source)).sorted().joined(separator: ", ")
                    throw StartProblem("there are no careers of the source “\(source ?? "")”; there are \(known)")
                }
                let names = Set(careers.compactMap(\.source))
                let sources = content.sources.values.filter { names.contains($0.name) }.sorted { $0.name < $1.name }
                let data = try CareerExporter.write(careers, sources: sources, format: format)
                if file == "-" {
                    try Terminal.data(data)
                } else {
                    try OutputFile(file).write(data)
                    Terminal.error("\(careers.count) careers written to \(file)")
                }
            } catch {
                try? await database.close()
                throw error
            }
        }
    }
}
