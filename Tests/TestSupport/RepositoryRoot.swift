package import Foundation

/// The checkout that the tests were built from.
package enum RepositoryRoot {
    /// The folder that holds `Package.swift`, derived from where this file lies, so that the working directory is free.
    package static let url: URL = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent()
        .standardizedFileURL

    /// The file or folder at `path`, a path relative to the repository root.
    package static func file(_ path: String) -> URL {
        url.appendingPathComponent(path).standardizedFileURL
    }
}
