internal import CAssets
internal import Foundation

/// Files that the binary carries inside itself.
enum Assets {
    /// The bytes of a file, or nil where there is none of that path.
    static func data(_ path: String) -> Data? { files[path] }

    /// Every path that begins with `prefix`, in alphabetical order.
    static func paths(startingWith prefix: String) -> [String] { files.keys.filter { $0.hasPrefix(prefix) }.sorted() }

    private static let files: [String: Data] = {
        var files: [String: Data] = [:]
        for index in 0..<pl_asset_count() {
            // SAFETY: the asset's path is a C string and its bytes are `count` long, both of static storage.
            let asset = unsafe pl_asset_at(index)
            let path = unsafe String(cString: asset.path)
            files[path] = unsafe Data(bytes: asset.bytes, count: asset.count)
        }
        return files
    }()
}
