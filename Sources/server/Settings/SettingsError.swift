import Platform

/// Why the settings cannot be used; the command ends with `exitCode`.
package enum SettingsError: Error, Equatable, CustomStringConvertible {
    /// EX_CONFIG of sysexits.
    package static let exitCode: Int32 = 78

    /// What a command ends with for an error: `exitCode` where it would fail again until somebody changes settings or
    /// brings a key back, so that a service manager does not try.
    package static func exitCode(for error: any Error) -> Int32 {
        switch error {
        case is SettingsError: exitCode
        case let error as KeyRingError: error.code == .notWritten ? 1 : exitCode
        default: 1
        }
    }

    case unreadableFile(path: String, reason: String)
    case malformedFile(path: String, reason: String)
    case unknownKey(key: String, file: String, hint: String)
    case invalidValue(key: String, source: String, value: String, expected: String)
    case beyondLoopback(host: String)
    /// Other machines would reach the service, and nobody could administer it.
    case noAdminKey(host: String, dataDirectory: String)
    /// What settings name is missing, cannot be read or does not go together: a sentence that names the setting.
    case unusable(String)
    /// The longest text that a request may have would find no room in an empty queue.
    case queueBelowText(tokens: Int, stringBytes: Int)

    package var description: String {
        switch self {
        case .unreadableFile(let path, let reason):
            "cannot read \(path): \(reason)"
        case .malformedFile(let path, let reason):
            "\(path) is not a settings file: \(reason)"
        case .unknownKey(let key, let file, let hint):
            "\(file): unknown setting `\(excerpt(of: key))`\(hint)"
        case .invalidValue(let key, let source, let value, let expected):
            "\(source): `\(key)` must be \(expected), not `\(excerpt(of: value))`"
        case .beyondLoopback(let host):
            "`\(excerpt(of: host))` can be reached from other machines, and the service does not speak TLS itself; put a "
                + "proxy that does in front, and name its address as `trusted_proxy` (PATHLIGHT_TRUSTED_PROXY), or "
                + "listen on 127.0.0.1"
        case .noAdminKey(let host, let dataDirectory):
            "`\(excerpt(of: host))` can be reached from other machines, and there is no admin key yet; make one with "
                + "`pathlight keys create --role admin --data \(dataDirectory)`, keep what it prints, and start again"
        case .unusable(let problem):
            problem
        case .queueBelowText(let tokens, let stringBytes):
            "`embedding.queue_tokens` is \(tokens), and a text of \(stringBytes) bytes, which `limits.string_bytes` "
                + "allows, may have \(stringBytes / 2) tokens and would never fit; raise the former to "
                + "\(stringBytes / 2) at least, or lower the latter to \(tokens * 2) at most"
        }
    }
}
