import Foundation
import Platform

extension SettingsReader {
    /// How the service reaches others.
    func read(into outbound: inout OutboundSettings) throws {
        try read(
            .outboundAllowedPrivate, into: &outbound.allowedPrivate,
            expected: "host names, addresses or networks separated by commas (`feeds.internal, 10.1.0.0/16`)"
        ) { text in
            let names = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            return names.isEmpty || names.contains("") ? nil : names
        }
        try read(.outboundAuthorities, into: &outbound.authorities)
        try read(.outboundProxy, into: &outbound.proxy)
        try read(.outboundConnectSeconds, into: &outbound.connectTimeout)
    }

    /// Language models: whose, at what cost, and how long to wait for them.
    func read(into llm: inout LLMSettings) throws {
        try read(.llmProvider, into: &llm.choice)
        try readSecret(.openAIKey, into: &llm.openAI.key)
        try read(.openAIBaseURL, into: &llm.openAI.baseURL)
        try read(.openAIModel, into: &llm.openAI.model)
        try read(.openAIEmbeddingModel, into: &llm.openAI.embeddingModel)
        try readSecret(.geminiKey, into: &llm.gemini.key)
        try read(.geminiBaseURL, into: &llm.gemini.baseURL)
        try read(.geminiModel, into: &llm.gemini.model)
        try read(.geminiEmbeddingModel, into: &llm.gemini.embeddingModel)
        try read(.llmMaxTokens, into: &llm.maximumOutputTokens, in: 1...1_000_000)
        try read(.llmDailyBudget, into: &llm.dailyBudget, expected: "dollars a day, as 2 or 0.50") {
            USD.nanodollars(of: $0)
        }
        try read(
            .llmPrices, into: &llm.prices,
            expected: "prices of a million tokens as `model=in/out`, separated by commas (`gpt-4o-mini=0.15/0.60`)"
        ) { [standard = llm.prices] in try? standard.adding($0).get() }
        try read(.llmConcurrency, into: &llm.concurrency, in: 1...1000)
        try read(.llmMaxWaiting, into: &llm.maximumWaiting, in: 0...100_000)
        try read(.llmTimeout, into: &llm.timeout)
        try read(.llmAttemptTimeout, into: &llm.attemptTimeout)
        try read(.llmAttempts, into: &llm.attempts, in: 1...20)
        try read(.llmBreakerFailures, into: &llm.breakerFailures, in: 1...1000)
        try read(.llmBreakerPause, into: &llm.breakerPause)
        try readCache(into: &llm.cache)
        try read(.llmMaxReplyBytes, into: &llm.maximumReplyBytes, in: 1024...(64 << 20))
    }

    /// How long what belongs to people is kept.
    func read(into rules: inout RetentionRules) throws {
        try read(.retentionSessions, into: &rules.sessionsDays, in: 1...36_500)
        try read(.retentionAnonymousSessions, into: &rules.anonymousSessionsDays, in: 1...36_500)
        try read(.retentionIdempotency, into: &rules.idempotencyHours, in: 1...8_760)
        try read(.retentionMailLog, into: &rules.mailLogDays, in: 1...36_500)
        try read(.retentionLLMUsage, into: &rules.llmUsageDays, in: 1...36_500)
        try read(.retentionSignInAttempts, into: &rules.signInAttemptsDays, in: 1...36_500)
    }

    /// How this process does tasks.
    func read(into tasks: inout TaskWorker.Settings) throws {
        try read(.taskConcurrency, into: &tasks.maximumRunning, in: 1...64)
        // A worker looks every second or so whether a third of a lease is over: less would be lost by a busy machine.
        let range = 5...3600
        try read(.taskLease, into: &tasks.lease, expected: "a whole number of seconds from 5 to 3600") { text in
            Int(text).flatMap { range.contains($0) ? .seconds($0) : nil }
        }
    }

    private func readCache(into cache: inout ResponseCache.Limits) throws {
        try read(.llmCacheSeconds, into: &cache.lifetime, expected: "a whole number of seconds; 0 keeps no reply") {
            text in
            Int(text).flatMap { (0...31_536_000).contains($0) ? .seconds($0) : nil }
        }
        try read(.llmCacheEntries, into: &cache.entries, in: 0...1_000_000)
        try read(.llmCacheStoredEntries, into: &cache.storedEntries, in: 0...100_000_000)
    }

    private func readSecret(_ key: SettingKey, into value: inout OutboundSecret?) throws {
        try read(key, into: &value, expected: "a key that is not empty") { text in
            text.isEmpty ? nil : .some(OutboundSecret(text))
        }
    }
}
