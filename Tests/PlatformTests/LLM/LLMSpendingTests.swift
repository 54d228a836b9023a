import Foundation
import Platform
import Store
import Testing

/// What failing exchanges cost, and that they cannot cost more than there is.
struct LLMSpendingTests {
    /// What one exchange can cost at most: 279 tokens in at $1 and 1000 out at $1 a million.
    private let table = PriceTable(prices: [:], fallback: ModelPrice(input: 1_000_000, output: 1_000_000))
    /// An answer without an answer, which is worth another try and was paid for: 1,200,000 billionths.
    private let empty = LLMTestTransport.Step.reply(
        status: 200, body: #"{"choices": [], "usage": {"prompt_tokens": 200, "completion_tokens": 1000}}"#)

    @Test(arguments: [(2_000_000, 1), (3_000_000, 2), (4_000_000, 3), (100_000_000, 4)] as [(Int64, Int)])
    func `exchanges that are paid for and come to nothing end before the limit`(limit: Int64, exchanges: Int)
        async throws
    {
        let table = table
        let test = try await LLMTestGateway([], then: empty) {
            $0.prices = table
            $0.dailyBudget = limit
        }
        let error = await #expect(throws: LLMError.self) { try await test.gateway.text(test.request()) }
        #expect(error?.reason == "bad_reply")
        #expect(test.transport.requests.count == exchanges)
        let state = try await test.gateway.budget.state()
        #expect(state.spent == Int64(exchanges) * 1_200_000 && state.spent <= limit && state.reserved == 0)
        try await test.close()
    }

    @Test func `calls at once whose exchanges come to nothing do not spend more than there is`() async throws {
        let table = table
        let test = try await LLMTestGateway([], then: empty) {
            $0.prices = table
            $0.dailyBudget = 20_000_000
            $0.breakerFailures = 1000
        }
        let (gateway, request) = (test.gateway, test.request())
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { _ = try? await gateway.text(request) } }
        }
        let state = try await gateway.budget.state()
        #expect(state.spent <= state.limit && state.reserved == 0)
        #expect(state.spent == Int64(test.transport.requests.count) * 1_200_000)
        try await test.close()
    }

    @Test(arguments: [OutboundError.Code.timedOut, .cutOff, .tooLarge, .protocolViolation, .closed, .other])
    func `an exchange whose answer never came counts as the longest one`(code: OutboundError.Code) async throws {
        let table = table
        let test = try await LLMTestGateway([], then: .fail(code)) {
            $0.prices = table
            $0.attempts = 1
        }
        _ = await #expect(throws: LLMError.self) { try await test.gateway.text(test.request()) }
        let usage = try #require(test.payments.first?.usage)
        #expect(usage.outputTokens == 1000 && usage.inputTokens > 250)
        #expect(try await test.spent() == test.payments[0].cost)
        try await test.close()
    }

    @Test(arguments: [OutboundError.Code.notConnected, .notResolved, .tls])
    func `an exchange that never began costs nothing`(code: OutboundError.Code) async throws {
        let test = try await LLMTestGateway([], then: .fail(code)) { $0.attempts = 2 }
        _ = await #expect(throws: LLMError.self) { try await test.gateway.text(test.request()) }
        #expect(test.payments.allSatisfy { $0.cost == 0 })
        #expect(try await test.spent() == 0)
        try await test.close()
    }

    @Test func `what a call that failed cost is told`() async throws {
        let test = try await LLMTestGateway([], then: empty) { $0.attempts = 1 }
        _ = await #expect(throws: LLMError.self) { try await test.gateway.text(test.request()) }
        #expect(test.payments.map(\.usage) == [LLMUsage(inputTokens: 200, outputTokens: 1000)])
        #expect(test.payments[0].provider == "openai" && test.payments[0].model == "gpt-4o-mini")
        #expect(test.payments[0].cost == 200 * 150 + 1000 * 600)
        try await test.close()
    }

    // MARK: Alerts

    @Test func `the alert that the budget is used up comes with the first call that is refused`() async throws {
        let test = try await LLMTestGateway.nearlySpent()
        #expect(test.alerts == [80])
        for _ in 0..<3 {
            await expectLLMError(.overBudget(limitNanodollars: 5_000_000)) {
                try await test.gateway.text(test.request())
            }
        }
        #expect(test.alerts == [80, 100])
        test.clock.advance(by: .seconds(86_400))
        for _ in 0..<5 { _ = try? await test.gateway.text(test.request()) }
        #expect(test.alerts == [80, 100, 80, 100])
        try await test.close()
    }

    @Test func `exchanges that may not be paid for any more alert as well`() async throws {
        let table = table
        let test = try await LLMTestGateway([], then: empty) {
            $0.prices = table
            $0.dailyBudget = 2_000_000
        }
        _ = await #expect(throws: LLMError.self) { try await test.gateway.text(test.request()) }
        #expect(test.alerts.contains(100))
        try await test.close()
    }

    // MARK: What costs nothing

    @Test func `an answer that is there is given whatever the budget says`() async throws {
        let test = try await LLMTestGateway([LLMTestReply.openAI("one")])
        let request = test.request(cached: true)
        _ = try await test.gateway.text(request)
        let broke = try await LLMTestGateway([], on: test.database) { $0.dailyBudget = 0 }
        #expect(try await broke.gateway.text(request).isCached)
        await expectLLMError(.overBudget(limitNanodollars: 0)) {
            try await broke.gateway.text(broke.request("Another question.", cached: true))
        }
        try await test.close()
    }

    @Test func `an answer that is there is given while the provider is not asked`() async throws {
        let test = try await LLMTestGateway([LLMTestReply.openAI("one")], then: .reply(status: 500, body: "")) {
            $0.attempts = 1
            $0.breakerFailures = 1
        }
        let request = test.request(cached: true)
        _ = try await test.gateway.text(request)
        _ = try? await test.gateway.text(test.request())
        #expect(test.gateway.statistics.breaker == .open)
        #expect(try await test.gateway.text(request).isCached)
        try await test.close()
    }

    @Test func `a model that costs nothing is asked without a budget`() async throws {
        let test = try await LLMTestGateway([LLMTestReply.openAI("ok")]) {
            $0.dailyBudget = 0
            $0.prices = PriceTable(
                prices: ["gpt-4o-mini": ModelPrice(input: 0, output: 0)], fallback: $0.prices.fallback)
        }
        #expect(try await test.gateway.text(test.request()).value == "ok")
        #expect(test.alerts.isEmpty)
        try await test.close()
    }

    // MARK: Who is erased

    @Test func `a call under way names nobody who was erased meanwhile`() async throws {
        let test = try await LLMTestGateway([.hold], then: LLMTestReply.openAI("about Ada", input: 100, output: 10))
        let (gateway, request) = (test.gateway, test.request(cached: true))
        let call = Task { try await gateway.text(request) }
        await test.transport.waitForRequests(1)
        let report = try await PersonErasure(test.database, cipher: PlainColumns()).erase("ada")
        #expect(report.isProven)
        test.transport.open()
        #expect(try await call.value.value == "about Ada")
        let rows = try await LLMUsageRepository(test.database).rows(of: "2026-02-26")
        #expect(rows.map(\.userID) == [nil] && rows.map(\.calls) == [1])
        #expect(try await LLMCacheRepository(test.database).count() == 0)
        #expect(try await PersonErasure(test.database, cipher: PlainColumns()).preview("ada").isEmpty)
        try await test.close()
    }

    @Test func `who is erased while their call waits for its turn stays erased`() async throws {
        let test = try await LLMTestGateway([.hold], then: LLMTestReply.openAI("ok")) { $0.concurrency = 1 }
        let (gateway, other, request) = (test.gateway, test.request(user: "eve"), test.request(cached: true))
        let first = Task { try await gateway.text(other).value }
        await test.transport.waitForRequests(1)
        let second = Task { try await gateway.text(request).value }
        while gateway.statistics.waiting == 0 { await Task.yield() }
        #expect(try await PersonErasure(test.database, cipher: PlainColumns()).erase("ada").isProven)
        test.transport.open()
        #expect(try await first.value == "ok")
        #expect(try await second.value == "ok")
        let rows = try await LLMUsageRepository(test.database).rows(of: "2026-02-26")
        #expect(rows.map(\.userID) == [nil, "eve"] && rows.map(\.calls) == [1, 1])
        #expect(try await LLMCacheRepository(test.database).count() == 0)
        #expect(try await PersonErasure(test.database, cipher: PlainColumns()).preview("ada").isEmpty)
        try await test.close()
    }

    @Test func `who is erased between an answer and its repair stays erased`() async throws {
        let schema = JSONSchema.object([.required("a", .integer(0...9))])
        // What is held answers last: with what is no JSON.
        let test = try await LLMTestGateway(
            [.hold, LLMTestReply.openAI(#"{"a": 1}"#)], then: LLMTestReply.openAI("about Ada"))
        let (gateway, request) = (test.gateway, test.request(cached: true))
        let call = Task { try await gateway.json(request, schema: schema) }
        await test.transport.waitForRequests(1)
        #expect(try await PersonErasure(test.database, cipher: PlainColumns()).erase("ada").isProven)
        test.transport.open()
        #expect(try await call.value.isRepaired)
        let rows = try await LLMUsageRepository(test.database).rows(of: "2026-02-26")
        #expect(rows.map(\.userID) == [nil] && rows.map(\.calls) == [2])
        #expect(try await LLMCacheRepository(test.database).count() == 0)
        #expect(try await PersonErasure(test.database, cipher: PlainColumns()).preview("ada").isEmpty)
        try await test.close()
    }

    @Test func `a reply in memory counts only while its row is there`() async throws {
        let test = try await LLMTestGateway([LLMTestReply.openAI("Ada is"), LLMTestReply.openAI("another")])
        let request = test.request(user: nil, cached: true)
        _ = try await test.gateway.text(request)
        #expect(try await test.gateway.text(request).isCached)
        // As erasing does where a row of nobody's names the person.
        try await test.database.write { try $0.execute("DELETE FROM llm_cache") }
        #expect(try await test.gateway.text(request).value == "another")
        #expect(test.gateway.statistics.cache.entries == 1)
        try await test.database.write { try $0.execute("DELETE FROM llm_cache") }
        try await test.gateway.purgeCache()
        #expect(test.gateway.statistics.cache.entries == 0 && test.gateway.statistics.cache.bytes == 0)
        try await test.close()
    }
}
