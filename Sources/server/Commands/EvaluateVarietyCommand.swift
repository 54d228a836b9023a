internal import ArgumentParser
internal import Engine
internal import Foundation
internal import Store
internal import VectorIndex

extension EvaluateCommand {
    /// `pathlight evaluate variety`
    struct Variety: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Coverage and balance of the recommendations over random sheets of answers.")

        @Option(parsing: .unconditional, help: "Random sheets.")
        var sheets = 2_000

        @Option(parsing: .unconditional, help: "Seed of the sheets.")
        var seed = VarietyReport.defaultSeed

        @Flag(help: "Print one JSON document.")
        var json = false

        @OptionGroup var common: CommonOptions

        func validate() throws {
            if sheets < 1 { throw ValidationError("--sheets must be at least 1, not \(sheets)") }
        }

        func run() async throws {
            let (settings, logger) = try common.settings()
            var reports: [VarietyReport] = []
            for comparison in AbilityComparison.allCases {
                // The service keeps an index of its own way of comparing: that of another must not take its place.
                let pathways = try await Pathways.open(
                    settings, comparison: comparison, keepsIndex: false, logger: logger)
                reports.append(
                    try await VarietyReport.measure(
                        pathways.recommender, quiz: pathways.quiz, sheets: sheets, seed: seed))
                try await pathways.database.close()
            }
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
                try Terminal.data(String(decoding: try encoder.encode(reports), as: UTF8.self))
            } else {
                try Terminal.data(Self.table(reports))
            }
        }

        /// Markdown, one column for each way of comparing abilities.
        private static func table(_ reports: [VarietyReport]) -> String {
            func percent(_ value: Double) -> String { "\(Percent.rounded(value * 100)) %" }
            func number(_ value: Double) -> String { String(format: "%.3f", value) }
            func known(_ value: Double?) -> String { value.map(number) ?? "–" }
            var rows: [(String, (VarietyReport) -> String)] = [
                ("careers in at least one list", { percent($0.coverage) }),
                ("most frequent career", { "\(percent($0.greatestShare)) (\($0.mostFrequent))" }),
                ("Gini of how often careers are recommended", { number($0.gini) }),
                ("Gini of random lists", { number($0.randomGini) }),
                ("cosine of two texts of a list", { known($0.intraListText) }),
                ("cosine of two texts of a random list", { known($0.randomListText) }),
                ("cosine of two careers' abilities in a list", { known($0.intraListAbilities) }),
                ("cosine of two careers' abilities in a random list", { known($0.randomListAbilities) }),
                (
                    "share of the lists that a cluster is in",
                    { "\(percent($0.clusterShares.lowerBound)) to \(percent($0.clusterShares.upperBound))" }
                ),
                ("text cosines: mean, spread", { "\(number($0.textMean)), \(number($0.textSpread))" }),
                ("ability cosines: mean, spread", { "\(number($0.abilityMean)), \(number($0.abilitySpread))" }),
                ("λ", { number(Double($0.lambda)) }),
                ("lists that change when abilities are left out", { percent($0.listsChangedByAbilities) }),
            ]
            for (i, entry) in (reports.first?.sensitivity ?? []).enumerated() {
                rows.append(
                    ("of the list at α = 0.7, also at α = \(entry.alpha)", { percent($0.sensitivity[i].overlap) }))
            }
            let count = reports.first?.sheets ?? 0
            var lines = ["| over \(count) random sheets, five careers each |"]
            lines[0] += reports.map { " \($0.comparison.rawValue) abilities |" }.joined()
            lines.append("|---|" + reports.map { _ in "---|" }.joined())
            lines += rows.map { name, value in "| \(name) |" + reports.map { " \(value($0)) |" }.joined() }
            return lines.joined(separator: "\n")
        }
    }

    /// `pathlight evaluate personas`
    struct Personas: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What written people are recommended, held against what an adviser would expect.")

        @Argument(help: "A JSON file of personas.")
        var file = "Tests/personas.json"

        @OptionGroup var common: CommonOptions

        func run() async throws {
            let (settings, logger) = try common.settings()
            let data: Data
            do {
                data = try Data(contentsOf: URL(fileURLWithPath: file))
            } catch {
                throw StartProblem("\(file) cannot be read: \(error.localizedDescription)")
            }
            let personas = try Persona.read(data)
            let pathways = try await Pathways.open(settings, logger: logger)
            let results = try await PersonaResult.measure(personas, with: pathways.recommender, quiz: pathways.quiz)
            try await pathways.database.close()
            for result in results { try Terminal.data(Self.section(result)) }
            let failed = results.filter { !$0.isDefensible }
            Terminal.error("\(results.count - failed.count) of \(results.count) lists are as expected")
            if !failed.isEmpty { throw ExitCode(1) }
        }

        /// Markdown.
        private static func section(_ result: PersonaResult) -> String {
            var lines = ["### \(result.persona.id)", "", result.persona.description, ""]
            lines += [
                "| | career | cluster | score | band | texts | abilities | before the cap |",
                "|---|---|---|---|---|---|---|---|",
            ]
            for item in result.reply.recommendations {
                let shown = Percent(
                    score: item.score, embedding: item.embeddingSimilarity, ability: item.abilitySimilarity,
                    alpha: result.reply.alpha)
                lines.append(
                    "| \(item.rank) | \(item.career.name) | \(item.career.cluster) | \(shown.score) | \(item.band.rawValue) "
                        + "| \(shown.embedding.map { "\($0)" } ?? "–") | \(shown.ability.map { "\($0)" } ?? "–") "
                        + "| \(item.explanation.rankBeforeCap) |")
            }
            if let first = result.reply.recommendations.first {
                lines += ["", "Why \(first.career.name): \(first.explanation.summary)"]
                lines += first.explanation.speaksFor.map { "- for: \($0)" }
                lines += first.explanation.speaksAgainst.map { "- against: \($0)" }
            }
            return lines.joined(separator: "\n") + "\n"
        }
    }
}
