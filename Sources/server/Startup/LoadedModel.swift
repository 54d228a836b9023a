internal import Embedder
internal import Engine
internal import Foundation

/// The encoder, or what is wrong with it, in words.
enum LoadedModel {
    case ready(TextEmbedder)
    case missing(String)

    /// Loads a model after checking it against the manifest.
    ///
    /// The sums are checked at every start: a damaged file would otherwise give plausible nonsense for ever.
    static func load(
        _ id: String, from directory: String, precision: EncoderPrecision, cacheEntries: Int
    ) -> LoadedModel {
        let folder = URL(fileURLWithPath: directory, isDirectory: true)
        do {
            let catalogue = ModelCatalogue(directory: folder)
            let place = try catalogue.folder(of: id)
            let manifest = try ModelManifest.find(in: folder)
            // An adapter's numbers mean nothing without those of its base.
            for part in [id, try catalogue.base(of: id)].compactMap({ $0 }) {
                guard let pinned = manifest?.model(part)?.pinnedFiles else { continue }
                let problems = ModelCatalogue.verify(folder: try catalogue.folder(of: part), files: pinned)
                guard problems.isEmpty else {
                    let list = problems.map(\.description).joined(separator: "; ")
                    return .missing("the model \(part) is damaged: \(list)")
                }
            }
            return .ready(
                try TextEmbedder(folder: place, options: .init(cacheEntries: cacheEntries, precision: precision)))
        } catch {
            return .missing("\(error)")
        }
    }

    /// A problem as everybody may read it, who need not know where the models lie.
    static func told(_ problem: String, of directory: String) -> String {
        // The manifest may be that of the working directory.
        var told = problem
        for place in [directory, "models"] {
            let folder = URL(fileURLWithPath: place, isDirectory: true).path
            told = told.replacing(folder + "/", with: "").replacing(folder, with: "the folder of models")
        }
        return told
    }

    /// What a service without its model tells.
    static func degradation(_ problem: String) -> Degradation {
        Degradation(
            reason: .noModel,
            detail: "No usable model, so careers are ranked by abilities alone: \(problem). "
                + "“pathlight models fetch” gets the model; restart afterwards.")
    }
}
