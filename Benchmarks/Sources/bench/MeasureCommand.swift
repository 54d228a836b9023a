import ArgumentParser
import Embedder
import Foundation

/// Measures searches and embeddings in this process.
struct MeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure", abstract: "Measure searches and embeddings; write the figures as JSON.")

    enum Section: String, ExpressibleByArgument {
        case search
        case embed
    }

    @Option(help: "Only this section; both if not given.")
    var only: Section?

    @Option(parsing: .upToNextOption, help: "Numbers of rows to search.")
    var rows: [Int] = [1_000, 100_000, 1_000_000]

    @Option(parsing: .upToNextOption, help: "Lengths of texts in tokens, special tokens included.")
    var tokens: [Int] = [16, 60, 256]

    @Option(parsing: .upToNextOption, help: "What the encoder computes in: int8, float32.")
    var precisions: [EncoderPrecision] = [.int8, .float32]

    @Option(help: "Seconds to spend on a row of the table, at least.")
    var seconds = 3.0

    @Option(help: "The model's folder.")
    var model = "models/all-MiniLM-L6-v2"

    @Option(help: "Where the figures go.")
    var json: String

    func validate() throws {
        guard rows.allSatisfy({ $0 > 0 }) else { throw ValidationError("--rows takes numbers above 0") }
        guard tokens.allSatisfy({ $0 > 2 }) else { throw ValidationError("--tokens takes numbers above 2") }
        guard seconds > 0 else { throw ValidationError("--seconds takes a number above 0") }
    }

    func run() throws {
        var figures = Figures()
        if only != .embed {
            for count in rows {
                if let reason = SearchBench.lackOfMemory(rows: count) {
                    figures.notes.append(reason)
                    continue
                }
                try SearchBench(rows: count, seconds: seconds).run(into: &figures)
            }
        }
        if only != .search {
            do {
                for precision in precisions {
                    let bench = try EmbedBench(
                        folder: URL(fileURLWithPath: model), precision: precision, seconds: seconds)
                    for length in tokens { figures.embedding.append(try bench.row(tokens: length)) }
                }
            } catch {
                // Without a model the rest of the report is still worth having.
                figures.notes.append("embedding was not measured: \(error)")
            }
        }
        for note in figures.notes { Progress.say(note) }
        try figures.encoded().write(to: URL(fileURLWithPath: json))
    }
}
