extension LLMGateway {
    /// Of one text; models read some thousand tokens at most.
    static var maximumEmbeddingTextBytes: Int { 32 << 10 }

    func embed(
        _ texts: [String], for purpose: EmbeddingPurpose, _ caller: Caller, deadline: ContinuousClock.Instant
    ) async -> Result<LLMEmbeddings, LLMError> {
        do throws(LLMError) {
            guard let provider else { throw .notConfigured }
            guard texts.allSatisfy({ !$0.isEmpty && $0.utf8.count <= Self.maximumEmbeddingTextBytes }) else {
                throw .badRequest("a text to embed is empty or has more than \(Self.maximumEmbeddingTextBytes) bytes")
            }
            let first = Self.embeddingBound(of: texts.prefix(100))
            try await requireBudget(for: first, model: provider.embeddingModel, before: deadline)
            try await open(caller, model: provider.embeddingModel)
            var vectors: [[Float]] = []
            var usage = LLMUsage.none
            var cost: Int64 = 0
            for start in stride(from: 0, to: texts.count, by: 100) {
                let batch = Array(texts[start..<min(start + 100, texts.count)])
                let paid = try await withSlot(caller, before: deadline) { () async throws(LLMError) in
                    try await self.embed(batch, for: purpose, provider, caller, deadline: deadline)
                }
                vectors += paid.value
                usage = usage + paid.usage
                cost += paid.cost
            }
            return .success(
                LLMEmbeddings(
                    vectors: vectors, provider: provider.name, model: provider.embeddingModel, usage: usage, cost: cost)
            )
        } catch {
            return .failure(error)
        }
    }

    /// No fewer tokens than texts have: none is shorter than a byte.
    private static func embeddingBound(of texts: some Sequence<String>) -> LLMUsage {
        LLMUsage(inputTokens: texts.reduce(0) { $0 + $1.utf8.count + 16 }, outputTokens: 0)
    }

    private func embed(
        _ texts: [String], for purpose: EmbeddingPurpose, _ provider: any LLMProvider, _ caller: Caller,
        deadline: ContinuousClock.Instant
    ) async throws(LLMError) -> Paid<[[Float]]> {
        let bound = Self.embeddingBound(of: texts)
        let estimate = LLMUsage(inputTokens: (bound.inputTokens + 3) / 4, outputTokens: 0)
        return try await pay(model: provider.embeddingModel, bound: bound, caller, deadline: deadline) {
            timeout throws(ProviderFailure) in
            let (vectors, counted) = try await provider.embed(texts, for: purpose, timeout: timeout)
            let usage = counted == .none ? estimate : counted
            switch ProviderEndpoint.normalised(vectors, count: texts.count) {
            case .success(let unit): return (unit, usage)
            case .failure(let error): throw ProviderFailure(error, isRetryable: false, usage: usage)
            }
        }
    }
}
