internal import ArgumentParser
internal import Engine
internal import Foundation
internal import Logging
internal import Store

extension EvaluateCommand {
    /// `pathlight evaluate feedback`
    struct Feedback: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Whether what people saved, chose and dismissed teaches better weights of abilities.",
            discussion: """
                Weights are fitted on four fifths of the sessions and tried on the rest. --apply puts them in use only where they \
                rank the held-out sessions better beyond doubt; --reset lets all abilities count alike again.
                """)

        @Flag(help: "Put the weights in use if they help.")
        var apply = false

        @Flag(help: "Let all abilities count alike again.")
        var reset = false

        @Flag(help: "Print one JSON document.")
        var json = false

        @OptionGroup var common: CommonOptions

        func validate() throws {
            if apply, reset { throw ValidationError("--apply and --reset exclude each other") }
        }

        func run() async throws {
            let (settings, logger) = try common.settings()
            let database = try await Pathways.openDatabase(settings, logger: logger)
            do {
                if reset {
                    try await AbilityWeightSetting.write(nil, to: database)
                    try Terminal.data(json ? "{\"reset\": true}" : "all abilities count alike again")
                } else {
                    let report = AbilityWeightReport.learn(try await Self.samples(in: database))
                    if apply, report.isAdopted {
                        try await AbilityWeightSetting.write(report.weights.values, to: database)
                    }
                    try Terminal.data(json ? try Embedding.json(report) : report.markdown)
                    if apply {
                        Terminal.error(
                            report.isAdopted
                                ? "the weights are in use; a running service follows within a second or two"
                                : "nothing was changed: \(report.reason)")
                    }
                }
                try await database.close()
            } catch {
                try? await database.close()
                throw error
            }
        }

        /// What people did with careers that a recommendation showed, as the regression takes it.
        private static func samples(in database: any SQLDatabase) async throws -> [AbilityWeightSample] {
            let content = try await CatalogueContent.read(from: database)
            guard !content.careers.isEmpty else { return [] }
            // Without the weights in use: what is learned takes their place, it does not come on top.
            let frame = AbilityFrame(profiles: content.careers.map(\.abilities), comparison: .centred)
            let vectors = Dictionary(
                uniqueKeysWithValues: content.careers.map { ($0.id, frame.unitVector($0.abilities)) })
            return try await CareerEventRepository(database).feedback().compactMap { row in
                let target: Double
                switch row.event.kind {
                case .saved, .chosen: target = 1
                case .dismissed: target = 0
                case .viewed: return nil
                }
                guard let record = LearningRecord.read(row.query), let profile = record.profile,
                    profile.count == Ability.count, let career = vectors[row.event.careerID],
                    let place = row.careerIDs.firstIndex(of: row.event.careerID), place < record.texts.count
                else { return nil }
                return AbilityWeightSample(
                    group: row.event.sessionID ?? row.event.id, person: frame.unitVector(profile), career: career,
                    offset: Double(record.texts[place]), target: target)
            }
        }
    }
}
