internal import Engine
internal import Platform
package import Store

/// What is recorded below a request. Attributes have the names of OpenTelemetry's conventions where there are any.
extension RequestTrace {
    /// Adds what the database does for the request, call by call.
    package var databaseWatch: SQLCallWatch {
        SQLCallWatch { [self] call in
            var attributes: [(name: String, value: TraceSpan.Attribute)] = [
                ("pathlight.access", .text(call.isWrite ? "write" : "read"))
            ]
            if let begun = call.begun {
                attributes.append(("pathlight.waited_us", .integer(Int((begun - call.start) / .microseconds(1)))))
            }
            add("sql", from: call.start, to: call.end, hasFailed: call.hasFailed, attributes)
        }
    }

    /// Adds the embedding and the search behind replies that were made together and have just been given.
    func recommended(_ replies: [RecommendationReply], now: ContinuousClock.Instant = .now) {
        // The last of them was ready now.
        guard let timing = replies.map(\.timing).max(by: { $0.total < $1.total }) else { return }
        let start = now - timing.total
        let embedded = start + timing.embed
        if timing.texts > 0 { add("embed", from: start, to: embedded, [("pathlight.texts", .integer(timing.texts))]) }
        add(
            "search", from: embedded, to: embedded + timing.search,
            [
                ("pathlight.rows", .integer(replies.reduce(0) { $0 + $1.scanned })),
                ("pathlight.exact", .bool(replies.allSatisfy(\.exact))),
            ])
    }

    /// Adds an embedding that has just ended.
    func embedded(texts: Int, tokens: Int, since start: ContinuousClock.Instant) {
        add("embed", from: start, [("pathlight.texts", .integer(texts)), ("pathlight.tokens", .integer(tokens))])
    }

    /// Adds a call of a language model that has just ended.
    func called(_ report: LLMCallReport, now: ContinuousClock.Instant = .now) {
        add(
            "llm", kind: .client, from: now - .seconds(report.seconds), to: now, hasFailed: report.hasFailed,
            [
                ("gen_ai.provider.name", .text(report.provider)), ("pathlight.outcome", .text(report.outcome)),
                ("gen_ai.usage.input_tokens", .integer(report.usage.inputTokens)),
                ("gen_ai.usage.output_tokens", .integer(report.usage.outputTokens)),
            ])
    }
}

extension LLMCallReport {
    var hasFailed: Bool { LLMError.reasons.contains(outcome) }
}
