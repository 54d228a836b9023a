/// What a million tokens of a model cost, in millionths of a dollar: $0.15 is 150,000.
package struct ModelPrice: Sendable, Equatable {
    /// No call is taken to cost more, in billionths of a dollar: $1,000,000, the largest budget. Thousands of such costs
    /// still make a sum that a database can hold.
    package static let maximumCost = 1_000_000 * USD.nanodollars

    package let input: Int64
    package let output: Int64

    package init(input: Int64, output: Int64) {
        self.input = input
        self.output = output
    }

    /// The cost in billionths of a dollar, rounded up; at most `maximumCost`.
    package func cost(of usage: LLMUsage) -> Int64 {
        let sum = Self.product(usage.inputTokens, input).addingReportingOverflow(
            Self.product(usage.outputTokens, output))
        guard !sum.overflow, sum.partialValue < .max - 999 else { return Self.maximumCost }
        return min((sum.partialValue + 999) / 1000, Self.maximumCost)
    }

    private static func product(_ tokens: Int, _ price: Int64) -> Int64 {
        let product = Int64(clamping: tokens).multipliedReportingOverflow(by: price)
        return product.overflow ? .max : product.partialValue
    }
}

/// The price of each model, as the settings have it.
package struct PriceTable: Sendable, Equatable {
    package private(set) var prices: [String: ModelPrice]
    /// What a model that is not listed is taken to cost: rather too much than too little.
    package var fallback: ModelPrice

    /// What providers ask at the end of 2025, in dollars for a million tokens in and out.
    package static let builtIn = """
        gpt-4o-mini=0.15/0.60, gpt-4o=2.50/10, gpt-4.1=2/8, gpt-4.1-mini=0.40/1.60, gpt-4.1-nano=0.10/0.40, \
        gpt-5=1.25/10, gpt-5-mini=0.25/2, gpt-5-nano=0.05/0.40, \
        text-embedding-3-small=0.02/0, text-embedding-3-large=0.13/0, \
        gemini-2.5-pro=1.25/10, gemini-2.5-flash=0.30/2.50, gemini-2.5-flash-lite=0.10/0.40, \
        gemini-2.0-flash=0.10/0.40, gemini-2.0-flash-lite=0.075/0.30, gemini-embedding-001=0.15/0
        """

    /// The built-in prices; $2.50 and $10 for a model that they lack.
    package static let standard: PriceTable = {
        var table = PriceTable(prices: [:], fallback: ModelPrice(input: 2_500_000, output: 10_000_000))
        // The text above is right, which a test shows.
        if case .success(let read) = table.adding(builtIn) { table = read }
        return table
    }()

    package init(prices: [String: ModelPrice], fallback: ModelPrice) {
        self.prices = prices
        self.fallback = fallback
    }

    /// Why a text is no list of prices.
    package struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// This table with the prices of `text` in place of those it has: `model=in/out`, separated by commas, in dollars
    /// for a million tokens; `*` is the price of models that are not listed.
    package func adding(_ text: String) -> Result<PriceTable, Problem> {
        var table = self
        for entry in text.split(separator: ",") {
            let trimmed = entry.trimmingSpaces()
            if trimmed.isEmpty { continue }
            let sides = trimmed.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2 else { return .failure(Self.problem(trimmed)) }
            let name = sides[0].trimmingSpaces()
            let amounts = sides[1].split(separator: "/", omittingEmptySubsequences: false).map { $0.trimmingSpaces() }
            guard !name.isEmpty, amounts.count == 2, let input = USD.units(of: amounts[0], digits: 6),
                let output = USD.units(of: amounts[1], digits: 6)
            else { return .failure(Self.problem(trimmed)) }
            let price = ModelPrice(input: input, output: output)
            if name == "*" { table.fallback = price } else { table.prices[String(name)] = price }
        }
        return .success(table)
    }

    /// The price of a model and whether it is listed; `gpt-4o-mini-2024-07-18` has the price of `gpt-4o-mini`.
    package func price(of model: String) -> (price: ModelPrice, isListed: Bool) {
        let name = model.hasPrefix("models/") ? String(model.dropFirst("models/".count)) : model
        if let price = prices[name] { return (price, true) }
        let dated = prices.filter { known, _ in
            guard name.hasPrefix(known + "-") else { return false }
            // A version and nothing else: what follows a family's name may be another, dearer model.
            return name.dropFirst(known.count).allSatisfy { $0 == "-" || ("0"..."9").contains($0) }
        }
        let longest = dated.max { $0.key.utf8.count < $1.key.utf8.count }
        return longest.map { ($0.value, true) } ?? (fallback, false)
    }

    private static func problem(_ entry: Substring) -> Problem {
        Problem(
            description: "“\(entry.prefix(60))” is no price; write model=in/out in dollars for a million tokens, such "
                + "as gpt-4o-mini=0.15/0.60, with a comma between two")
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        var text = self
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }
}
