internal import ArgumentParser
internal import Engine
internal import Foundation
internal import Logging
internal import Store

/// `pathlight import`: fills the catalogue, and takes in students.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Fills the catalogue from files, and takes in students.",
        subcommands: [Careers.self, Onet.self, Students.self])

    /// What every import of careers is asked.
    struct Options: ParsableArguments {
        @Flag(help: "Retire the careers of all other sources, the built-in ones included.")
        var only = false

        @Flag(help: "Retire what a source no longer has even where that is more than half of its careers.")
        var retire = false

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

        @Option(help: "Who gives careers that name no source (default: the file's name without its ending).")
        var source: String?

        @OptionGroup var format: FormatOption
        @OptionGroup var options: Options
        @OptionGroup var common: CommonOptions

        func validate() throws {
            if let source, !Self.isOwn(source) {
                throw ValidationError("--source must be a name of your own, not “\(source)”")
            }
        }

        /// Whether a source may be called so by somebody who imports.
        private static func isOwn(_ source: String) -> Bool {
            let name = source.trimmingCharacters(in: .whitespacesAndNewlines).lowercased()
            return !name.isEmpty && name != BuiltInContent.source
        }

        func run() async throws {
            let url = URL(fileURLWithPath: file)
            let name = (source ?? url.deletingPathExtension().lastPathComponent)
                .trimmingCharacters(in: .whitespacesAndNewlines)
            guard Self.isOwn(name) else {
                throw StartProblem(
                    "the name of \(file) makes “\(name)” the source of its careers, which is empty or the program's own; "
                        + "name yours with --source")
            }
            let format = try format.format(of: file)
            let data = try Self.contents(of: file)
            try await CareerImport(options: options, common: common, fallbackSource: name).run {
                try CareerFileReader.read(
                    data, named: file, format: format, defaultSource: CareerSource(name: name, title: name))
            }
        }

        /// Of a file that is read: what is made of one takes several times as much memory.
        private static let maximumBytes = 1 << 29

        private static func contents(of file: String) throws -> Data {
            var isFolder: ObjCBool = false
            if unsafe FileManager.default.fileExists(atPath: file, isDirectory: &isFolder), isFolder.boolValue {
                throw StartProblem("\(file) is a folder; name a file in it")
            }
            do {
                let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
                defer { try? handle.close() }
                // Piece by piece: pipes have no size, and some devices no end.
                var data = Data()
                while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty {
                    data.append(piece)
                    guard data.count <= maximumBytes else {
                        throw StartProblem("\(file) is larger than \(maximumBytes >> 20) MiB; split it")
                    }
                }
                return data
            } catch let problem as StartProblem {
                throw problem
            } catch {
                throw StartProblem("\(file) cannot be read: \(error.systemReason)")
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
