import Platform
import Store
import Testing

/// What a provider says by `Retry-After` holds for everybody.
struct LLMRetryTests {
    private let refusal = LLMTestTransport.Step.reply(status: 429, headers: [("Retry-After", "60")], body: "{}")

    @Test func `nobody asks a provider before it wants to be asked`() async throws {
        let test = try await LLMTestGateway([refusal], then: LLMTestReply.openAI("ok"))
        for _ in 0..<3 {
            await expectLLMError(.rejected(status: 429, code: nil)) { try await test.gateway.text(test.request()) }
        }
        #expect(test.transport.requests.count == 1 && test.outcomes == Array(repeating: "rate_limited", count: 3))
        #expect(test.gateway.statistics.breaker == .closed)
        test.clock.advance(by: .seconds(60))
        #expect(try await test.gateway.text(test.request()).value == "ok")
        try await test.close()
    }

    @Test func `who has the time waits, and a little longer than it was said`() async throws {
        let test = try await LLMTestGateway([refusal], then: LLMTestReply.openAI("ok"))
        _ = try? await test.gateway.text(test.request())
        var request = test.request()
        request.deadline = .seconds(90)
        #expect(try await test.gateway.text(request).value == "ok")
        #expect(test.clock.pauses == [.milliseconds(60_250)])
        try await test.close()
    }

    @Test func `who waits for a provider leaves its slot to calls to another`() async throws {
        // For its database and its clock.
        let test = try await LLMTestGateway([])
        let (paused, pausing) = AsyncStream.makeStream(of: Void.self)
        let still = test.clock.time
        var time = still
        time.pause = { duration in
            let end = still.now() + duration
            pausing.yield()
            try await still.wait(end)
        }
        var settings = LLMSettings()
        settings.openAI.key = OutboundSecret("sk-test-0123456789")
        settings.concurrency = 1
        let slots = settings.makeSlots()
        func gateway(_ steps: [LLMTestTransport.Step]) -> LLMGateway {
            LLMGateway(
                settings: settings,
                provider: settings.provider(
                    transport: LLMTestTransport(steps, then: LLMTestReply.openAI("ok")), time: time),
                database: test.database, slots: slots, time: time)
        }
        let refusal = LLMTestTransport.Step.reply(status: 429, headers: [("Retry-After", "20")], body: "{}")
        let (refused, another, healthy) = (gateway([refusal]), gateway([refusal]), gateway([]))
        let request = test.request()
        let first = Task { try await refused.text(request).value }
        for await _ in paused { break }
        #expect(slots.inUse == 0 && slots.waiting == 1)
        #expect(try await healthy.text(request).value == "ok")
        test.clock.advance(by: .seconds(21))
        #expect(try await first.value == "ok")
        #expect(slots.inUse == 0 && slots.waiting == 0)
        // Who gives up meanwhile leaves nothing behind.
        let second = Task { try await another.text(request).value }
        for await _ in paused { break }
        #expect(slots.waiting == 1)
        second.cancel()
        await expectLLMError(.cancelled) { try await second.value }
        await another.settled()
        #expect(slots.inUse == 0 && slots.waiting == 0)
        try await test.close()
    }

    @Test func `a mistake in a header does not keep the provider away for ever`() {
        let (start, error) = (ContinuousClock.Instant.now, LLMError.rejected(status: 429, code: nil))
        var breaker = CircuitBreaker(failureLimit: 2, pause: .seconds(10))
        breaker.hold(for: .seconds(999_999_999), because: error, at: start)
        #expect(breaker.hold(at: start)?.until == start + CircuitBreaker.longestHold)
        // A shorter one does not end it.
        breaker.hold(for: .seconds(1), because: error, at: start)
        #expect(breaker.hold(at: start + .seconds(5))?.error == error)
        #expect(breaker.hold(at: start + CircuitBreaker.longestHold) == nil)
        breaker.hold(for: .zero, because: error, at: start)
        #expect(breaker.hold(at: start + CircuitBreaker.longestHold) == nil)
    }
}
