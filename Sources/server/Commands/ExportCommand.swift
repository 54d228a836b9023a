internal import ArgumentParser
internal import Engine
internal import Foundation
internal import Store

/// `pathlight export`: writes what the store has as files that `import` reads back.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes careers to a file.", subcommands: [Careers.self])

    /// `pathlight export careers FILE`
    struct Careers: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The active careers as JSON, JSON Lines or CSV, which “pathlight import careers” reads back.")

        @Argument(help: "The file, or - for standard output.")
        var file: String

        @Option(help: "json, jsonl or csv (default: by the file's name).")
        var format: String?

        @Option(help: "Only careers of this source.")
        var source: String?

        @OptionGroup var common: CommonOptions

        func validate() throws {
            if let format, CareerFileFormat(rawValue: format) == nil {
                throw ValidationError("--format must be json, jsonl or csv, not \(format)")
            }
        }

        func run() async throws {
            guard
                let format = format.flatMap(CareerFileFormat.init(rawValue:)) ?? CareerFileFormat(fileName: file)
            else { throw StartProblem("\(file): the name does not tell the format; add --format json, jsonl or csv") }
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
                    try Self.write(data, to: file)
                    Terminal.error("\(careers.count) careers written to \(file)")
                }
            } catch {
                try? await database.close()
                throw error
            }
        }

        /// Under another name first: an interrupted export leaves the old file whole.
        private static func write(_ data: Data, to path: String) throws {
            do {
                try data.write(to: URL(fileURLWithPath: path), options: .atomic)
            } catch {
                throw StartProblem("\(path) cannot be written: \(error.localizedDescription)")
            }
        }
    }
}
