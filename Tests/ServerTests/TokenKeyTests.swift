import Platform
import Store
import Testing
import server

struct TokenKeyTests {
    private static func statistics(_ keys: Int, failures: Int = 0, _ problem: String? = nil) -> TokenStatistics {
        TokenStatistics(keys: keys, keySetLoads: 3, keySetFailures: failures, keySetProblem: problem)
    }

    @Test func `each thing is said once, when it begins and when it ends`() {
        var news = TokenKeyNews()
        #expect(news.note(Self.statistics(2)).isEmpty)
        #expect(news.note(Self.statistics(2, "gone")) == [.unusable("gone")])
        #expect(news.note(Self.statistics(2, "gone")).isEmpty)
        #expect(news.note(Self.statistics(2, "damaged")) == [.unusable("damaged")])
        #expect(news.note(Self.statistics(0)) == [.usable, .withoutKeys])
        #expect(news.note(Self.statistics(0)).isEmpty)
        #expect(news.note(Self.statistics(1)) == [.withKeys(1)])
        #expect(news.note(Self.statistics(3)).isEmpty)
    }

    @Test func `the metrics tell a file that cannot be used from one without keys`() {
        let registry = MetricsRegistry()
        let current = Guarded(Self.statistics(2))
        TokenMetrics.register(in: registry) { current.withLock { $0 } }
        #expect(registry.render().contains("pathlight_token_keys 2\n"))
        #expect(registry.render().contains("pathlight_token_key_set_degraded 0\n"))
        current.withLock { $0 = Self.statistics(2, failures: 1, "gone") }
        let degraded = registry.render()
        #expect(degraded.contains("pathlight_token_key_set_degraded 1\n"))
        #expect(degraded.contains(#"pathlight_token_key_set_reads{outcome="failed"} 1"#))
        current.withLock { $0 = Self.statistics(0) }
        #expect(registry.render().contains("pathlight_token_keys 0\n"))
        #expect(registry.render().contains("pathlight_token_key_set_degraded 0\n"))
    }

    @Test func `nothing is shown where no keys are configured`() {
        let registry = MetricsRegistry()
        TokenMetrics.register(in: registry) { nil }
        #expect(!registry.render().contains("pathlight_token"))
    }
}
