package import Foundation

// The models directory: which models are there, and whether their files are whole.

/// The directory whose subfolders are models, named by their ids.
package struct ModelCatalogue: Sendable {
    package let directory: URL

    package init(directory: URL) { self.directory = directory }

    /// A folder that has a `config.json`, or an adapter's settings.
    package struct Installed: Sendable {
        package let id: String
        package let folder: URL
        /// `bert` or `mpnet`; nil if the model cannot be used.
        package let family: String?
        /// Dimensions of the model's vectors; nil if the model cannot be used.
        package let dimension: Int?
        /// Why the model cannot be used, as far as its settings and the header of its weights tell.
        package let problem: EmbedderError?
    }

    /// The folder of model `id`, whose settings and weights are there and look whole.
    ///
    /// - Throws: `EmbedderError.invalidModelID`, `.modelNotFound`, or what is wrong with a file in it.
    package func folder(of id: String) throws(EmbedderError) -> URL {
        let folder = try plainFolder(of: id)
        _ = try Self.inspect(folder)
        return folder
    }

    /// The id of the model that an adapter changes; nil for a model that stands alone.
    ///
    /// - Throws: as `folder(of:)`.
    package func base(of id: String) throws(EmbedderError) -> String? {
        try ModelParts(folder: plainFolder(of: id)).adapter()?.baseID
    }

    /// The folder of model `id`, whatever is in it.
    ///
    /// - Throws: `EmbedderError.invalidModelID` or `.modelNotFound`.
    func plainFolder(of id: String) throws(EmbedderError) -> URL {
        guard Self.isPlain(id) else { throw .invalidModelID(id) }
        let folder = directory.appendingPathComponent(id)
        guard Self.isDirectory(folder) else { throw .modelNotFound(id: id, directory: directory.path) }
        return folder
    }

    /// Every folder with a model or an adapter, by id; none if the directory itself is missing.
    package func installed() -> [Installed] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        return names.sorted().compactMap { name in
            let folder = directory.appendingPathComponent(name)
            guard Self.isPlain(name), Self.isDirectory(folder) else { return nil }
            do throws(EmbedderError) {
                let configuration = try Self.inspect(folder)
                return Installed(
                    id: name, folder: folder, family: configuration.family.rawValue,
                    dimension: configuration.hiddenSize, problem: nil)
            } catch {
                // A folder without any settings is not a model at all.
                if case .fileMissing(let path) = error, path.hasSuffix("config.json"),
                    !LowRankAdapter.isAdapter(folder)
                {
                    return nil
                }
                return Installed(id: name, folder: folder, family: nil, dimension: nil, problem: error)
            }
        }
    }

    /// Checks settings and the header of the weights, which tells a file that was cut off.
    private static func inspect(_ folder: URL) throws(EmbedderError) -> ModelConfiguration {
        let parts = try ModelParts(folder: folder)
        let pipeline = try SentencePipeline(folder: parts.folder)
        let encoder = pipeline.encoderFolder(in: parts.folder)
        let configuration = try ModelConfiguration(ModelFile(encoder, "config.json").json())
        _ = try SafetensorsFile(path: ModelFile(encoder, "model.safetensors").path)
        return configuration
    }

    /// A plain folder name: nothing that could lead elsewhere.
    private static func isPlain(_ id: String) -> Bool {
        !id.isEmpty && id.utf8.count <= 200 && !id.hasPrefix(".")
            && id.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "/" && $0 != "\\" && $0.value != 0x7F }
    }

    private static func isDirectory(_ folder: URL) -> Bool {
        // Through any link: a model may lie elsewhere.
        (try? folder.resolvingSymlinksInPath().resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory == true
    }
}
