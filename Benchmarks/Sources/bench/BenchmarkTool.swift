import ArgumentParser

/// What `Benchmarks/run` calls: one command measures, the other makes the report.
@main
struct BenchmarkTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Times the layers without the service around them, and makes the report. See Benchmarks/README.md.",
        subcommands: [MeasureCommand.self, ReportCommand.self, SearchCommand.self, StartCommand.self])
}
