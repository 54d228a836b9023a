internal import Foundation

/// The model that embeds texts where none is named.
package enum DefaultModel {
    /// The general sentence encoder, which is fetched.
    package static let base = "all-MiniLM-L6-v2"
    /// The same with the adapter for occupations, which comes with the source.
    package static let adapted = "all-MiniLM-L6-v2-occupations"

    /// The best of what is in a folder of models: measured, the adapter finds more (docs/quality.md).
    package static func installed(in directory: String) -> String {
        let folder = URL(fileURLWithPath: directory, isDirectory: true)
        let needed = ["\(adapted)/adapter_model.safetensors", "\(adapted)/adapter_config.json", "\(base)/config.json"]
        let isThere = needed.allSatisfy {
            FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path)
        }
        return isThere ? adapted : base
    }
}
