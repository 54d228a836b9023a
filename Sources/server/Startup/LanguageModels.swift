internal import CoreMetrics
internal import Logging
internal import Platform
internal import Store

/// The gateway to language models and the prompts, put together once.
struct LanguageModels: Sendable {
    let gateway: LLMGateway
    let prompts: PromptLibrary

    static func make(
        _ settings: LLMSettings, prompts: PromptLibrary, transport: any OutboundTransport, database: any SQLDatabase,
        cipher: any ColumnCipher, slots: CallSlots, factory: any MetricsFactory, logger: Logger
    ) -> LanguageModels {
        let provider = settings.provider(transport: transport)
        for problem in settings.problems { logger.warning("degraded", metadata: ["detail": "\(problem)"]) }
        if let provider {
            logger.info(
                "language model set up",
                metadata: [
                    "provider": "\(provider.name)", "model": "\(provider.model)",
                    "daily_budget": "\(USD.text(nanodollars: settings.dailyBudget))",
                ])
        }
        let gateway = LLMGateway(
            settings: settings, provider: provider, database: database, cipher: cipher, slots: slots,
            observe: observer(factory: factory, logger: logger))
        return LanguageModels(gateway: gateway, prompts: prompts)
    }

    /// Takes note of what a gateway says.
    static func observer(factory: any MetricsFactory, logger: Logger) -> @Sendable (LLMEvent) -> Void {
        let metrics = LanguageModelMetrics(factory: factory)
        return { event in note(event, metrics, logger) }
    }

    /// Logs and counts what the gateway says. Neither user, prompt nor text is in it.
    private static func note(_ event: LLMEvent, _ metrics: LanguageModelMetrics, _ logger: Logger) {
        switch event {
        case .finished(let report):
            metrics.finished(report)
            // The gateway tells it on the task of the call.
            RequestTrace.current?.called(report)
            let isFine = ["ok", "cached", "repaired"].contains(report.outcome)
            logger.log(
                level: isFine ? .debug : .info, "language model call",
                metadata: [
                    "feature": "\(report.feature)", "provider": "\(report.provider)", "outcome": "\(report.outcome)",
                    "ms": "\(Int(report.seconds * 1000))", "input_tokens": "\(report.usage.inputTokens)",
                    "output_tokens": "\(report.usage.outputTokens)",
                ])
        case .paid(let payment): metrics.paid(payment)
        case .alert(let alert):
            metrics.alerted(percent: alert.percent)
            logger.warning(
                alert.percent < 100
                    ? "the daily budget of language models is \(alert.percent) % used"
                    : "the daily budget of language models is used up, or too little is left of it for a call",
                metadata: [
                    "day": "\(alert.state.day)", "spent": "\(USD.text(nanodollars: alert.state.spent))",
                    "set aside": "\(USD.text(nanodollars: alert.state.reserved))",
                    "limit": "\(USD.text(nanodollars: alert.state.limit))",
                    "to raise it": "PUT /api/admin/budgets/",
                ])
        case .unpriced(let model):
            logger.warning(
                "the price table lacks a model; the price of unknown models counts",
                metadata: ["model": "\(excerpt(of: model))", "to mend it": "llm.prices: \(excerpt(of: model))=in/out"])
        case .unaccounted(let error):
            metrics.lostAccount()
            logger.error("the cost of a language model's call could not be written", metadata: ["detail": "\(error)"])
        }
    }
}
