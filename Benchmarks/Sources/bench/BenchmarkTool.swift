import ArgumentParser

/// What `Benchmarks/run`, the Makefile and the tests call.
@main
struct BenchmarkTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Times the layers without the service around them, and makes the report. See Benchmarks/README.md.",
        subcommands: [
            MeasureCommand.self, ReportCommand.self, SearchCommand.self, StartCommand.self, EmbedCommand.self,
            LoadCommand.self, GateCommand.self, TitlesCommand.self,
        ])
}
