import Testing
import server

/// What administrators are shown of the settings.
struct SettingValueTests {
    private func values(
        _ environment: [String: String] = [:], yaml: String = "", overrides: SettingsOverrides = SettingsOverrides()
    ) throws -> [SettingKey: SettingValue] {
        let loaded = try ServiceSettings.load(environment: environment, yaml: yaml, overrides: overrides)
        #expect(loaded.values.map(\.key) == SettingKey.allCases, "every setting, in order, once")
        return Dictionary(uniqueKeysWithValues: loaded.values.map { ($0.key, $0) })
    }

    @Test func `defaults are told as they would be written`() throws {
        let values = try values()
        #expect(values.values.allSatisfy { !$0.isSet })
        let expected: [SettingKey: String?] = [
            .port: "8080", .host: "127.0.0.1", .logLevel: "info", .logFormat: "text", .requestSeconds: "30",
            .remoteDeadline: "1.5", .drainSeconds: "0", .signUp: "true", .trustedProxy: nil, .concurrentRequests: nil,
            .addressRate: nil, .mailSecurity: "starttls", .outboundAllowedPrivate: nil, .indexMemory: "full",
            .retentionSessions: "365", .tokenUserClaim: "sub", .tracingURL: nil,
        ]
        for (key, value) in expected { #expect(values[key]?.value == value, "\(key.rawValue)") }
    }

    @Test func `the later source wins and is named`() throws {
        var overrides = SettingsOverrides()
        overrides.port = 3
        let variables = ["PATHLIGHT_PORT": "1", "LOG_LEVEL": "debug", "PATHLIGHT_CACHE_ENTRIES": "7"]
        let values = try values(variables, yaml: "port: 2\ncache_entries: 8", overrides: overrides)
        #expect(values[.port] == SettingValue(key: .port, value: "3", source: "command line"))
        #expect(values[.cacheEntries] == SettingValue(key: .cacheEntries, value: "8", source: "pathlight.yaml"))
        #expect(values[.logLevel] == SettingValue(key: .logLevel, value: "debug", source: "environment"))
    }

    @Test func `secrets and what stands before an address's host are not shown`() throws {
        let values = try values([
            "OPENAI_API_KEY": "sk-hidden", "GEMINI_API_KEY": "hidden", "DATABASE_URL": "postgres://u:hidden@h/d",
            "PATHLIGHT_OUTBOUND_PROXY": "http://name:hidden@proxy.example.org:3128",
        ])
        for key in [SettingKey.openAIKey, .geminiKey, .databaseURL] {
            #expect(values[key]?.isSet == true && values[key]?.value == nil)
        }
        #expect(values[.outboundProxy]?.value == "http://proxy.example.org:3128")
        #expect(!"\(values)".contains("hidden"))
    }
}
