package import Foundation

/// A new, empty folder that goes when its last reference does.
package final class TemporaryDirectory: Sendable {
    /// Where the folder lies.
    package let url: URL

    /// The folder's path, for interfaces that take a string.
    package var path: String { url.path }

    /// Creates the folder; `label` becomes part of its name, so that a leftover tells where it came from.
    ///
    /// - Throws: What Foundation throws where the system's temporary folder cannot be written.
    package init(_ label: String = "test") throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("pathlight-\(label)-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        // A test may have taken the folder away itself; nobody is left to tell of any other failure.
        try? FileManager.default.removeItem(at: url)
    }

    /// The file or folder called `name` inside this folder; it may not exist.
    package func file(_ name: String) -> URL {
        url.appendingPathComponent(name)
    }

    /// Writes `bytes` to a new file called `name` and returns where it lies; missing folders in `name` are created.
    ///
    /// - Throws: What Foundation throws for a file that cannot be written.
    @discardableResult
    package func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> URL {
        let target = file(name)
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: target)
        return target
    }

    /// Writes `text` in UTF-8 to a new file called `name` and returns where it lies.
    ///
    /// - Throws: What Foundation throws for a file that cannot be written.
    @discardableResult
    package func write(_ text: String, to name: String) throws -> URL {
        try write(text.utf8, to: name)
    }
}
