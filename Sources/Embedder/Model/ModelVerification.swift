package import Foundation

// Checking a model folder against pinned checksums.

/// A file as a manifest pins it.
package struct PinnedFile: Equatable, Sendable {
    /// Relative to the model's folder.
    package let path: String
    /// Lower-case hexadecimal digits.
    package let sha256: String
    package let bytes: Int

    package init(path: String, sha256: String, bytes: Int) {
        self.path = path
        self.sha256 = sha256
        self.bytes = bytes
    }
}

/// How a file of a model folder differs from what is pinned.
package struct PinnedFileProblem: Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        case missing
        case cutOff(bytes: Int, expected: Int)
        case wrongSize(bytes: Int, expected: Int)
        case altered(sha256: String, expected: String)
        case unreadable(String)
        /// The manifest names a path outside the folder.
        case invalidPath
    }

    package let path: String
    package let kind: Kind

    package var description: String {
        switch kind {
        case .missing: "\(path) is missing"
        case .cutOff(let bytes, let expected): "\(path) was cut off: \(bytes) of \(expected) bytes"
        case .wrongSize(let bytes, let expected): "\(path) has \(bytes) bytes instead of \(expected)"
        case .altered(let sha256, let expected): "\(path) was altered: its SHA-256 is \(sha256), not \(expected)"
        case .unreadable(let reason): "\(path) cannot be read: \(reason)"
        case .invalidPath: "\(path) leads out of the model's folder"
        }
    }
}

extension ModelCatalogue {
    /// Compares the files in `folder` with what is pinned; empty if all are as they should be.
    ///
    /// - Complexity: O(bytes of the files): each is read, unless its size already differs.
    package static func verify(folder: URL, files: [PinnedFile]) -> [PinnedFileProblem] {
        files.compactMap { pinned in
            problem(of: pinned, in: folder).map { PinnedFileProblem(path: pinned.path, kind: $0) }
        }
    }

    private static func problem(of pinned: PinnedFile, in folder: URL) -> PinnedFileProblem.Kind? {
        guard !pinned.path.isEmpty, !pinned.path.hasPrefix("/"), !pinned.path.split(separator: "/").contains("..")
        else { return .invalidPath }
        let file = ModelFile(folder, pinned.path)
        guard file.exists else { return .missing }
        do {
            // What a link leads to, not the link: caches of models are made of links.
            let target = URL(fileURLWithPath: file.path).resolvingSymlinksInPath().path
            let attributes = try FileManager.default.attributesOfItem(atPath: target)
            let bytes = (attributes[.size] as? NSNumber)?.intValue ?? -1
            if bytes >= 0 && bytes < pinned.bytes { return .cutOff(bytes: bytes, expected: pinned.bytes) }
            if bytes != pinned.bytes { return .wrongSize(bytes: bytes, expected: pinned.bytes) }
            let hash = try file.sha256()
            return hash == pinned.sha256.lowercased() ? nil : .altered(sha256: hash, expected: pinned.sha256)
        } catch let error as EmbedderError {
            return .unreadable(error.description)
        } catch {
            return .unreadable(error.localizedDescription)
        }
    }
}
