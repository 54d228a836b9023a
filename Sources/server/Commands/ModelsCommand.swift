internal import ArgumentParser
internal import Embedder
internal import Foundation

/// `pathlight models list | fetch | verify`
struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "Lists, fetches and verifies models.",
        subcommands: [List.self, Fetch.self, Verify.self])

    /// `pathlight models list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the models that are there and that can be fetched.")

        @OptionGroup var common: CommonOptions

        func run() async throws {
            let (settings, _) = try common.settings()
            let folder = URL(fileURLWithPath: settings.modelsDirectory, isDirectory: true)
            let installed = ModelCatalogue(directory: folder).installed()
            let manifest = try ModelManifest.find(in: folder)
            var lines: [String] = []
            for model in installed {
                let state =
                    model.problem.map { "unusable: \($0)" }
                    ?? "\(model.dimension ?? 0) dimensions, \(model.family ?? "")"
                lines.append("\(model.id)\t\(state)")
            }
            for model in manifest?.models ?? [] where !installed.contains(where: { $0.id == model.id }) {
                lines.append("\(model.id)\tnot here; “pathlight models fetch \(model.id)” gets it")
            }
            try Terminal.data(lines.joined(separator: "\n"))
        }
    }

    /// `pathlight models verify`
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Compares every file with its sum in the manifest.")

        @Argument(help: "The model (default: the one that the settings name).")
        var id: String?

        @OptionGroup var common: CommonOptions

        func run() async throws {
            let (settings, _) = try common.settings()
            let folder = URL(fileURLWithPath: settings.modelsDirectory, isDirectory: true)
            let id = id ?? settings.model
            let catalogue = ModelCatalogue(directory: folder)
            _ = try catalogue.folder(of: id)
            let manifest = try ModelManifest.find(in: folder)
            // Of an adapter its base too: one is nothing without the other.
            for part in [id, try catalogue.base(of: id)].compactMap({ $0 }) {
                try verify(part, in: catalogue, manifest)
            }
        }

        private func verify(_ id: String, in catalogue: ModelCatalogue, _ manifest: ModelManifest?) throws {
            guard let pinned = manifest?.model(id) else {
                Terminal.error("\(id) is whole as far as its own headers tell; no manifest has sums for it")
                return
            }
            let problems = ModelCatalogue.verify(folder: try catalogue.folder(of: id), files: pinned.pinnedFiles)
            guard problems.isEmpty else {
                for problem in problems { Terminal.error(problem.description) }
                throw StartProblem("\(id) is not as it should be; “pathlight models fetch \(id)” gets it anew")
            }
            try Terminal.data("\(id)\t\(pinned.files.count) files as pinned")
        }
    }

    /// `pathlight models fetch`
    struct Fetch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Gets a model and checks it.")

        @Argument(help: "The model (default: the one that the settings name).")
        var id: String?

        @OptionGroup var common: CommonOptions

        func run() async throws {
            let (settings, _) = try common.settings()
            let script = URL(fileURLWithPath: "scripts/fetch-model")
            guard FileManager.default.isExecutableFile(atPath: script.path) else {
                throw StartProblem(
                    "scripts/fetch-model is not here; run the command in the folder of the source, or copy a model's folder "
                        + "to \(settings.modelsDirectory)")
            }
            let process = Process()
            process.executableURL = script
            process.arguments = [id ?? settings.model, "--models", settings.modelsDirectory]
            // What the script says is for people; this command prints no data.
            process.standardOutput = FileHandle.standardError
            try process.run()
            process.waitUntilExit()
            if process.terminationStatus != 0 { throw ExitCode(process.terminationStatus == 2 ? 2 : 1) }
        }
    }
}
