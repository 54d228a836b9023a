import Foundation
import Platform
import Store
import Testing

/// Deadlines that hold whatever store, provider and other callers do, and what they say of the provider.
@Suite(.timeLimit(.minutes(1)))
struct LLMDeadlineTests {
    // MARK: A store that hangs

    /// Somebody's call waits for its row before it has a slot, nobody's for its money.
    @Test(arguments: [nil, "ada"] as [String?])
    func `a call that cannot set its money aside ends at its deadline and blames nobody`(user: String?) async throws {
        let database = try await WatchedDatabase.migrated()
        let test = try await LLMTestGateway([], then: LLMTestReply.openAI("ok"), on: database) {
            $0.breakerFailures = 1
        }
        let (gateway, request) = (test.gateway, test.request(user: user))
        database.hold()
        let call = Task { try await gateway.text(request) }
        await database.waitForHeld(1)
        test.clock.advance(by: .seconds(25))
        await expectLLMError(.timedOut) { try await call.value }
        // The lock is free again: what was still to be set aside is, and is given back.
        database.release()
        await gateway.settled()
        #expect(test.transport.requests.isEmpty && test.payments.isEmpty)
        #expect(gateway.statistics.breaker == .closed && gateway.statistics.underWay == 0)
        let state = try await gateway.budget.state()
        #expect(state.reserved == 0 && state.spent == 0)
        #expect(try await LLMUsageRepository(database).total(of: "2026-02-26").total.calls == 0)
        #expect(try await gateway.text(request).value == "ok")
        try await test.close()
    }

    @Test func `an answer that came is given at the deadline, though its cost is still to be written`() async throws {
        let database = try await WatchedDatabase.migrated()
        let test = try await LLMTestGateway([.hold], then: LLMTestReply.openAI("ok"), on: database)
        let (gateway, request) = (test.gateway, test.request(cached: true))
        let call = Task { try await gateway.text(request) }
        await test.transport.waitForRequests(1)
        database.hold()
        test.transport.open()
        // The account and the reply for the next who asks.
        await database.waitForHeld(2)
        #expect(gateway.statistics.underWay == 0)
        test.clock.advance(by: .seconds(25))
        #expect(try await call.value.value == "ok")
        #expect(try await gateway.budget.state().spent == 0)
        database.release()
        await gateway.settled()
        let state = try await gateway.budget.state()
        #expect(state.reserved == 0 && state.spent == test.payments[0].cost && state.spent > 0)
        #expect(test.unaccounted == 0)
        #expect(try await gateway.text(request).isCached)
        try await test.close()
    }

    @Test func `who gives up while the store hangs is let go at once`() async throws {
        let database = try await WatchedDatabase.migrated()
        let test = try await LLMTestGateway([], then: LLMTestReply.openAI("ok"), on: database)
        let (gateway, request) = (test.gateway, test.request())
        database.hold()
        let call = Task { try await gateway.text(request) }
        await database.waitForHeld(1)
        call.cancel()
        await expectLLMError(.cancelled) { try await call.value }
        database.release()
        await gateway.settled()
        #expect(test.transport.requests.isEmpty && gateway.statistics.underWay == 0)
        #expect(try await gateway.budget.state().reserved == 0)
        try await test.close()
    }

    // MARK: Whose fault it is

    /// Calls that the provider leaves unanswered, one after the other.
    private func leaveUnanswered(_ numbers: ClosedRange<Int>, seconds: Double, _ test: LLMTestGateway) async {
        var request = test.request()
        request.deadline = .seconds(seconds)
        for number in numbers {
            let (gateway, call) = (test.gateway, request)
            let answer = Task { try await gateway.text(call) }
            await test.transport.waitForRequests(number)
            test.clock.advance(by: .seconds(seconds))
            await expectLLMError(.timedOut) { try await answer.value }
            await gateway.settled()
        }
    }

    @Test func `callers in a hurry do not take the provider from the others`() async throws {
        let test = try await LLMTestGateway(Array(repeating: .hold, count: 10), then: LLMTestReply.openAI("ok"))
        await leaveUnanswered(1...10, seconds: 0.1, test)
        #expect(test.gateway.statistics.breaker == .closed)
        test.transport.open()
        #expect(try await test.gateway.text(test.request()).value == "ok")
        try await test.close()
    }

    @Test func `a provider that had its time and did not answer is left alone`() async throws {
        let test = try await LLMTestGateway(Array(repeating: .hold, count: 5))
        await leaveUnanswered(1...4, seconds: 5, test)
        #expect(test.gateway.statistics.breaker == .closed)
        await leaveUnanswered(5...5, seconds: 5, test)
        #expect(test.gateway.statistics.breaker == .open)
        try await test.close()
    }

    // MARK: The line

    @Test func `who cannot be answered in time leaves the line to those who can`() async throws {
        let test = try await LLMTestGateway(Array(repeating: .hold, count: 9), then: LLMTestReply.openAI("ok")) {
            $0.concurrency = 1
        }
        var request = test.request()
        request.deadline = .milliseconds(2500)
        let (gateway, call) = (test.gateway, request)
        func begin() -> Task<Result<String, LLMError>, Never> {
            Task {
                do throws(LLMError) { return .success(try await gateway.text(call).value) } catch {
                    return .failure(error)
                }
            }
        }
        // One call shows that an answer takes a second.
        let first = begin()
        await test.transport.waitForRequests(1)
        test.clock.advance(by: .seconds(1))
        test.transport.open()
        #expect(await first.value == .success("ok"))
        test.transport.shut()
        // Three at once: the second can be answered two seconds from now, the third not before its deadline.
        let second = begin()
        await test.transport.waitForRequests(2)
        let third = begin()
        while gateway.statistics.waiting == 0 { await Task.yield() }
        #expect(await begin().value == .failure(.busy))
        test.clock.advance(by: .seconds(1))
        test.transport.open()
        #expect(await second.value == .success("ok"))
        #expect(await third.value == .success("ok"))
        #expect(test.transport.requests.count == 3 && gateway.statistics.breaker == .closed)
        try await test.close()
    }

    @Test func `a turn that comes too late is passed on`() async throws {
        let test = try await LLMTestGateway(Array(repeating: .hold, count: 9), then: LLMTestReply.openAI("ok")) {
            $0.concurrency = 1
        }
        let gateway = test.gateway
        func begin(_ seconds: Double) -> Task<Result<String, LLMError>, Never> {
            var request = test.request()
            request.deadline = .seconds(seconds)
            let call = request
            return Task {
                do throws(LLMError) { return .success(try await gateway.text(call).value) } catch {
                    return .failure(error)
                }
            }
        }
        // Nothing is known of the provider yet, so that everybody waits.
        let first = begin(20)
        await test.transport.waitForRequests(1)
        let hurried = begin(4)
        while gateway.statistics.waiting < 1 { await Task.yield() }
        let patient = begin(20)
        while gateway.statistics.waiting < 2 { await Task.yield() }
        test.clock.advance(by: .seconds(3))
        test.transport.open()
        #expect(await first.value == .success("ok"))
        // An answer took three seconds; one is left.
        #expect(await hurried.value == .failure(.busy))
        #expect(await patient.value == .success("ok"))
        #expect(test.transport.requests.count == 2)
        try await test.close()
    }

    @Test func `the pace follows what calls take, and is not taken in by those that were cut short`() {
        var pace = CallPace()
        #expect(pace.mean == nil && !pace.isTooLate(after: .seconds(100), of: .seconds(1)))
        pace.note(.seconds(10), isWhole: false)
        #expect(pace.mean == .seconds(10))
        pace.note(.seconds(1), isWhole: false)
        #expect(pace.mean == .seconds(10))
        pace.note(.seconds(20), isWhole: false)
        #expect(pace.mean == .seconds(12))
        pace.note(.seconds(2), isWhole: true)
        #expect(pace.mean == .seconds(10))
        #expect(pace.isTooLate(after: .seconds(8), of: .seconds(15)))
        #expect(!pace.isTooLate(after: .seconds(8), of: .seconds(18)))
        // Who has most of its time yet may be briefer than the others.
        #expect(!pace.isTooLate(after: .seconds(1), of: .seconds(3)))
    }
}
