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
    case concurrentRequests = "limits.concurrent_requests"
    case addressRate = "limits.address.requests_per_second"
    case addressBurst = "limits.address.burst"
    case keyRate = "limits.key.requests_per_second"
    case keyBurst = "limits.key.burst"
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
    case remoteDeadline = "embedding.remote_seconds"
    case trustedProxy = "trusted_proxy"
    case publicURL = "public_url"
    case mailHost = "mail.smtp.host"
    case mailPort = "mail.smtp.port"
    case mailUser = "mail.smtp.user"
    case mailPasswordFile = "mail.smtp.password_file"
    case mailSecurity = "mail.smtp.security"
    case mailAuthorities = "mail.smtp.ca_file"
    case mailTimeout = "mail.smtp.timeout_seconds"
    case mailFrom = "mail.from"
    case mailFolder = "mail.folder"
    case signUp = "auth.sign_up"
    case tokenSecretFile = "auth.jwt.secret_file"
    case tokenKeysFile = "auth.jwt.jwks_file"
    case tokenIssuer = "auth.jwt.issuer"
    case tokenAudience = "auth.jwt.audience"
    case tokenUserClaim = "auth.jwt.user_claim"
    case tokenRoleClaim = "auth.jwt.role_claim"
    case drainSeconds = "timeouts.drain_seconds"
    case outboundAllowedPrivate = "outbound.allowed_private"
    case outboundAuthorities = "outbound.ca_file"
    case outboundProxy = "outbound.proxy"
    case outboundConnectSeconds = "outbound.connect_timeout_seconds"
    case llmProvider = "llm.provider"
    case openAIKey = "llm.openai_api_key"
    case openAIBaseURL = "llm.openai_base_url"
    case openAIModel = "llm.openai_model"
    case openAIEmbeddingModel = "llm.openai_embedding_model"
    case geminiKey = "llm.gemini_api_key"
    case geminiBaseURL = "llm.gemini_base_url"
    case geminiModel = "llm.gemini_model"
    case geminiEmbeddingModel = "llm.gemini_embedding_model"
    case llmMaxTokens = "llm.max_tokens"
    case llmDailyBudget = "llm.daily_budget_usd"
    case llmPrices = "llm.prices"
    case llmConcurrency = "llm.concurrency"
    case llmMaxWaiting = "llm.max_waiting"
    case llmTimeout = "llm.timeout_seconds"
    case llmAttemptTimeout = "llm.attempt_seconds"
    case llmAttempts = "llm.attempts"
    case llmBreakerFailures = "llm.breaker_failures"
    case llmBreakerPause = "llm.breaker_seconds"
    case llmCacheSeconds = "llm.cache_seconds"
    case llmCacheEntries = "llm.cache_entries"
    case llmCacheStoredEntries = "llm.cache_stored_entries"
    case llmMaxReplyBytes = "llm.max_reply_bytes"
    case llmPrompts = "llm.prompts"
    case taskConcurrency = "tasks.concurrency"
    case taskLease = "tasks.lease_seconds"
    case retentionSessions = "retention.sessions_days"
    case retentionAnonymousSessions = "retention.anonymous_sessions_days"
    case retentionIdempotency = "retention.idempotency_hours"
    case retentionMailLog = "retention.mail_log_days"
    case retentionLLMUsage = "retention.llm_usage_days"
    case retentionSignInAttempts = "retention.sign_in_attempts_days"
    case monitorFolder = "monitor.folder"
    case monitorStudentsFile = "monitor.students_file"
    case monitorSchedule = "monitor.schedule"
    case monitorStudentDays = "monitor.student_days"
    case monitorCourseDays = "monitor.course_days"
    case monitorModelCalls = "monitor.model_calls"
    case monitorMarket = "monitor.market"
    case monitorLogFile = "monitor.log_file"
    case tracingURL = "tracing.url"
    case tracingEvery = "tracing.every"
    case tracingTrustCaller = "tracing.trust_caller"
    case tracingHeaderFile = "tracing.header_file"

    package var components: [String] { rawValue.split(separator: ".").map(String.init) }

    package var environmentName: String {
        "PATHLIGHT_" + rawValue.replacing(".", with: "_").uppercased()
    }

    /// Variables that other tools set as well, read in this order where the service's own is absent.
    package var sharedEnvironmentNames: [String] {
        switch self {
        case .databaseURL: ["DATABASE_URL"]
        case .logLevel: ["LOG_LEVEL"]
        case .openAIKey: ["OPENAI_API_KEY", "OPENAI_KEY", "OPENAPI_KEY"]
        case .openAIBaseURL: ["OPENAI_BASE_URL"]
        case .openAIModel: ["OPENAI_MODEL"]
        case .llmMaxTokens: ["OPENAI_MAX_TOKENS"]
        case .geminiKey: ["GEMINI_API_KEY"]
        case .geminiBaseURL: ["GEMINI_BASE_URL"]
        case .geminiModel: ["GEMINI_MODEL"]
        default: []
        }
    }

    /// Whether its value is never shown.
    var isSecret: Bool { [.databaseURL, .openAIKey, .geminiKey].contains(self) }
}
