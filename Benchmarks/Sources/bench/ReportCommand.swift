import ArgumentParser
import Foundation

/// Joins what was measured in this process and through HTTP, names the machine, and judges.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Join figures into one JSON document and one Markdown table.")

    @Option(help: "What “measure” wrote.")
    var figures: String?

    @Option(help: "What the HTTP clients wrote: one JSON object a line.")
    var routes: String?

    @Option(help: "A remark to put under the tables; may be given several times.")
    var note: [String] = []

    @Option(help: "Of the compiler.")
    var swiftVersion: String?

    @Option(help: "Of the sources.")
    var revision: String?

    @Option(help: "The kind of file system under the service's database.")
    var storage: String?

    @Option(help: "The load average when the run began.")
    var load: String?

    @Option(help: "Where the JSON document goes.")
    var json: String

    @Option(help: "Where the Markdown table goes; it is printed as well.")
    var markdown: String

    func run() throws {
        var all = Figures()
        if let figures { all = try Figures.decoded(Data(contentsOf: URL(fileURLWithPath: figures))) }
        if let routes {
            let lines = try Data(contentsOf: URL(fileURLWithPath: routes)).split(separator: UInt8(ascii: "\n"))
            let turns = RouteTurns(
                rows: try lines.map { try Figures.decoder.decode(RouteRow.self, from: Data($0)) })
            all.routes += turns.merged
            all.shareOfEmptyRoute = turns.shareOfEmptyRoute(connections: EmptyRouteShare.connections)
        }
        all.notes += note
        let machine = Machine(swiftVersion: swiftVersion, revision: revision, storage: storage, loadAtStart: load)
        let report = Report(machine: machine, date: Date.now.formatted(.iso8601), figures: all)
        try report.encoded().write(to: URL(fileURLWithPath: json))
        let table = report.markdown
        try Data(table.utf8).write(to: URL(fileURLWithPath: markdown))
        print(table, terminator: "")

        let faults = report.faults
        for fault in faults { Progress.say("FAILED: \(fault)") }
        if !faults.isEmpty { throw ExitCode.failure }
    }
}
