package import Embedder
package import Logging
package import Platform
package import VectorIndex

/// Everything that can be set, read once at the start.
package struct ServiceSettings: Sendable, Equatable {
    package enum LogFormat: String, Sendable, CaseIterable {
        case text
        case json
    }

    package struct Timeouts: Sendable, Equatable {
        /// From the opening of a connection to the end of its first request's head.
        package var header = Duration.seconds(10)
        /// From the end of a head to the end of its body.
        package var body = Duration.seconds(20)
        /// Without any request on an open connection.
        package var idle = Duration.seconds(75)
        /// With a reply that the client does not read.
        package var write = Duration.seconds(30)
        /// From a request's head to its answer.
        package var request = Duration.seconds(30)
        /// From SIGTERM to the closing of the port, while `/readyz` says that the service is about to go.
        package var drain = Duration.zero
        /// From the closing of the port to the cancellation of what is still under way.
        package var shutdown = Duration.seconds(10)

        package init() {}
    }

    package var host = "127.0.0.1"
    /// 0 takes any free port.
    package var port = 8080
    package var dataDirectory = "./data"
    package var modelsDirectory = "./models"
    /// The folder in `modelsDirectory` that embeds texts.
    package var model = DefaultModel.base
    /// What the encoder computes in.
    package var precision = EncoderPrecision.int8
    package var databaseURL: String?
    package var logLevel = Logger.Level.info
    package var logFormat = LogFormat.text
    package var limits = FieldLimits()
    package var timeouts = Timeouts()
    package var maxConnections = 1024
    /// The largest `top_n` that a request may ask for.
    package var topNMaximum = 100
    /// Texts whose embeddings are kept in memory.
    package var cacheEntries = 10_000
    /// Where the float32 rows of the index are.
    package var indexMemory = IndexMemory.full
    /// How many texts may wait to be embedded, and how many are embedded together.
    package var embedding = EmbeddingQueue.Limits()
    /// How long a request waits for the vectors of its texts where a model outside makes them.
    package var remoteDeadline = Duration.milliseconds(1_500)
    /// The address of a proxy that ends TLS in front of the service, or several, or networks, separated by commas.
    package var trustedProxy: String?
    /// The address under which people reach the service, for links in mail; nil makes no such links.
    package var publicURL: String?
    package var mail = MailSettings()
    package var outbound = OutboundSettings()
    package var llm = LLMSettings()
    /// The operator's own texts of prompts; nil for none.
    package var promptFolder: String?
    package var retention = RetentionRules()
    /// How many tasks run at a time, and how long others leave a task that this process holds.
    package var tasks = TaskWorker.Settings()
    package var monitor = MonitorOptions()
    package var requestLimits = RequestLimits()
    package var tokens = TokenOptions()
    package var tracing = TracingSettings()
    /// Whether people may make accounts for themselves.
    package var allowsSignUp = true

    package init() {}

    /// The file that the index is kept in, beside the database.
    package var indexPlace: IndexPlace {
        IndexPlace(path: dataDirectory + "/careers.index", memory: indexMemory)
    }

    /// Whether requests may come from other machines: because the service listens beyond loopback, or because a proxy
    /// hands them on to it.
    package var isExposed: Bool { !Self.isLoopback(host) || trustedProxy != nil }

    /// Whether `host` can be reached from this machine alone.
    package static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { part in (1...3).contains(part.count) && UInt8(part) != nil }
    }
}
