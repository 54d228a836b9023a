internal import Embedder
internal import Foundation

/// `models/manifest.json`: the models that can be fetched, with the sum of every file.
struct ModelManifest: Decodable {
    struct File: Decodable {
        let path: String
        let sha256: String
        let bytes: Int
    }

    struct Model: Decodable {
        let id: String
        let isDefault: Bool?
        let licence: String?
        let dimension: Int?
        let files: [File]

        enum CodingKeys: String, CodingKey {
            case id, licence, dimension, files
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

/// Something that keeps a command from working, said so that it can be mended.
struct StartProblem: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
