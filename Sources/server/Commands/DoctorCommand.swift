internal import ArgumentParser
internal import Embedder
internal import Engine
internal import Foundation
internal import Logging
internal import Store

/// `pathlight doctor`: checks everything that a start needs, and says how to mend what is missing.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Checks everything a start needs, and says how to mend what is missing.")

    @OptionGroup var common: CommonOptions

    private struct Finding {
        enum State: String {
            case good = "ok"
            /// The service starts, degraded.
            case degraded
            case broken
        }

        let subject: String
        let state: State
        let detail: String
    }

    func run() async throws {
        let (settings, logger) = try common.settings()
        var findings = [content(), settingsFinding(settings), model(settings)]
        findings.append(await database(settings, logger: logger))
        for finding in findings {
            try Terminal.data(
                "\(finding.state.rawValue.padding(toLength: 9, withPad: " ", startingAt: 0))\(finding.subject): \(finding.detail)"
            )
        }
        if findings.contains(where: { $0.state == .broken }) { throw ExitCode(1) }
    }

    private func content() -> Finding {
        do {
            let careers = try BuiltInContent.careers()
            let questions = try BuiltInContent.quiz().questions.count
            return Finding(
                subject: "content", state: .good,
                detail:
                    "\(careers.count) careers in \(Set(careers.map(\.cluster)).count) clusters, \(questions) questions")
        } catch {
            return Finding(
                subject: "content", state: .broken, detail: "\(error); the program is damaged, build it anew")
        }
    }

    private func settingsFinding(_ settings: ServiceSettings) -> Finding {
        Finding(
            subject: "settings", state: .good,
            detail:
                "\(settings.host):\(settings.port), data in \(settings.dataDirectory), models in \(settings.modelsDirectory)"
        )
    }

    private func model(_ settings: ServiceSettings) -> Finding {
        switch LoadedModel.load(settings.model, from: settings.modelsDirectory, cacheEntries: 0) {
        case .missing(let degradation):
            return Finding(subject: "model", state: .degraded, detail: degradation.detail)
        case .ready(let embedder):
            do {
                let space = try embedder.space()
                _ = try embedder.embedding(of: "a nurse")
                return Finding(subject: "model", state: .good, detail: "\(settings.model), space \(space.id)")
            } catch {
                return Finding(subject: "model", state: .broken, detail: "\(error)")
            }
        }
    }

    private func database(_ settings: ServiceSettings, logger: Logger) async -> Finding {
        let path = Pathways.databasePath(settings)
        do {
            let database = try await Pathways.openDatabase(settings, logger: logger)
            let problems = try await database.check()
            _ = try await CatalogueContent.read(from: database)
            try await database.close()
            return problems.isEmpty
                ? Finding(subject: "database", state: .good, detail: path)
                : Finding(subject: "database", state: .broken, detail: "\(path): \(problems.joined(separator: "; "))")
        } catch {
            return Finding(subject: "database", state: .broken, detail: "\(error)")
        }
    }
}
