import Foundation
import Platform
import Store
import Testing

extension LLMTestGateway {
    /// One that has answered four times for 1,000,000 billionths each, of the day's 5,000,000.
    static func nearlySpent() async throws -> LLMTestGateway {
        let price = ModelPrice(input: 1_000_000, output: 1_000_000)
        let test = try await LLMTestGateway([], then: LLMTestReply.openAI("ok", input: 100, output: 900)) {
            $0.prices = PriceTable(prices: [:], fallback: price)
            $0.dailyBudget = 5_000_000
        }
        for _ in 0..<4 { _ = try await test.gateway.text(test.request()) }
        return test
    }
}

/// The day's money as the gateway spends it.
struct LLMBudgetTests {
    /// What one call can cost at most: some 700 tokens in at $1 and 1000 out at $1 a million.
    private let table = PriceTable(prices: [:], fallback: ModelPrice(input: 1_000_000, output: 1_000_000))

    @Test func `over budget nobody is asked`() async throws {
        let test = try await LLMTestGateway([]) { $0.dailyBudget = 0 }
        await expectLLMError(.overBudget(limitNanodollars: 0)) { try await test.gateway.text(test.request()) }
        #expect(test.transport.requests.isEmpty && test.outcomes == ["over_budget"])
        try await test.close()
    }

    @Test func `a call that could pass the limit is not made`() async throws {
        let test = try await LLMTestGateway([]) { $0.dailyBudget = 1000 }
        await expectLLMError(.overBudget(limitNanodollars: 1000)) { try await test.gateway.text(test.request()) }
        #expect(test.transport.requests.isEmpty)
        #expect(try await test.gateway.budget.state().reserved == 0)
        try await test.close()
    }

    @Test func `that the budget is used up is known from the first refusal until the limit is higher`() async throws {
        let table = table
        let test = try await LLMTestGateway([], then: LLMTestReply.openAI("ok", input: 100, output: 900)) {
            $0.prices = table
            $0.dailyBudget = 1000
        }
        let (budget, limits) = (test.gateway.budget, LLMBudgetRepository(test.database))
        func isUsedUp() async throws -> Bool { budget.isUsedUp(try await budget.state()) }
        #expect(try await isUsedUp() == false)
        await expectLLMError(.overBudget(limitNanodollars: 1000)) { try await test.gateway.text(test.request()) }
        #expect(try await isUsedUp())
        // Another process, or this one after a restart, has it from the database.
        let other = LLMBudget(
            test.database, dailyLimit: 1000, usualCost: budget.usualCost, time: test.clock.time)
        let state = try await other.state()
        #expect(other.isUsedUp(state))
        try await limits.setLimit(2_000_000, now: test.clock.time.date())
        #expect(try await isUsedUp() == false, "raised")
        _ = try await test.gateway.text(test.request())
        // 1,000,000 are left, and a call may cost more.
        await expectLLMError(.overBudget(limitNanodollars: 2_000_000)) { try await test.gateway.text(test.request()) }
        #expect(try await isUsedUp())
        test.clock.advance(by: .seconds(86_400))
        #expect(try await isUsedUp() == false, "another day")
        _ = try await test.gateway.text(test.request())
        #expect(try await isUsedUp() == false)
        try await limits.setLimit(1_000_000, now: test.clock.time.date())
        #expect(try await isUsedUp(), "spent to the last cent")
        try await test.close()
    }

    @Test func `that one call asks for more than is left does not use the day up`() async throws {
        let table = table
        let test = try await LLMTestGateway([], then: LLMTestReply.openAI("ok", input: 100, output: 900)) {
            $0.prices = table
            $0.dailyBudget = 8_000_000
        }
        let budget = test.gateway.budget
        func isUsedUp() async throws -> Bool { budget.isUsedUp(try await budget.state()) }
        // 4000 tokens in and 1000 out.
        #expect(budget.usualCost == 5_000_000)
        var large = test.request()
        large.maximumOutputTokens = 100_000
        for _ in 0..<2 {
            await expectLLMError(.overBudget(limitNanodollars: 8_000_000)) { try await test.gateway.text(large) }
        }
        #expect(try await isUsedUp() == false)
        #expect(try await budget.state().wasUsedUp == false)
        for _ in 0..<4 { _ = try await test.gateway.text(test.request()) }
        #expect(try await isUsedUp() == false, "no call was refused for what others cost")
        #expect(test.alerts.isEmpty)
        await expectLLMError(.overBudget(limitNanodollars: 8_000_000)) { try await test.gateway.text(large) }
        #expect(try await isUsedUp(), "others may be refused as well")
        #expect(test.alerts == [100])
        try await test.close()
    }

    @Test func `calls at once do not spend more than there is`() async throws {
        let table = table
        let test = try await LLMTestGateway([], then: LLMTestReply.openAI("ok", input: 100, output: 1000)) {
            $0.prices = table
            $0.dailyBudget = 10_000_000
        }
        let (gateway, request) = (test.gateway, test.request())
        let outcomes = await withTaskGroup(of: String.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    do throws(LLMError) { return try await gateway.text(request).value } catch { return error.reason }
                }
            }
            return await group.reduce(into: [String]()) { $0.append($1) }
        }
        let state = try await gateway.budget.state()
        #expect(state.spent <= state.limit && state.reserved == 0)
        #expect(Set(outcomes) == ["ok", "over_budget"])
        // Each that was answered cost 1,100,000.
        #expect(state.spent == Int64(outcomes.count { $0 == "ok" }) * 1_100_000)
        try await test.close()
    }

    @Test func `the alerts come once, with the call that reaches them`() async throws {
        let table = table
        let test = try await LLMTestGateway.nearlySpent()
        #expect(test.alerts == [80])
        // What a provider says it used counts, also beyond what was set aside.
        let dear = try await LLMTestGateway(
            [LLMTestReply.openAI("ok", input: 50_000, output: 900)], on: test.database
        ) {
            $0.prices = table
            $0.dailyBudget = 50_000_000
        }
        _ = try await dear.gateway.text(dear.request())
        #expect(dear.alerts == [100])
        try await test.close()
    }

    @Test func `a model without a price is told once, and costs the fallback`() async throws {
        let test = try await LLMTestGateway([], then: LLMTestReply.openAI("ok", input: 1_000, output: 0)) {
            $0.openAI.model = "unheard-of"
        }
        let reply = try await test.gateway.text(test.request())
        _ = try await test.gateway.text(test.request())
        #expect(reply.cost == 2_500_000)
        let told = test.events.filter { if case .unpriced(let model) = $0 { model == "unheard-of" } else { false } }
        #expect(told.count == 1)
        try await test.close()
    }

    @Test func `a server that does not count is taken to have used what the texts have`() async throws {
        let test = try await LLMTestGateway([LLMTestReply.openAI("four", input: 0, output: 0)])
        let reply = try await test.gateway.text(test.request())
        #expect(reply.usage.inputTokens > 50 && reply.usage.outputTokens == 1)
        try await test.close()
    }

    @Test func `without a store nothing is spent`() async throws {
        let test = try await LLMTestGateway([], then: LLMTestReply.openAI("ok"))
        try await test.close()
        await expectLLMError(.storeFailed("closed")) { try await test.gateway.text(test.request()) }
        #expect(test.transport.requests.isEmpty)
    }

    @Test func `what is asked before midnight is that day's`() {
        let date = SQLTime.date(of: "2026-02-26T23:59:59.999Z") ?? Date()
        #expect(LLMBudget.day(of: date) == "2026-02-26")
        #expect(LLMBudget.day(of: date + 0.001) == "2026-02-27")
    }
}
