internal import CoreMetrics
internal import Logging
internal import Platform
internal import Store

/// The gateway to language models and the prompts, put together once.
struct LanguageModels: Sendable {
    let gateway: LLMGateway
    let prompts: PromptLibrary

    /// - Parameters:
    ///   - definitions: the prompts of features, besides the built-in ones.
    ///   - promptFolder: of the operator, with texts in place of others; nil for none.
    /// - Throws: `PromptError`, which names the file.
    static func make(
        _ settings: LLMSettings, definitions: [PromptDefinition] = [], promptFolder: String?,
        transport: any OutboundTransport, database: any SQLDatabase, cipher: any ColumnCipher,
        factory: any MetricsFactory, logger: Logger
    ) throws -> LanguageModels {
        let metrics = LanguageModelMetrics(factory: factory)
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
            settings: settings, provider: provider, database: database, cipher: cipher,
            observe: { event in note(event, metrics, logger) })
        let prompts = try PromptLibrary(
            BuiltInPrompts.all + definitions, folder: try promptFolder.map { try PromptLibrary.readFolder($0) } ?? [:],
            database: database)
        return LanguageModels(gateway: gateway, prompts: prompts)
    }

    /// Logs and counts what the gateway says. Neither user, prompt nor text is in it.
    private static func note(_ event: LLMEvent, _ metrics: LanguageModelMetrics, _ logger: Logger) {
        switch event {
        case .finished(let report):
            metrics.finished(report)
            let isFine = ["ok", "cached", "repaired"].contains(report.outcome)
            logger.log(
                level: isFine ? .debug : .info, "language model call",
                metadata: [
                    "feature": "\(report.feature)", "provider": "\(report.provider)", "outcome": "\(report.outcome)",
                    "ms": "\(Int(report.seconds * 1000))", "input_tokens": "\(report.usage.inputTokens)",
                    "output_tokens": "\(report.usage.outputTokens)",
                ])
        case .alert(let alert):
            metrics.alerted(percent: alert.percent)
            logger.warning(
                "the daily budget of language models is \(alert.percent) % used",
                metadata: [
                    "day": "\(alert.state.day)", "spent": "\(USD.text(nanodollars: alert.state.spent))",
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
