import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing
import server

/// Where the time of requests for recommendations goes, in `/metrics`.
struct StageMetricsTests {
    private static let abilities = #"{"abilities":[9,9,9,9,9,1,1,1,1,1,1,1,1,1,1]}"#

    /// How often each stage was measured.
    private func counts(_ registry: MetricsRegistry) -> [String: String] {
        var counts: [String: String] = [:]
        for line in registry.render().split(separator: "\n") {
            guard let match = line.wholeMatch(of: /pathlight_stage_duration_seconds_count\{stage="(\w+)"\} (\d+)/)
            else { continue }
            counts[String(match.1)] = String(match.2)
        }
        return counts
    }

    @Test func `each stage that a request has is measured once, a batch as one`() async throws {
        let test = try await AccessTestService(isExposed: false)
        let registry = test.service.http.registry
        #expect(counts(registry) == ["embed": "0", "search": "0", "explain": "0", "store": "0"])
        try await test.run { client, _ in
            let single = try await client.send(.post, "/api/results/recommend", Self.abilities)
            #expect(single.status == .ok)
            // There is no model, so nothing is embedded.
            #expect(counts(registry) == ["embed": "0", "search": "1", "explain": "1", "store": "1"])
            let requests = #"{"requests":[\#(Self.abilities),\#(Self.abilities)]}"#
            #expect(try await client.send(.post, "/api/recommend/batch", requests).status == .ok)
            #expect(counts(registry) == ["embed": "0", "search": "2", "explain": "2", "store": "1"])
            #expect(try await client.send(.post, "/api/results/recommend", "{}").status == .unprocessableContent)
            #expect(counts(registry) == ["embed": "0", "search": "2", "explain": "2", "store": "1"])
        }
    }
}
