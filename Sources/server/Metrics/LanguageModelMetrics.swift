internal import CoreMetrics
internal import Platform
internal import Store

/// What calls of language models measure. Features, users and texts are no labels.
struct LanguageModelMetrics: Sendable {
    static let calls = MetricDefinition(
        "pathlight_llm_calls_total", "Calls of the language model, by provider and outcome.")
    static let duration = MetricDefinition(
        "pathlight_llm_call_duration_seconds",
        "Time from a call of the language model to its answer, waiting and retries included, by provider.")
    static let tokens = MetricDefinition(
        "pathlight_llm_tokens_total",
        "Tokens that language models took and gave, in calls that failed as well, by provider and direction.")
    static let cost = MetricDefinition(
        "pathlight_llm_cost_dollars_total",
        "What calls of language models cost by the price table, those that failed included, by provider.")
    static let alerts = MetricDefinition(
        "pathlight_llm_budget_alerts_total", "Alerts of the day's budget, by the percentage that was reached.")
    static let budgetLimit = MetricDefinition("pathlight_llm_budget_limit_dollars", "What this day (UTC) may cost.")
    static let budgetSpent = MetricDefinition(
        "pathlight_llm_budget_spent_dollars", "What this day (UTC) has cost by the price table, in all processes.")
    static let budgetReserved = MetricDefinition(
        "pathlight_llm_budget_reserved_dollars", "What calls under way have set aside, in all processes.")
    static let unaccounted = MetricDefinition(
        "pathlight_llm_unaccounted_calls_total", "Calls whose cost could not be written.")
    static let underWay = MetricDefinition("pathlight_llm_calls_in_flight", "Calls that the provider answers now.")
    static let waiting = MetricDefinition("pathlight_llm_waiting_calls", "Calls that wait for their turn now.")
    static let breaker = MetricDefinition(
        "pathlight_llm_breaker_state", "Whether the provider is asked: 0 it is, 1 one call tries it, 2 it is not.")
    static let cacheHits = MetricDefinition(
        "pathlight_llm_cache_hits", "Answers out of the cache since the start, by where they were.")
    static let cacheMisses = MetricDefinition(
        "pathlight_llm_cache_misses", "Questions that the cache could not answer since the start.")
    static let cacheEntries = MetricDefinition("pathlight_llm_cache_entries", "Answers in memory now.")

    private let factory: any MetricsFactory

    init(factory: any MetricsFactory) { self.factory = factory }

    /// Takes note of a call as it ends.
    func finished(_ report: LLMCallReport) {
        let provider = ("provider", report.provider)
        Counter(label: Self.calls.name, dimensions: [provider, ("outcome", report.outcome)], factory: factory)
            .increment()
        Timer(label: Self.duration.name, dimensions: [provider], factory: factory)
            .recordNanoseconds(Int64(report.seconds * 1e9))
    }

    /// Takes note of what exchanges cost, those of calls that came to nothing included.
    func paid(_ payment: LLMPayment) {
        let provider = ("provider", payment.provider)
        for (direction, count) in [("input", payment.usage.inputTokens), ("output", payment.usage.outputTokens)] {
            Counter(label: Self.tokens.name, dimensions: [provider, ("direction", direction)], factory: factory)
                .increment(by: count)
        }
        FloatingPointCounter(label: Self.cost.name, dimensions: [provider], factory: factory)
            .increment(by: Double(payment.cost) / Double(USD.nanodollars))
    }

    func alerted(percent: Int) {
        Counter(label: Self.alerts.name, dimensions: [("percent", String(percent))], factory: factory).increment()
    }

    func lostAccount() { Counter(label: Self.unaccounted.name, dimensions: [], factory: factory).increment() }

    /// Adds the gateway's state to `registry`, read at each rendering.
    ///
    /// - Parameter budget: nil where it is not known yet.
    static func register(
        in registry: MetricsRegistry, budget: @escaping @Sendable () -> LLMBudgetState?,
        statistics: @escaping @Sendable () -> LLMStatistics
    ) {
        registry.describe([
            calls, duration, tokens, cost, alerts, budgetLimit, budgetSpent, budgetReserved, unaccounted, underWay,
            waiting, breaker, cacheHits, cacheMisses, cacheEntries,
        ])
        // There from the start, at 0: a counter that begins with its first event is never seen to grow by it.
        for percent in [80, 100] {
            _ = Counter(label: alerts.name, dimensions: [("percent", String(percent))], factory: registry)
        }
        _ = Counter(label: unaccounted.name, dimensions: [], factory: registry)
        func meter(_ definition: MetricDefinition, _ dimensions: [(String, String)] = []) -> Meter {
            Meter(label: definition.name, dimensions: dimensions, factory: registry)
        }
        let (underWay, waiting, breaker) = (meter(underWay), meter(waiting), meter(breaker))
        let (memory, store) = (meter(cacheHits, [("place", "memory")]), meter(cacheHits, [("place", "store")]))
        let (misses, entries) = (meter(cacheMisses), meter(cacheEntries))
        registry.onRender {
            let now = statistics()
            underWay.set(now.underWay)
            waiting.set(now.waiting)
            breaker.set(number(of: now.breaker))
            memory.set(now.cache.memoryHits)
            store.set(now.cache.storeHits)
            misses.set(now.cache.misses)
            entries.set(now.cache.entries)
            guard let day = budget() else { return }
            for (definition, amount) in [
                (budgetLimit, day.limit), (budgetSpent, day.spent), (budgetReserved, day.reserved),
            ] {
                Meter(label: definition.name, dimensions: [], factory: registry)
                    .set(Double(amount) / Double(USD.nanodollars))
            }
        }
    }

    private static func number(of state: CircuitBreaker.State) -> Int {
        switch state {
        case .closed: 0
        case .halfOpen: 1
        case .open: 2
        }
    }
}
