internal import ArgumentParser

/// `pathlight evaluate`: measures how well the service recommends.
struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Measures how well the service recommends.",
        subcommands: [Variety.self, Personas.self, Retrieval.self, Feedback.self, Abilities.self])
}
