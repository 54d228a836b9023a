internal import ArgumentParser
internal import Engine
internal import Foundation
internal import Logging
internal import Store

extension EvaluateCommand {
    /// `pathlight evaluate abilities`
    struct Abilities: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "How well the 15 abilities alone find related occupations of O*NET, and whether weights help.",
            discussion: """
                Weights are learned on one half of the occupations and reported on the other, in both directions. \
                --apply puts those of all occupations in use only where they help in both; “evaluate feedback --reset” \
                takes them back.
                """)

        @Option(help: "Judgements as TREC has them, of careers' ids (default: O*NET's related occupations).")
        var qrels: String?

        @Flag(help: "Put the weights in use if they help.")
        var apply = false

        @Flag(help: "Measure texts and abilities together too, for each share of the texts; embeds what has no vector.")
        var curve = false

        @Flag(help: "Print one JSON document.")
        var json = false

        @OptionGroup var common: CommonOptions

        private struct Answer: Encodable {
            let abilities: AbilityStudyReport
            let curve: AlphaCurve?
        }

        func run() async throws {
            let (settings, logger) = try common.settings()
            let file = try qrels.map { (name: $0, bytes: try Retrieval.bytes($0)) }
            let database = try await Pathways.openDatabase(settings, logger: logger)
            do {
                let careers = try await CatalogueContent.read(from: database).careers
                let related = try Self.related(file, careers, in: settings.dataDirectory)
                let report = try await OwnThread.run { try AbilityStudyReport.measure(related) }
                if apply, report.helps, let weights = report.learned.weights {
                    try await AbilityWeightSetting.write(weights.values, to: database)
                }
                try await database.close()
                let measured = curve ? try await alphaCurve(related, settings: settings, logger: logger) : nil
                if json {
                    try Terminal.data(try Embedding.json(Answer(abilities: report, curve: measured)))
                } else {
                    let curve = measured.map { "\n\n### Texts and abilities together\n\n" + $0.markdown } ?? ""
                    try Terminal.data(report.markdown + curve)
                }
                Terminal.error(Self.end(report, applies: apply))
            } catch {
                try? await database.close()
                throw error
            }
        }

        private func alphaCurve(
            _ related: RelatedCareers, settings: ServiceSettings, logger: Logger
        ) async throws -> AlphaCurve {
            let pathways = try await Pathways.open(settings, keepsIndex: false, logger: logger)
            let generation = pathways.recommender.current
            let curve = try await OwnThread.run { AlphaCurve.measure(related, in: generation) }
            try await pathways.database.close()
            guard let curve else {
                throw StartProblem(
                    generation.degradation?.detail ?? "the careers have no vectors; “pathlight reembed” makes them")
            }
            return curve
        }

        private static func related(
            _ file: (name: String, bytes: [UInt8])?, _ careers: [Career], in folder: String
        ) throws -> RelatedCareers {
            do {
                guard let file else { return try RelatedCareers(ofOnetIn: careers) }
                return try RelatedCareers(file.bytes, named: file.name, in: careers)
            } catch let error as AbilityStudyError {
                throw StartProblem("\(error) (\(folder)); import O*NET first: “pathlight import onet FOLDER”")
            }
        }

        /// What became of the weights, or how they would come into use.
        private static func end(_ report: AbilityStudyReport, applies: Bool) -> String {
            guard report.helps, report.learned.weights != nil else {
                return applies ? "nothing was changed: \(report.reason)" : "there is nothing to put in use"
            }
            if applies { return "the weights are in use; a running service follows within a second or two" }
            return "--apply puts the weights of all occupations in use; "
                + "“pathlight evaluate feedback --reset” takes them back"
        }
    }
}
