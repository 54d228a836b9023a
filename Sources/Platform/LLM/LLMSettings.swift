/// Everything about language models that an operator sets.
package struct LLMSettings: Sendable, Equatable {
    package enum Choice: String, Sendable, CaseIterable {
        /// The one that has a key or a base URL; OpenAI where both do.
        case auto
        case openai
        case gemini
        /// None, whatever keys there are.
        case none
    }

    package struct Endpoint: Sendable, Equatable {
        package var key: OutboundSecret?
        /// Nil for the provider's own server. A server that is named here may be on this machine or network.
        package var baseURL: String?
        package var model: String
        package var embeddingModel: String

        package init(model: String, embeddingModel: String) {
            self.model = model
            self.embeddingModel = embeddingModel
        }

        var isGiven: Bool { key != nil || baseURL != nil }
    }

    package var choice = Choice.auto
    package var openAI = Endpoint(
        model: OpenAIProvider.standardModel, embeddingModel: OpenAIProvider.standardEmbeddingModel)
    package var gemini = Endpoint(
        model: GeminiProvider.standardModel, embeddingModel: GeminiProvider.standardEmbeddingModel)
    /// Where a request says nothing else.
    package var maximumOutputTokens = 1000
    /// In billionths of a dollar; 0 allows no call that costs anything.
    package var dailyBudget: Int64 = 2 * USD.nanodollars
    package var prices = PriceTable.standard
    /// Calls at a time.
    package var concurrency = 5
    /// Calls that wait for their turn.
    package var maximumWaiting = 256
    /// From a call to its answer, everything included, where a request says nothing else.
    package var timeout = Duration.seconds(25)
    /// Of one exchange within a call.
    package var attemptTimeout = Duration.seconds(60)
    /// Exchanges for one answer.
    package var attempts = 4
    /// Waits between them, unless the provider says for how long.
    package var backOff = BackOff(first: .milliseconds(500), longest: .seconds(20))
    /// An exchange that was given less than this, and less than `attemptTimeout`, and did not end in it says nothing of the
    /// provider.
    package var fairTime = Duration.seconds(5)
    package var breakerFailures = 5
    package var breakerPause = Duration.seconds(30)
    package var cache = ResponseCache.Limits()
    package var maximumReplyBytes = 1 << 20

    package init() {}

    /// What is wrong, in sentences that say how to mend it.
    package var problems: [String] {
        switch choice {
        case .openai where !openAI.isGiven:
            [Self.lacking("OPENAI", for: "openai")]
        case .gemini where !gemini.isGiven:
            [Self.lacking("GEMINI", for: "gemini")]
        default: []
        }
    }

    private static func lacking(_ prefix: String, for provider: String) -> String {
        "llm.provider is \(provider), and neither \(prefix)_API_KEY nor \(prefix)_BASE_URL is set; set one, or "
            + "llm.provider to none"
    }

    /// The provider that is set up, or nil.
    package func provider(transport: any OutboundTransport, time: LLMTime = .live) -> (any LLMProvider)? {
        switch choice {
        case .none: return nil
        case .openai: return openAI.isGiven ? makeOpenAI(transport, time) : nil
        case .gemini: return gemini.isGiven ? makeGemini(transport, time) : nil
        case .auto:
            if openAI.isGiven { return makeOpenAI(transport, time) }
            return gemini.isGiven ? makeGemini(transport, time) : nil
        }
    }

    /// The provider that embeds texts with a model, whichever one answers questions; nil where it has neither key nor URL,
    /// or where none is to be asked.
    ///
    /// - Parameter choice: `openai` or `gemini`.
    package func embeddingProvider(
        _ choice: Choice, model: String, transport: any OutboundTransport, time: LLMTime = .live
    ) -> (any LLMProvider)? {
        guard self.choice != .none else { return nil }
        var settings = self
        settings.choice = choice
        settings.openAI.embeddingModel = model
        settings.gemini.embeddingModel = model
        return settings.provider(transport: transport, time: time)
    }

    /// Whether a provider has a key or a base URL, and may be asked.
    package func isSetUp(_ provider: Choice) -> Bool {
        switch provider {
        case .openai: choice != .none && openAI.isGiven
        case .gemini: choice != .none && gemini.isGiven
        case .auto, .none: false
        }
    }

    /// What a call of the usual size may cost, in billionths of a dollar: some pages of text, and the longest answer where
    /// a request says nothing else.
    func usualCost(of provider: (any LLMProvider)?) -> Int64 {
        guard let provider else { return 0 }
        let call = LLMCall(messages: [], schema: nil, temperature: 0, maximumOutputTokens: maximumOutputTokens)
        let usage = LLMUsage(inputTokens: 4000, outputTokens: provider.outputTokenBound(of: call))
        return prices.price(of: provider.model).price.cost(of: usage)
    }

    /// Slots for the calls that may run at a time.
    package func makeSlots() -> CallSlots { CallSlots(count: concurrency, maximumWaiting: maximumWaiting) }

    private func makeOpenAI(_ transport: any OutboundTransport, _ time: LLMTime) -> any LLMProvider {
        OpenAIProvider(endpoint(openAI, standardURL: OpenAIProvider.standardURL, transport, time))
    }

    private func makeGemini(_ transport: any OutboundTransport, _ time: LLMTime) -> any LLMProvider {
        GeminiProvider(endpoint(gemini, standardURL: GeminiProvider.standardURL, transport, time))
    }

    private func endpoint(
        _ endpoint: Endpoint, standardURL: String, _ transport: any OutboundTransport, _ time: LLMTime
    ) -> ProviderEndpoint {
        ProviderEndpoint(
            baseURL: endpoint.baseURL ?? standardURL, model: endpoint.model, embeddingModel: endpoint.embeddingModel,
            key: endpoint.key, allowsPrivateAddresses: endpoint.baseURL != nil, maximumReplyBytes: maximumReplyBytes,
            transport: transport, time: time)
    }
}
