import Configuration
import Engine
import Foundation
import Synchronization

/// A parsed `pathlight.yaml`.
struct SettingsFile {
    /// As it is shown in messages.
    let path: String
    let snapshot: YAMLSnapshot

    /// Reads the file at `path`; nil for one that is absent, unless it was asked for by name.
    ///
    /// - Throws: `SettingsError`
    static func read(_ path: String, isRequired: Bool) throws -> SettingsFile? {
        guard FileManager.default.fileExists(atPath: path) else {
            if isRequired { throw SettingsError.unreadableFile(path: path, reason: "there is no such file") }
            return nil
        }
        let text: String
        do {
            text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            throw SettingsError.unreadableFile(path: path, reason: error.localizedDescription)
        }
        return try parse(text, path: path)
    }

    /// - Throws: `SettingsError`
    static func parse(_ text: String, path: String) throws -> SettingsFile? {
        // The YAML reader takes a file without any node for a mistake; one of comments alone sets nothing.
        let lines = text.split(whereSeparator: \.isNewline)
        guard lines.contains(where: { $0.first { !$0.isWhitespace }.map { $0 != "#" } ?? false }) else { return nil }
        let keys = KeyRecorder()
        let snapshot: YAMLSnapshot
        do {
            // A snapshot does not list its keys, but asks of each whether it is secret.
            let options = YAMLSnapshot.ParsingOptions(
                secretsSpecifier: .dynamic { key, _ in
                    keys.add(key)
                    return false
                })
            // SAFETY: the span borrows an array that lives until the call returns.
            snapshot = try unsafe YAMLSnapshot(
                data: Array(text.utf8).span.bytes, providerName: path, parsingOptions: options)
        } catch {
            throw SettingsError.malformedFile(path: path, reason: "\(error)")
        }
        let known = SettingKey.allCases.map(\.rawValue)
        for key in keys.all where !known.contains(key) {
            let inside = known.filter { $0.hasPrefix(key + ".") }
            let hint =
                inside.isEmpty
                ? NearestName.hint(for: key, among: known)
                : "; it holds \(inside.map { "`\($0.dropFirst(key.count + 1))`" }.joined(separator: ", "))"
            throw SettingsError.unknownKey(key: key, file: path, hint: hint)
        }
        return SettingsFile(path: path, snapshot: snapshot)
    }

    private final class KeyRecorder: Sendable {
        private let keys = Mutex<[String]>([])

        func add(_ key: String) { keys.withLock { $0.append(key) } }

        /// Sorted, so that the same file always gives the same message.
        var all: [String] { keys.withLock { $0.sorted() } }
    }
}
