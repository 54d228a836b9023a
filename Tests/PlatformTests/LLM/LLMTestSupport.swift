import Foundation
import Platform
import Store
import Testing

/// Time that stands still until it is moved; a pause moves it at once.
final class LLMTestTime: Sendable {
    private struct Sleeper: Sendable {
        let until: ContinuousClock.Instant
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State: Sendable {
        var elapsed = Duration.zero
        var sleepers: [Int: Sleeper] = [:]
        var arriving: [Int: Bool] = [:]
        var next = 0
        var pauses: [Duration] = []
    }

    private let origin = ContinuousClock.Instant.now
    private let start: Date
    private let state = Guarded(State())

    init(_ date: String = "2026-02-26T09:30:00.000Z") {
        guard let start = SQLTime.date(of: date) else { fatalError("\(date) is not a time") }
        self.start = start
    }

    var pauses: [Duration] { state.withLock { $0.pauses } }
    var elapsed: Duration { state.withLock { $0.elapsed } }

    var time: LLMTime {
        LLMTime(
            now: { self.origin + self.elapsed },
            date: { self.start.addingTimeInterval(Double(self.elapsed / .milliseconds(1)) / 1000) },
            pause: { duration in
                try Task.checkCancellation()
                self.state.withLock { $0.pauses.append(duration) }
                self.advance(by: duration)
            },
            wait: { try await self.wait(until: $0) }, random: { 0 })
    }

    func advance(by duration: Duration) {
        let due = state.withLock { state -> [Sleeper] in
            state.elapsed += duration
            let now = origin + state.elapsed
            let due = state.sleepers.filter { $0.value.until <= now }
            for number in due.keys { state.sleepers[number] = nil }
            return Array(due.values)
        }
        for sleeper in due { sleeper.continuation.resume(returning: true) }
    }

    private func wait(until instant: ContinuousClock.Instant) async throws {
        let number = state.withLock { state in
            state.next += 1
            state.arriving[state.next] = false
            return state.next
        }
        let isOver = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome = state.withLock { state -> Bool? in
                    if state.arriving.removeValue(forKey: number) == true { return false }
                    if origin + state.elapsed >= instant { return true }
                    state.sleepers[number] = Sleeper(until: instant, continuation: continuation)
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                if state.arriving[number] != nil { state.arriving[number] = true }
                return state.sleepers.removeValue(forKey: number)
            }
            sleeper?.continuation.resume(returning: false)
        }
        if !isOver { throw CancellationError() }
    }
}

/// Answers requests from a script, and remembers them.
final class LLMTestTransport: OutboundTransport {
    enum Step: Sendable {
        case reply(status: Int, headers: [(String, String)] = [], body: String)
        case fail(OutboundError.Code)
        /// Answers when `gate` opens; ends with `cancelled` where the task is cancelled before.
        case hold
    }

    private struct State: Sendable {
        var steps: [Step]
        var requests: [OutboundRequest] = []
        var held: [Int: CheckedContinuation<Bool, Never>] = [:]
        var arriving: [Int: Bool] = [:]
        var isOpen = false
        var next = 0
        var underWay = 0
        var mostUnderWay = 0
    }

    private let state: Guarded<State>
    private let arrived: AsyncStream<Void>
    private let arrive: AsyncStream<Void>.Continuation
    /// What is answered once the script is at its end and by what was held.
    private let last: Step

    init(_ steps: [Step], then last: Step = .reply(status: 500, body: "the script is at its end")) {
        state = Guarded(State(steps: steps))
        self.last = last
        (arrived, arrive) = AsyncStream.makeStream(of: Void.self)
    }

    var requests: [OutboundRequest] { state.withLock { $0.requests } }
    var mostUnderWay: Int { state.withLock { $0.mostUnderWay } }

    func body(_ number: Int) throws -> JSONTree {
        let requests = requests
        try #require(requests.indices.contains(number), "only \(requests.count) requests were made")
        return try JSONReply.tree(of: String(decoding: requests[number].body ?? [], as: UTF8.self))
    }

    /// Waits until so many requests have come.
    func waitForRequests(_ count: Int) async {
        var iterator = arrived.makeAsyncIterator()
        // No more than the test's time.
        while requests.count < count, await iterator.next() != nil {}
    }

    /// Lets what is held go on.
    func open() {
        let held = state.withLock { state in
            state.isOpen = true
            defer { state.held = [:] }
            return Array(state.held.values)
        }
        for continuation in held { continuation.resume(returning: true) }
    }

    /// Holds again what is to be held.
    func shut() { state.withLock { $0.isOpen = false } }

    func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        let step = state.withLock { state in
            state.requests.append(request)
            state.underWay += 1
            state.mostUnderWay = max(state.mostUnderWay, state.underWay)
            return state.steps.isEmpty ? last : state.steps.removeFirst()
        }
        arrive.yield()
        defer { state.withLock { $0.underWay -= 1 } }
        return try await perform(step, request)
    }

    private func perform(_ step: Step, _ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        switch step {
        case .reply(let status, let headers, let body):
            if body.utf8.count > request.maximumBytes { throw OutboundError(.tooLarge, "too large") }
            return OutboundResponse(
                status: status, headers: OutboundHeaders(headers.map { .init(name: $0.0, value: $0.1) }),
                body: Array(body.utf8), url: request.url)
        case .fail(let code): throw OutboundError(code, "scripted")
        case .hold:
            guard await held() else { throw OutboundError(.cancelled, "scripted") }
            return try await perform(last, request)
        }
    }

    private func held() async -> Bool {
        let number = state.withLock { state in
            state.next += 1
            state.arriving[state.next] = false
            return state.next
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome = state.withLock { state -> Bool? in
                    if state.arriving.removeValue(forKey: number) == true { return false }
                    if state.isOpen { return true }
                    state.held[number] = continuation
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            let continuation = state.withLock { state in
                if state.arriving[number] != nil { state.arriving[number] = true }
                return state.held.removeValue(forKey: number)
            }
            continuation?.resume(returning: false)
        }
    }
}

/// Replies as the providers write them.
enum LLMTestReply {
    static func openAI(
        _ text: String, input: Int = 100, output: Int = 10, finish: String = "stop"
    ) -> LLMTestTransport.Step {
        .reply(
            status: 200,
            body: JSONTree.members([
                "id": .string("x"),
                "choices": .array([
                    .members([
                        "index": .int(0), "finish_reason": .string(finish),
                        "message": .members(["role": .string("assistant"), "content": .string(text)]),
                    ])
                ]),
                "usage": .members(["prompt_tokens": .int(input), "completion_tokens": .int(output)]),
            ]).json)
    }

    static func gemini(
        _ text: String, input: Int = 100, output: Int = 10, thoughts: Int = 0, finish: String = "STOP"
    ) -> LLMTestTransport.Step {
        .reply(
            status: 200,
            body: JSONTree.members([
                "candidates": .array([
                    .members([
                        "content": .members(["parts": .array([.members(["text": .string(text)])])]),
                        "finishReason": .string(finish),
                    ])
                ]),
                "usageMetadata": .members([
                    "promptTokenCount": .int(input), "candidatesTokenCount": .int(output),
                    "thoughtsTokenCount": .int(thoughts),
                ]),
            ]).json)
    }
}

/// A gateway with a script behind it and a database of its own.
struct LLMTestGateway {
    let gateway: LLMGateway
    let transport: LLMTestTransport
    let clock: LLMTestTime
    let database: any SQLDatabase
    private let log = Guarded<[LLMEvent]>([])

    init(
        _ steps: [LLMTestTransport.Step], then last: LLMTestTransport.Step = .reply(status: 500, body: "end"),
        on shared: (any SQLDatabase)? = nil, change: (inout LLMSettings) -> Void = { _ in }
    ) async throws {
        var settings = LLMSettings()
        settings.openAI.key = OutboundSecret("sk-test-0123456789")
        change(&settings)
        clock = LLMTestTime()
        transport = LLMTestTransport(steps, then: last)
        if let shared {
            database = shared
        } else {
            database = try await SQLiteDatabase.temporary()
            _ = try await SchemaMigrator().migrate(database)
        }
        let log = log
        gateway = LLMGateway(
            settings: settings, provider: settings.provider(transport: transport, time: clock.time),
            database: database, time: clock.time, observe: { event in log.withLock { $0.append(event) } })
    }

    var events: [LLMEvent] { log.withLock { $0 } }

    var outcomes: [String] {
        events.compactMap { if case .finished(let report) = $0 { report.outcome } else { nil } }
    }

    /// What exchanges cost, in the order in which they ended.
    var payments: [LLMPayment] { events.compactMap { if case .paid(let payment) = $0 { payment } else { nil } } }

    /// What could not be written.
    var unaccounted: Int { events.count { if case .unaccounted = $0 { true } else { false } } }

    var alerts: [Int] { events.compactMap { if case .alert(let alert) = $0 { alert.percent } else { nil } } }

    func request(
        _ instructions: String = "Sum up.", data: String? = nil, user: String? = "ada", cached: Bool = false
    ) -> LLMRequest {
        LLMRequest(
            feature: "test", userID: user,
            prompt: FilledPrompt(
                id: "p", version: "v", instructions: instructions,
                blocks: data.map { [UntrustedText($0, label: "text")] } ?? []),
            usesCache: cached)
    }

    func spent() async throws -> Int64 { try await gateway.budget.state().spent }

    /// Asks Gemini in OpenAI's place.
    static func gemini(_ settings: inout LLMSettings) {
        settings.openAI.key = nil
        settings.gemini.key = OutboundSecret("g-test-0123456789")
    }

    func close() async throws { try await database.close() }
}

/// Expects a gateway's failure.
func expectLLMError<Value>(
    _ expected: LLMError, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Value
) async {
    do {
        let value = try await body()
        Issue.record("\(value) came, expected \(expected)", sourceLocation: sourceLocation)
    } catch let error as LLMError {
        #expect(error == expected, sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(error) was thrown, expected \(expected)", sourceLocation: sourceLocation)
    }
}
