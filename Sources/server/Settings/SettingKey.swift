/// The settings by name: `limits.body_bytes` in the file, `PATHLIGHT_LIMITS_BODY_BYTES` in the environment.
package enum SettingKey: String, CaseIterable, Sendable {
    case host
    case port
    case data
    case models
    case model
    case databaseURL = "database_url"
    case logLevel = "log.level"
    case logFormat = "log.format"
    case bodyBytes = "limits.body_bytes"
    case listItems = "limits.list_items"
    case stringBytes = "limits.string_bytes"
    case headerSeconds = "timeouts.header_seconds"
    case bodySeconds = "timeouts.body_seconds"
    case idleSeconds = "timeouts.idle_seconds"
    case writeSeconds = "timeouts.write_seconds"
    case requestSeconds = "timeouts.request_seconds"
    case shutdownSeconds = "timeouts.shutdown_seconds"
    case maxConnections = "max_connections"
    case topNMaximum = "top_n_maximum"
    case cacheEntries = "cache_entries"
    case indexMemory = "index.memory"
    case precision = "embedding.precision"
    case queueTokens = "embedding.queue_tokens"
    case queueTexts = "embedding.queue_texts"
    case batchTokens = "embedding.batch_tokens"
    case trustedProxy = "trusted_proxy"

    package var components: [String] { rawValue.split(separator: ".").map(String.init) }

    package var environmentName: String {
        "PATHLIGHT_" + rawValue.replacing(".", with: "_").uppercased()
    }

    /// A variable that other tools set as well, read where the service's own is absent.
    package var sharedEnvironmentName: String? {
        switch self {
        case .databaseURL: "DATABASE_URL"
        case .logLevel: "LOG_LEVEL"
        default: nil
        }
    }
}
