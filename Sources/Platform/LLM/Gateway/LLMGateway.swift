internal import Foundation
package import Store

/// The one way to a language model: budget, cache, breaker, a slot, the request within its deadline with retries,
/// validation with one repair, accounting. Every failure is an `LLMError`.
package final class LLMGateway: Sendable {
    package let settings: LLMSettings
    package let provider: (any LLMProvider)?
    package let budget: LLMBudget
    let time: LLMTime
    let cache: ResponseCache
    let slots: CallSlots
    /// Of this gateway's calls alone, whoever shares the slots.
    let pace = Guarded(CallPace())
    let openCalls = OpenCalls()
    let breaker: Guarded<CircuitBreaker>
    private let makeMarker: @Sendable () -> String
    private let unpriced = Guarded<Set<String>>([])
    let observe: @Sendable (LLMEvent) -> Void

    /// - Parameters:
    ///   - cipher: seals stored replies, which may be about people.
    ///   - slots: those of another gateway, to share its few calls at a time; nil for slots of its own.
    ///   - makeMarker: gives the mark of untrusted text, unguessable and new each time.
    ///   - observe: called for each call, on its task, and for what it paid and wrote, beside it; must be quick.
    package init(
        settings: LLMSettings, provider: (any LLMProvider)?, database: any SQLDatabase,
        cipher: any ColumnCipher = PlainColumns(), slots: CallSlots? = nil, time: LLMTime = .live,
        makeMarker: @escaping @Sendable () -> String = { UntrustedText.randomMarker() },
        observe: @escaping @Sendable (LLMEvent) -> Void = { _ in }
    ) {
        self.settings = settings
        self.provider = provider
        self.time = time
        self.makeMarker = makeMarker
        self.observe = observe
        budget = LLMBudget(
            database, dailyLimit: settings.dailyBudget, usualCost: settings.usualCost(of: provider), time: time,
            tell: { observe(.alert($0)) })
        cache = ResponseCache(
            limits: settings.cache,
            repository: LLMCacheRepository(database, cipher: cipher, clock: time.date), time: time)
        self.slots = slots ?? settings.makeSlots()
        breaker = Guarded(CircuitBreaker(failureLimit: settings.breakerFailures, pause: settings.breakerPause))
    }

    package var statistics: LLMStatistics {
        let now = time.now()
        return LLMStatistics(
            isConfigured: provider != nil, provider: provider?.name, model: provider?.model,
            breaker: breaker.withLock { $0.state(at: now) }, underWay: slots.inUse, waiting: slots.waiting,
            cache: cache.statistics)
    }

    /// Free text, without control characters and cut to `maximumCharacters`. It is data: not to be run, nor shown as HTML.
    package func text(
        _ request: LLMRequest, maximumCharacters: Int = 20_000
    ) async throws(LLMError) -> LLMReply<String> {
        try await answer(request, schema: nil).map { answer in
            UntrustedText(answer.text, label: "reply", maximumCharacters: maximumCharacters).text
        }
    }

    /// JSON that fits `schema`. A first answer that does not is sent back once with what is wrong.
    package func json(_ request: LLMRequest, schema: JSONSchema) async throws(LLMError) -> LLMReply<JSONTree> {
        let reply = try await answer(request, schema: schema)
        guard let tree = reply.value.tree else { throw .badReply("it is not JSON") }
        return reply.map { _ in tree }
    }

    /// JSON that fits `schema`, decoded.
    package func json<Value: Decodable & Sendable>(
        _ request: LLMRequest, schema: JSONSchema, as type: Value.Type
    ) async throws(LLMError) -> LLMReply<Value> {
        let reply = try await json(request, schema: schema)
        do {
            let value = try JSONReply.decode(type, from: Array(reply.value.json.utf8))
            return reply.map { _ in value }
        } catch {
            // The schema and the type do not say the same; which value is concerned, the message tells.
            throw .badReply("\(error)")
        }
    }

    /// Vectors of 768 numbers and unit length, in the order of `texts`.
    ///
    /// - Parameter deadline: from now to the answer, waiting for a slot included; nil takes the settings'.
    package func embeddings(
        of texts: [String], for purpose: EmbeddingPurpose = .document, feature: String, userID: String? = nil,
        deadline: Duration? = nil
    ) async throws(LLMError) -> LLMEmbeddings {
        let caller = Caller(feature: feature, userID: userID, start: time.now())
        let end = caller.start + (deadline ?? settings.timeout)
        let result = await run(caller, before: end) {
            await self.embed(texts, for: purpose, caller, deadline: end)
        }
        guard let provider else { throw .notConfigured }
        finish(caller, model: provider.embeddingModel, result) { (outcome: "ok", usage: $0.usage, cost: $0.cost) }
        return try result.get()
    }

    /// Removes stored replies that have expired.
    @discardableResult
    package func purgeCache() async throws -> Int { try await cache.purge() }

    private func answer(_ request: LLMRequest, schema: JSONSchema?) async throws(LLMError) -> LLMReply<Answer> {
        let caller = Caller(feature: request.feature, userID: request.userID, start: time.now())
        guard let provider else {
            finish(caller, model: "", Result<LLMReply<Answer>, LLMError>.failure(.notConfigured)) { _ in ("", .none, 0)
            }
            throw .notConfigured
        }
        let end = caller.start + (request.deadline ?? settings.timeout)
        let marker = makeMarker()
        let result = await run(caller, before: end) {
            await self.ask(request, schema: schema, provider, caller, marker: marker, deadline: end)
        }
        finish(caller, model: provider.model, result) { reply in
            (reply.isCached ? "cached" : reply.isRepaired ? "repaired" : "ok", reply.usage, reply.cost)
        }
        return try result.get()
    }

    private func finish<Value>(
        _ caller: Caller, model: String, _ result: Result<Value, LLMError>,
        _ summary: (Value) -> (outcome: String, usage: LLMUsage, cost: Int64)
    ) {
        let (outcome, usage, cost) =
            switch result {
            case .success(let value): summary(value)
            case .failure(let error): (error.reason, LLMUsage.none, Int64(0))
            }
        observe(
            .finished(
                LLMCallReport(
                    feature: caller.feature, provider: provider?.name ?? "none", model: model, outcome: outcome,
                    seconds: (time.now() - caller.start).inSeconds, usage: usage, cost: cost)))
    }

    /// The cost in billionths of a dollar.
    func cost(of usage: LLMUsage, model: String) -> Int64 {
        let (price, isListed) = settings.prices.price(of: model)
        if !isListed, unpriced.withLock({ $0.insert(model).inserted }) { observe(.unpriced(model: model)) }
        return price.cost(of: usage)
    }
}

/// Who asks, and since when.
struct Caller: Sendable {
    let feature: String
    let userID: String?
    let start: ContinuousClock.Instant
    /// What the call leaves behind.
    let writes = PendingWrites()
    let turn = Guarded(CallTurn.none)
    /// The row of the account that it began with; nil before, and for nobody's calls.
    let opened = Guarded<LLMUsageRecord?>(nil)
}

/// A checked answer: its text, and where JSON was asked for, what it says.
struct Answer: Sendable {
    let text: String
    let tree: JSONTree?
}
