import Embedder
import Engine
import Foundation
import Logging
import Platform
import VectorIndex

extension ServiceSettings {
    /// Where a settings file is looked for when none is named.
    package static let defaultFile = "pathlight.yaml"

    /// Settings, and what looks like a mistake but stops nothing.
    package struct Loaded: Sendable {
        package let settings: ServiceSettings
        /// One sentence each, for the log.
        package let warnings: [String]
        /// Every setting, with where its value comes from.
        package let values: [SettingValue]
    }

    /// Reads the settings: defaults, then `PATHLIGHT_*` variables, then the file, then flags; the later wins.
    ///
    /// - Parameter file: a settings file that must exist; nil takes `pathlight.yaml` of the working directory, if
    ///   there is one.
    /// - Throws: `SettingsError`
    package static func load(
        environment: [String: String] = ProcessInfo.processInfo.environment, file: String? = nil,
        overrides: SettingsOverrides = SettingsOverrides()
    ) throws -> Loaded {
        let file = try SettingsFile.read(file ?? defaultFile, isRequired: file != nil)
        return try load(environment: environment, file: file, overrides: overrides)
    }

    /// As `load`, with the file's text in place of its path.
    package static func load(
        environment: [String: String], yaml: String, overrides: SettingsOverrides = SettingsOverrides()
    ) throws -> Loaded {
        let file = try SettingsFile.parse(yaml, path: defaultFile)
        return try load(environment: environment, file: file, overrides: overrides)
    }

    private static func load(
        environment: [String: String], file: SettingsFile?, overrides: SettingsOverrides
    ) throws -> Loaded {
        let reader = SettingsReader(environment: environment, file: file, overrides: overrides)
        var settings = ServiceSettings()
        try reader.read(.host, into: &settings.host)
        try reader.read(.port, into: &settings.port, in: 0...65535)
        try reader.read(.data, into: &settings.dataDirectory)
        try reader.read(.models, into: &settings.modelsDirectory)
        settings.model = DefaultModel.installed(in: settings.modelsDirectory)
        try reader.read(.model, into: &settings.model)
        try reader.read(.precision, into: &settings.precision)
        try reader.read(.databaseURL, into: &settings.databaseURL)
        try reader.read(.logLevel, into: &settings.logLevel)
        try reader.read(.logFormat, into: &settings.logFormat)
        try reader.read(.bodyBytes, into: &settings.limits.bodyBytes, in: 1024...(1 << 30))
        try reader.read(.listItems, into: &settings.limits.listCount, in: 1...1_000_000)
        try reader.read(.stringBytes, into: &settings.limits.stringBytes, in: 16...(1 << 24))
        try reader.read(.headerSeconds, into: &settings.timeouts.header)
        try reader.read(.bodySeconds, into: &settings.timeouts.body)
        try reader.read(.idleSeconds, into: &settings.timeouts.idle)
        try reader.read(.writeSeconds, into: &settings.timeouts.write)
        try reader.read(.requestSeconds, into: &settings.timeouts.request)
        try reader.read(.shutdownSeconds, into: &settings.timeouts.shutdown)
        try reader.readPause(.drainSeconds, into: &settings.timeouts.drain)
        try reader.read(.maxConnections, into: &settings.maxConnections, in: 1...65536)
        try reader.read(.topNMaximum, into: &settings.topNMaximum, in: 1...10_000)
        try reader.read(.cacheEntries, into: &settings.cacheEntries, in: 0...10_000_000)
        try reader.read(.indexMemory, into: &settings.indexMemory)
        // One request of the longest text must fit, and the free answers of a quiz with it.
        try reader.read(.queueTokens, into: &settings.embedding.tokens, in: 16_384...100_000_000)
        try reader.read(.queueTexts, into: &settings.embedding.texts, in: 64...10_000_000)
        try reader.read(.batchTokens, into: &settings.embedding.batchTokens, in: 1...65_536)
        try reader.read(.remoteDeadline, into: &settings.remoteDeadline)
        try reader.readProxies(.trustedProxy, into: &settings.trustedProxy)
        try reader.readPublicURL(.publicURL, into: &settings.publicURL)
        try reader.read(into: &settings.mail)
        try reader.read(into: &settings.outbound)
        try reader.read(into: &settings.llm)
        try reader.read(.llmPrompts, into: &settings.promptFolder)
        try reader.read(into: &settings.retention)
        try reader.read(into: &settings.tracing)
        try reader.read(into: &settings.tasks)
        try reader.read(into: &settings.monitor)
        try reader.read(.concurrentRequests, into: &settings.requestLimits.concurrentRequests, in: 1...100_000)
        try reader.readRate(.addressRate, into: &settings.requestLimits.address.perSecond)
        try reader.read(.addressBurst, into: &settings.requestLimits.address.burst, in: TokenBucket.Rate.burstRange)
        try reader.readRate(.keyRate, into: &settings.requestLimits.key.perSecond)
        try reader.read(.keyBurst, into: &settings.requestLimits.key.burst, in: TokenBucket.Rate.burstRange)
        try reader.read(.signUp, into: &settings.allowsSignUp)
        try reader.read(.tokenSecretFile, into: &settings.tokens.secretFile)
        try reader.read(.tokenKeysFile, into: &settings.tokens.jwksFile)
        try reader.read(.tokenIssuer, into: &settings.tokens.issuer)
        try reader.read(.tokenAudience, into: &settings.tokens.audience)
        try reader.read(.tokenUserClaim, into: &settings.tokens.userClaim)
        try reader.read(.tokenRoleClaim, into: &settings.tokens.roleClaim)
        guard isLoopback(settings.host) || settings.trustedProxy != nil else {
            throw SettingsError.beyondLoopback(host: settings.host)
        }
        // A text is cut into pieces of 500 characters at least and 256 tokens at most (`TextPieces`).
        guard settings.embedding.tokens >= settings.limits.stringBytes / 2 else {
            throw SettingsError.queueBelowText(
                tokens: settings.embedding.tokens, stringBytes: settings.limits.stringBytes)
        }
        return Loaded(
            settings: settings, warnings: unknownVariables(in: environment), values: reader.journal.values)
    }

    /// Variables that look like the service's own and set nothing. They are no error, because a shell may hold
    /// those of a newer version.
    private static func unknownVariables(in environment: [String: String]) -> [String] {
        let known = SettingKey.allCases.map(\.environmentName)
        // Read by the build and the tests.
        let others =
            ["PATHLIGHT_CORE_ONLY", "PATHLIGHT_SHARED_DATA", "PATHLIGHT_TEST_SEED"] + EncryptionSettings.variables
        return environment.keys.sorted().compactMap { name in
            guard name.hasPrefix("PATHLIGHT_"), !known.contains(name), !others.contains(name) else { return nil }
            return "the variable `\(excerpt(of: name))` sets nothing\(NearestName.hint(for: name, among: known))"
        }
    }
}
