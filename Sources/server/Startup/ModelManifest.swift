internal import Embedder
internal import Foundation

/// `models/manifest.json`: the models that can be fetched, with the sum of every file.
struct ModelManifest: Decodable {
    struct File: Decodable {
        let path: String
        let sha256: String
        let bytes: Int
    }

    /// How texts are read by a knowledge base of titles; found on the development sets.
    struct Grounding: Decodable {
        let temperature: Double
        let weight: Double
    }

    struct Model: Decodable {
        let id: String
        let isDefault: Bool?
        let licence: String?
        let dimension: Int?
        let files: [File]
        let grounding: Grounding?

        enum CodingKeys: String, CodingKey {
            case id, licence, dimension, files, grounding
            case isDefault = "default"
        }

        var pinnedFiles: [PinnedFile] { files.map { PinnedFile(path: $0.path, sha256: $0.sha256, bytes: $0.bytes) } }
    }

    let models: [Model]

    func model(_ id: String) -> Model? { models.first { $0.id == id } }

    /// The manifest in a models folder or, where it has none, the one in `models/` of the working directory.
    ///
    /// - Returns: nil where there is no manifest; models are then taken as they are.
    /// - Throws: `StartProblem` for one that cannot be read.
    static func find(in directory: URL) throws -> ModelManifest? {
        let places = [directory, URL(fileURLWithPath: "models")].map { $0.appendingPathComponent("manifest.json") }
        guard let file = places.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else { return nil }
        do {
            return try JSONDecoder().decode(ModelManifest.self, from: Data(contentsOf: file))
        } catch {
            throw StartProblem("\(file.path) cannot be read: \(error); get the file anew from the source")
        }
    }
}

/// Which models a command can be told to use.
enum InstalledModels {
    /// The usable ones of the models folder, by id.
    static func usable(_ settings: ServiceSettings) -> [String] {
        let folder = URL(fileURLWithPath: settings.modelsDirectory, isDirectory: true)
        return ModelCatalogue(directory: folder).installed().filter { $0.problem == nil }.map(\.id)
    }

    /// Names them, and says how to get others.
    ///
    /// - Throws: `StartProblem` for a manifest that cannot be read.
    static func advice(_ settings: ServiceSettings) throws -> String {
        let usable = usable(settings)
        let manifest = try ModelManifest.find(in: URL(fileURLWithPath: settings.modelsDirectory, isDirectory: true))
        let others = (manifest?.models ?? []).map(\.id).filter { !usable.contains($0) }
        var advice =
            usable.isEmpty
            ? "No model is installed here" : "Installed and usable: \(usable.joined(separator: ", "))"
        if !others.isEmpty {
            advice += "; “pathlight models fetch ID” gets \(others.joined(separator: ", "))"
        }
        return advice + "; “pathlight models list” shows all of them"
    }
}

/// Something that keeps a command from working, said so that it can be mended.
struct StartProblem: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
