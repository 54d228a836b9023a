/// Why the settings cannot be used; the command ends with `exitCode`.
package enum SettingsError: Error, Equatable, CustomStringConvertible {
    /// EX_CONFIG of sysexits.
    package static let exitCode: Int32 = 78

    case unreadableFile(path: String, reason: String)
    case malformedFile(path: String, reason: String)
    case unknownKey(key: String, file: String, hint: String)
    case invalidValue(key: String, source: String, value: String, expected: String)
    case beyondLoopback(host: String)
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
        case .queueBelowText(let tokens, let stringBytes):
            "`embedding.queue_tokens` is \(tokens), and a text of \(stringBytes) bytes, which `limits.string_bytes` "
                + "allows, may have \(stringBytes / 2) tokens and would never fit; raise the former to "
                + "\(stringBytes / 2) at least, or lower the latter to \(tokens * 2) at most"
        }
    }
}
