/// What a call used.
///
/// The counts come out of providers' replies, and a reply may say anything: each is held within what a call may use, and
/// no sum of them traps.
package struct LLMUsage: Sendable, Equatable {
    /// Of one exchange, more than any model takes or gives.
    package static let maximumTokens = 10_000_000

    package private(set) var inputTokens: Int
    /// With the tokens of what a model thinks and does not show.
    package private(set) var outputTokens: Int

    /// Of one exchange; what is negative counts as 0, and what is beyond `maximumTokens` as that.
    package init(inputTokens: Int, outputTokens: Int) {
        self.inputTokens = min(max(0, inputTokens), Self.maximumTokens)
        self.outputTokens = min(max(0, outputTokens), Self.maximumTokens)
    }

    package static let none = LLMUsage(inputTokens: 0, outputTokens: 0)

    /// The sum, of any number of exchanges.
    package static func + (left: LLMUsage, right: LLMUsage) -> LLMUsage {
        var sum = left
        sum.inputTokens = saturated(left.inputTokens, right.inputTokens)
        sum.outputTokens = saturated(left.outputTokens, right.outputTokens)
        return sum
    }

    private static func saturated(_ left: Int, _ right: Int) -> Int {
        let (sum, hasOverflowed) = left.addingReportingOverflow(right)
        return hasOverflowed ? .max : sum
    }
}

/// A count of tokens as a reply has it: whatever stands there is no reason to refuse the answer beside it. What is no
/// number counts as 0.
struct TokenCount: Decodable, Sendable {
    /// From 0 to `LLMUsage.maximumTokens`.
    let value: Int

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // A whole number beyond 64 bits is still a number.
        let number = (try? container.decode(Int.self)).map { Double($0) } ?? (try? container.decode(Double.self)) ?? 0
        value = Int(min(max(0, number), Double(LLMUsage.maximumTokens)))
    }
}
