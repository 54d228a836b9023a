import Foundation
import Platform
import Store
import Testing

/// Counts come out of providers' replies, which may say anything.
struct LLMUsageTests {
    enum Counts: String, CaseIterable, CustomTestStringConvertible {
        case largest = "9223372036854775807"
        case beyond = "9223372036854775808"
        case huge = "1e300"
        case negative = "-9223372036854775808"
        case fraction = "12.5"
        case text = #""12""#
        case null

        var testDescription: String { rawValue }
    }

    private static func openAI(_ count: String, text: String = "ok") -> LLMTestTransport.Step {
        .reply(
            status: 200,
            body: """
                {"choices": [{"finish_reason": "stop", "message": {"content": "\(text)"}}],
                 "usage": {"prompt_tokens": \(count), "completion_tokens": \(count)}}
                """)
    }

    private static func gemini(_ count: String, text: String = "ok") -> LLMTestTransport.Step {
        .reply(
            status: 200,
            body: """
                {"candidates": [{"content": {"parts": [{"text": "\(text)"}]}, "finishReason": "STOP"}],
                 "usageMetadata": {"promptTokenCount": \(count), "candidatesTokenCount": \(count),
                                   "thoughtsTokenCount": \(count)}}
                """)
    }

    /// Answers twice, and looks at what was written.
    private func expectSound(_ step: LLMTestTransport.Step, change: (inout LLMSettings) -> Void) async throws {
        let test = try await LLMTestGateway([], then: step) {
            $0.dailyBudget = 1_000_000 * USD.nanodollars
            change(&$0)
        }
        for _ in 0..<2 { #expect(try await test.gateway.text(test.request()).value == "ok") }
        #expect(test.unaccounted == 0)
        let state = try await test.gateway.budget.state()
        #expect(state.reserved == 0 && state.spent == test.payments.reduce(0) { $0 + $1.cost })
        let most = LLMUsage.maximumTokens
        for payment in test.payments {
            #expect(
                (0...most).contains(payment.usage.inputTokens) && (0...2 * most).contains(payment.usage.outputTokens))
        }
        try await test.close()
    }

    @Test(arguments: Counts.allCases)
    func `whatever OpenAI's reply says was used, it is answered and accounted for`(counts: Counts) async throws {
        try await expectSound(Self.openAI(counts.rawValue)) { _ in }
    }

    @Test(arguments: Counts.allCases)
    func `whatever Gemini's reply says was used, it is answered and accounted for`(counts: Counts) async throws {
        try await expectSound(Self.gemini(counts.rawValue), change: LLMTestGateway.gemini)
    }

    @Test func `both answers of a repair may claim the largest number`() async throws {
        for (step, change) in [
            (Self.openAI(Counts.largest.rawValue, text: "no JSON"), { (_: inout LLMSettings) in }),
            (Self.gemini(Counts.largest.rawValue, text: "no JSON"), LLMTestGateway.gemini),
        ] {
            let test = try await LLMTestGateway([], then: step) {
                $0.dailyBudget = 1_000_000 * USD.nanodollars
                change(&$0)
            }
            let schema = JSONSchema.object([.required("a", .string())])
            let error = await #expect(throws: LLMError.self) {
                try await test.gateway.json(test.request(), schema: schema)
            }
            #expect(error?.reason == "bad_reply" && test.payments.count == 2 && test.unaccounted == 0)
            try await test.close()
        }
    }

    @Test func `embeddings too may claim the largest number`() async throws {
        let vector = "[" + Array(repeating: "1", count: 768).joined(separator: ",") + "]"
        let test = try await LLMTestGateway([
            .reply(
                status: 200,
                body: #"{"data":[{"index":0,"embedding":\#(vector)}],"usage":{"prompt_tokens":9223372036854775807}}"#)
        ])
        let reply = try await test.gateway.embeddings(of: ["a"], feature: "test")
        #expect(reply.usage.inputTokens == LLMUsage.maximumTokens && test.unaccounted == 0)
        try await test.close()
    }

    @Test func `no sum of counts traps`() {
        var sum = LLMUsage(inputTokens: .max, outputTokens: .min)
        #expect(sum == LLMUsage(inputTokens: LLMUsage.maximumTokens, outputTokens: 0))
        for _ in 0..<64 { sum = sum + sum }
        #expect(sum.inputTokens == .max && sum.outputTokens == 0)
        #expect(ModelPrice(input: 2_500_000, output: 0).cost(of: sum) == ModelPrice.maximumCost)
    }
}
