import Foundation
import VectorMath

/// Where the files of a model are: in its folder, or in that of its base model with an adapter's beside them.
struct ModelParts {
    /// Settings, tokenizer and weights.
    let folder: URL
    /// Files of an adapter that changes those weights.
    let adapterFolder: URL?

    /// - Throws: `EmbedderError.modelNotFound` for an adapter whose base is not there; what is wrong with its settings.
    init(folder: URL) throws(EmbedderError) {
        guard LowRankAdapter.isAdapter(folder) else {
            self.folder = folder
            adapterFolder = nil
            return
        }
        // The base stands beside the adapter, also where links lead to them from elsewhere.
        let models = ModelCatalogue(directory: folder.deletingLastPathComponent())
        let base = try LowRankAdapter(folder: folder).baseID
        self.folder = try models.plainFolder(of: base)
        guard !LowRankAdapter.isAdapter(self.folder) else {
            throw .unsupported(
                path: folder.appendingPathComponent(LowRankAdapter.settingsName).path,
                setting: "base_model_name_or_path", value: base, supported: "a model, not another adapter")
        }
        adapterFolder = folder
    }

    /// The adapter, to be merged once.
    func adapter() throws(EmbedderError) -> LowRankAdapter? {
        guard let adapterFolder else { return nil }
        return try LowRankAdapter(folder: adapterFolder)
    }

    /// The weights' file, within the encoder's folder of the pipeline, and the adapter's.
    func weightFiles(encoderFolder: URL) -> [ModelFile] {
        [ModelFile(encoderFolder, "model.safetensors")]
            + (adapterFolder.map {
                [ModelFile($0, LowRankAdapter.weightsName), ModelFile($0, LowRankAdapter.settingsName)]
            }
                ?? [])
    }

    /// SHA-256 of the one file; of several, that of their sums one after another.
    static func sha256(of files: [ModelFile]) throws(EmbedderError) -> String {
        var sums: [String] = []
        for file in files { sums.append(try file.sha256()) }
        return sums.count == 1 ? sums[0] : SHA256.hash(Array(sums.joined(separator: " ").utf8))
    }
}
