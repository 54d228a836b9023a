import Foundation
import TestSupport

/// A source file of the package and the target it belongs to.
struct SourceFile {
    let target: String
    /// Relative to the repository root.
    let path: String
    let text: String

    var isSwift: Bool { path.hasSuffix(".swift") }
    var isC: Bool { path.hasSuffix(".c") || path.hasSuffix(".h") }
    /// A header that importers see; others are bodies that a `.c` file includes.
    var isPublicHeader: Bool { path.hasSuffix(".h") && (path.contains("/include/") || path.hasSuffix("/shim.h")) }
}

/// What lies under `Sources/` and `Tests/`.
enum SourceTree {
    /// The folders of `Sources` or `Tests`, each a target's.
    static func targets(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: RepositoryRoot.file(folder).path)
            .filter { !$0.hasPrefix(".") }.sorted()
    }

    /// Every Swift and C file of `Sources` or `Tests`, in the order of their paths.
    static func files(in folder: String) throws -> [SourceFile] {
        try targets(in: folder).flatMap { target in
            let root = RepositoryRoot.file("\(folder)/\(target)")
            let names = try FileManager.default.subpathsOfDirectory(atPath: root.path)
            return try names.filter { $0.hasSuffix(".swift") || $0.hasSuffix(".c") || $0.hasSuffix(".h") }.sorted().map
            {
                SourceFile(
                    target: target, path: "\(folder)/\(target)/\($0)",
                    text: try String(contentsOf: root.appendingPathComponent($0), encoding: .utf8))
            }
        }
    }
}
