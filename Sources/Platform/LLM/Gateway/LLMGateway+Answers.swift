internal import Crypto
internal import Foundation

/// One question from its beginning to its end: what was answered before, what is answered now, and whether it fits.
extension LLMGateway {
    /// What of a reply that did not fit is sent back to be mended.
    private static let maximumQuotedCharacters = 8_000

    func ask(
        _ request: LLMRequest, schema: JSONSchema?, _ provider: any LLMProvider, _ caller: Caller, marker: String,
        deadline: ContinuousClock.Instant
    ) async -> Result<LLMReply<Answer>, LLMError> {
        do throws(LLMError) {
            let call = LLMCall(
                messages: request.messages(marker: marker), schema: schema, temperature: request.temperature,
                maximumOutputTokens: request.maximumOutputTokens ?? settings.maximumOutputTokens)
            try check(request, call)
            // An answer that is there costs nothing, whatever the budget says, and needs no provider that is well.
            let key = cacheKey(request, call, provider)
            if request.usesCache, let text = await cache.reply(of: key, userID: request.userID),
                case .success(let answer) = Self.read(text, schema: schema)
            {
                return .success(
                    LLMReply(
                        value: answer, provider: provider.name, model: provider.model,
                        version: request.prompt.version, usage: .none, cost: 0, isCached: true, isRepaired: false,
                        isCut: false))
            }
            try await requireBudget(for: Self.bound(of: call, provider), model: provider.model, before: deadline)
            try await open(caller, model: provider.model)
            let reply = try await withSlot(caller, before: deadline) { () async throws(LLMError) in
                try await self.converse(call, request, provider, caller, deadline: deadline)
            }
            if request.usesCache, !reply.isCut {
                caller.writes.add { [cache] in
                    await cache.set(key, to: reply.value.text, userID: request.userID)
                }
            }
            return .success(reply)
        } catch {
            return .failure(error)
        }
    }

    /// Asks, and asks once more where the answer does not fit.
    private func converse(
        _ call: LLMCall, _ request: LLMRequest, _ provider: any LLMProvider, _ caller: Caller,
        deadline: ContinuousClock.Instant
    ) async throws(LLMError) -> LLMReply<Answer> {
        func reply(_ answer: Answer, _ paid: Paid<LLMCompletion>, isRepaired: Bool) -> LLMReply<Answer> {
            LLMReply(
                value: answer, provider: provider.name, model: provider.model, version: request.prompt.version,
                usage: paid.usage, cost: paid.cost, isCached: false, isRepaired: isRepaired, isCut: paid.value.isCut)
        }
        let first = try await complete(call, provider, caller, deadline: deadline)
        let problem: String
        switch Self.read(first.value, schema: call.schema) {
        case .success(let answer): return reply(answer, first, isRepaired: false)
        case .failure(let found): problem = found.description
        }
        var again = call
        again.messages += [
            LLMMessage(.assistant, String(first.value.text.prefix(Self.maximumQuotedCharacters))),
            LLMMessage(
                .user,
                "That answer cannot be used:\n\(problem)\nAnswer again: the whole JSON, mended, and nothing else."),
        ]
        let second = try await complete(again, provider, caller, deadline: deadline)
        let both = Paid(
            value: second.value, usage: first.usage + second.usage, cost: first.cost + second.cost)
        switch Self.read(second.value, schema: call.schema) {
        case .success(let answer): return reply(answer, both, isRepaired: true)
        case .failure(let found): throw .badReply("twice; at last: \(found.description)")
        }
    }

    private func complete(
        _ call: LLMCall, _ provider: any LLMProvider, _ caller: Caller, deadline: ContinuousClock.Instant
    ) async throws(LLMError) -> Paid<LLMCompletion> {
        let bound = Self.bound(of: call, provider)
        return try await pay(model: provider.model, bound: bound, caller, deadline: deadline) {
            timeout throws(ProviderFailure) in
            let completion = try await provider.complete(call, timeout: timeout)
            // A server that does not count is taken to have used what its texts have.
            let isCounted = completion.usage != .none
            let usage =
                isCounted
                ? completion.usage
                : LLMUsage(
                    inputTokens: call.inputTokenEstimate, outputTokens: (completion.text.utf8.count + 3) / 4)
            return (completion, usage)
        }
    }

    /// What one exchange uses at most.
    private static func bound(of call: LLMCall, _ provider: any LLMProvider) -> LLMUsage {
        LLMUsage(inputTokens: call.inputTokenBound, outputTokens: provider.outputTokenBound(of: call))
    }

    private func check(_ request: LLMRequest, _ call: LLMCall) throws(LLMError) {
        let bytes = call.messages.reduce(0) { $0 + $1.text.utf8.count }
        guard bytes <= LLMRequest.maximumPromptBytes else {
            throw .badRequest(
                "the prompt has \(bytes) bytes with its data; at most \(LLMRequest.maximumPromptBytes) are sent")
        }
        guard (0...2).contains(request.temperature), (1...1_000_000).contains(call.maximumOutputTokens) else {
            throw .badRequest("the temperature must be from 0 to 2 and the maximum of tokens from 1 to 1,000,000")
        }
    }

    /// What a cached answer depends on. The marker of untrusted text, random for each call, is not part of it.
    private func cacheKey(_ request: LLMRequest, _ call: LLMCall, _ provider: any LLMProvider) -> String {
        let parts: [JSONTree] = [
            .string(provider.name), .string(provider.baseURL), .string(provider.model), .string(request.prompt.id),
            .string(request.prompt.version), .string(request.prompt.instructions),
            .array(request.prompt.blocks.map { .array([.string($0.label), .string($0.text), .bool($0.isCut)]) }),
            .number(request.temperature), .int(call.maximumOutputTokens), call.schema?.document ?? .null,
            // Answers are one user's, so that they go with the user and reach nobody else.
            request.userID.map(JSONTree.string) ?? .null,
        ]
        return SHA256.hash(data: Data(JSONTree.array(parts).json.utf8)).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    // MARK: Reading

    private struct Unusable: Error {
        let description: String
    }

    private static func read(_ completion: LLMCompletion, schema: JSONSchema?) -> Result<Answer, Unusable> {
        guard completion.isCut, schema != nil else { return read(completion.text, schema: schema) }
        return .failure(Unusable(description: "It was cut off at the maximum of tokens. Be briefer."))
    }

    private static func read(_ text: String, schema: JSONSchema?) -> Result<Answer, Unusable> {
        guard let schema else { return .success(Answer(text: text, tree: nil)) }
        do {
            let tree = try JSONReply.tree(of: unfenced(text))
            let violations = schema.violations(in: tree)
            guard violations.isEmpty else {
                return .failure(Unusable(description: violations.map { "- \($0)" }.joined(separator: "\n")))
            }
            return .success(Answer(text: tree.json, tree: tree))
        } catch {
            return .failure(Unusable(description: "- $: \(error)"))
        }
    }

    /// The text without the fence of Markdown that models like to put around JSON.
    private static func unfenced(_ text: String) -> String {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard trimmed.hasPrefix("```"), trimmed.hasSuffix("```"), trimmed.count > 6,
            let line = trimmed.firstIndex(where: \.isNewline)
        else { return trimmed }
        return String(trimmed[line...].dropLast(3))
    }
}
