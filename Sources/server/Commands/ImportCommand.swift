internal import ArgumentParser
internal import Engine
internal import Foundation
internal import Logging
internal import Store

/// `pathlight import`: fills the catalogue.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Fills the catalogue from files.", subcommands: [Careers.self, Onet.self])

    /// What every import of careers is asked.
    struct Options: ParsableArguments {
        @Flag(help: "Retire the careers of all other sources, the built-in ones included.")
        var only = false

        @Flag(help: "Import nothing if any row is bad.")
        var strict = false

        @Flag(help: "Read and report, change nothing.")
        var dryRun = false

        @Flag(help: "Leave the embedding to the running service or to “pathlight reembed”.")
        var noEmbed = false

        @Flag(help: "Print one JSON document.")
        var json = false
    }

    /// `pathlight import careers FILE`
    struct Careers: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Careers from a JSON, JSON Lines or CSV file; docs/import.md describes the fields.")

        @Argument(help: "The file.")
        var file: String

        @Option(help: "json, jsonl or csv (default: by the file's name).")
        var format: String?

        @Option(help: "Who gives careers that name no source (default: the file's name without its ending).")
        var source: String?

        @OptionGroup var options: Options
        @OptionGroup var common: CommonOptions

        func validate() throws {
            if let format, CareerFileFormat(rawValue: format) == nil {
                throw ValidationError("--format must be json, jsonl or csv, not \(format)")
            }
            if let source, source.isEmpty || source == BuiltInContent.source {
                throw ValidationError("--source must be a name of your own, not “\(source)”")
            }
        }

        func run() async throws {
            let url = URL(fileURLWithPath: file)
            guard
                let format = format.flatMap(CareerFileFormat.init(rawValue:))
                    ?? CareerFileFormat(fileName: url.lastPathComponent)
            else { throw StartProblem("\(file): the name does not tell the format; add --format json, jsonl or csv") }
            let data: Data
            do {
                data = try Data(contentsOf: url)
            } catch {
                throw StartProblem("\(file) cannot be read: \(error.localizedDescription)")
            }
            let name = source ?? url.deletingPathExtension().lastPathComponent
            try await CareerImport(options: options, common: common, fallbackSource: name).run {
                try CareerFileReader.read(
                    data, named: file, format: format, defaultSource: CareerSource(name: name, title: name))
            }
        }
    }

    /// `pathlight import onet DIR`
    struct Onet: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Occupations of an O*NET text release; docs/onet.md describes the mapping.")

        @Argument(help: "The folder of the release's text files.")
        var directory: String

        @Option(help: "BLS national wages as CSV (default: one in the folder or in ../bls beside it).")
        var wages: String?

        @Option(help: "BLS employment projections as CSV (default: as for wages).")
        var projections: String?

        @OptionGroup var options: Options
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let folder = URL(fileURLWithPath: directory, isDirectory: true)
            let wages = try found(wages, in: folder) { $0.hasPrefix("national_") && $0.hasSuffix("_dl.csv") }
            let projections = try found(projections, in: folder) {
                $0.contains("projections") && $0.hasSuffix(".csv")
            }
            try await CareerImport(options: options, common: common, fallbackSource: "onet").run {
                try OnetImporter.read(directory: folder, wages: wages, projections: projections) { Terminal.error($0) }
            }
        }

        /// The file that was named, which must be there, or the one that lies where such files lie.
        private func found(_ path: String?, in folder: URL, _ fits: (String) -> Bool) throws -> URL? {
            if let path {
                guard FileManager.default.isReadableFile(atPath: path) else {
                    throw StartProblem("\(path) cannot be read; is the path right?")
                }
                return URL(fileURLWithPath: path)
            }
            for place in [folder, folder.deletingLastPathComponent().appendingPathComponent("bls")] {
                let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
                // The latest by name: they are named by month and year.
                if let name = names.filter(fits).max() { return place.appendingPathComponent(name) }
            }
            return nil
        }
    }
}
