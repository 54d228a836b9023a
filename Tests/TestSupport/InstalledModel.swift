package import Foundation

/// The model that `make test` fetches into `models/`; tests that need its weights skip where it is absent.
package enum InstalledModel {
    /// The id of the model that the manifest calls the default.
    package static let id = "all-MiniLM-L6-v2"

    /// The adapter that the service takes where nothing is said; it comes with the source.
    package static let adapted: URL = RepositoryRoot.file("models/all-MiniLM-L6-v2-occupations")

    /// The model's folder.
    package static let folder: URL = RepositoryRoot.file("models/\(id)")

    /// Whether the weights and a vocabulary are there; their sums are not checked.
    package static let isPresent: Bool = ["model.safetensors", "config.json", "vocab.txt"].allSatisfy {
        FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path)
    }

    /// The comment of a skipped suite.
    package static let skipReason = "the model \(id) is not installed: run scripts/fetch-model"
}
