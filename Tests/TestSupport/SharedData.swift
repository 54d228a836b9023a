package import Foundation

/// The reference data that lies beside the repository and is never copied into it.
///
/// Suites that need it say `.enabled(if: SharedData.isPresent, "\(SharedData.skipReason)")`, so that a checkout without the
/// data still passes its tests and says what it left out.
package enum SharedData {
    /// `PATHLIGHT_SHARED_DATA` where set, otherwise `../shared/data` beside the repository.
    package static let folder: URL = {
        if let path = ProcessInfo.processInfo.environment["PATHLIGHT_SHARED_DATA"], !path.isEmpty {
            return URL(fileURLWithPath: path, isDirectory: true, relativeTo: RepositoryRoot.url).standardizedFileURL
        }
        return RepositoryRoot.file("../shared/data")
    }()

    /// Whether the folder is there at all.
    package static let isPresent: Bool = isFolder(folder)

    /// The comment of a skipped suite.
    package static let skipReason: String =
        "reference data not found: put it at ../shared/data or name its folder in PATHLIGHT_SHARED_DATA"

    /// The file at `path`, relative to the data folder; it may not exist.
    package static func url(_ path: String) -> URL {
        folder.appendingPathComponent(path).standardizedFileURL
    }

    /// Whether the file or folder at `path`, relative to the data folder, exists.
    package static func has(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: url(path).path)
    }

    /// The non-empty lines of the UTF-8 text file at `path`, relative to the data folder, in order.
    ///
    /// - Throws: What Foundation throws for a file that cannot be read or is not UTF-8.
    package static func lines(_ path: String) throws -> [String] {
        // Split on bytes: Swift's characters join "\r\n" and keep U+2028 apart from "\n", so splitting a String on its
        // newline characters would cut JSON Lines at separators that JSON allows inside a string.
        let data = try Data(contentsOf: url(path))
        return try data.split(separator: UInt8(ascii: "\n")).map { line in
            guard let text = String(bytes: line, encoding: .utf8) else {
                throw CocoaError(.fileReadInapplicableStringEncoding, userInfo: [NSFilePathErrorKey: url(path).path])
            }
            return text.hasSuffix("\r") ? String(text.dropLast()) : text
        }
    }
}

func isFolder(_ url: URL) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) && isDirectory.boolValue
}
