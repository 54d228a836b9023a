import ArgumentParser
import Foundation
import VectorIndex
import VectorMath

/// Measures a start: from an index on disk to its first answer, in processes of their own. What `make bench-start` runs.
struct StartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Measure a start from disk to the first answer; print one JSON document.")

    @Option(help: "Rows of the index.")
    var rows = 100_000

    @Option(help: "random (unit vectors) or text (embedded titles and tasks).")
    var data = SearchCommand.DataKind.random

    @Flag(help: "Leave the float32 rows on disk.")
    var lean = false

    @Flag(help: "Start from a database's blocks instead of the index file: everything is copied, fitted and encoded.")
    var blocks = false

    @Flag(help: "Leave the files for the next run, and take those of the last one.")
    var keep = false

    @Option(help: "Folder of the files, some 4 KB a row.")
    var folder = ".cache/bench"

    @Option(help: "The model's folder, for text.")
    var model = "models/all-MiniLM-L6-v2"

    @Option(help: "O*NET's text files, for text.")
    var onet = "../shared/data/onet"

    /// How this command calls itself: the start that is measured.
    @Flag(help: .hidden)
    var opening = false

    func validate() throws {
        guard rows > 0 else { throw ValidationError("ROWS takes a number above 0") }
    }

    /// What is printed. Seconds are those of the process that starts.
    private struct Answer: Encodable {
        var rows: Int
        var data: SearchCommand.DataKind
        var source: String
        var memory: IndexMemory
        var bytesOnDisk: Int
        var bytesOnDiskPerRow: Double
        /// Of making index and file before; nil where the files of an earlier run were taken.
        var buildSeconds: Double?
        var writeSeconds: Double?
        var warm: Start
        /// With an empty page cache; nil where the system does not let it be emptied.
        var cold: Start?
        var instructionSet: String
        var threads: Int
    }

    /// What a process says that starts.
    struct Start: Codable {
        var loadSeconds: Double
        /// From the beginning to the first answer.
        var firstAnswerSeconds: Double
        var firstSearchMs: Double
        /// Of 64 queries after the first answer.
        var medianSearchMs: Double
        /// Where the time goes, in order.
        var steps: [Step]
        /// Bytes of memory that the process holds after loading and before the first search: its own, and of files that
        /// it maps.
        var residentBytes: Int
        var residentFileBytes: Int
        var residentBytesPerRow: Double
        /// The most that it ever held, of both.
        var peakResidentBytes: Int
        var codesRemade: String?
        /// Share of queries whose hits, order, bits of score and number of rescored rows are those before the start.
        var identical: Double
        /// The same without the number of rescored rows, which depends on threads by a few.
        var sameHits: Double
        var exact: Bool
    }

    struct Step: Codable {
        var name: String
        var seconds: Double
    }

    func run() throws {
        let files = StartFiles(folder: folder, data: data.rawValue, rows: rows)
        if opening {
            try StartProcess(command: self, files: files).run()
            return
        }
        var built: Duration?
        var written: Duration?
        if !keep || !files.areThere(blocks: blocks) {
            (built, written) = try make(files)
            try files.completeExpected()
        }
        defer { if !keep { files.remove() } }
        // The first one brings the file into the page cache where it is not there yet.
        _ = try start()
        let warm = try start()
        let cold = StartFiles.dropPageCache() ? try start() : nil
        let bytes = blocks ? StartFiles.size(files.blocks) : StartFiles.size(files.index)
        let answer = Answer(
            rows: rows, data: data, source: blocks ? "blocks" : "index file", memory: lean ? .lean : .full,
            bytesOnDisk: bytes, bytesOnDiskPerRow: Double(bytes) / Double(rows),
            buildSeconds: built.map { $0 / .seconds(1) }, writeSeconds: written.map { $0 / .seconds(1) }, warm: warm,
            cold: cold, instructionSet: "\(InstructionSet.detected)", threads: WorkerThreads.processorCount)
        try Figures.say(answer)
        if warm.sameHits < 1 || (cold?.sameHits ?? 1) < 1 { throw ExitCode(1) }
    }

    private func make(_ files: StartFiles) throws -> (built: Duration, written: Duration) {
        let bench = try prepared()
        let clock = ContinuousClock()
        let index = LiveIndex()
        Progress.say("making \(rows) rows")
        let built = try clock.measure { try bench.fill(index) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        Progress.say("writing \(files.index)")
        let written = try clock.measure { try index.save(to: files.index) }
        if blocks { try files.writeBlocks(of: index.current) }
        try files.writeExpected(of: index.current, query: bench.query)
        return (built, written)
    }

    private func start() throws -> Start {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = CommandLine.arguments.dropFirst() + ["--opening"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw ExitCode(process.terminationStatus) }
        return try Figures.decoder.decode(Start.self, from: output)
    }

    struct Prepared {
        let fill: (LiveIndex) throws -> Void
        let query: (Int) throws -> FusedQuery
        let abilities: @Sendable (Int) -> [Float]
    }

    func prepared() throws -> Prepared {
        let layout = RowLayout.standard
        let rows = rows
        let item: @Sendable (Int) -> IndexItem
        let query: (Int) throws -> FusedQuery
        switch data {
        case .random:
            let random = RandomItems(layout: layout)
            item = { random.item($0) }
            query = { try random.query($0) }
        case .text:
            let texts = try TextItems(
                release: URL(fileURLWithPath: onet), model: URL(fileURLWithPath: model),
                cache: URL(fileURLWithPath: ".cache/bench"), layout: layout)
            item = { texts.item($0) }
            query = { try texts.query($0, alpha: 0.7) }
        }
        return Prepared(
            fill: { try BenchIndex.fill($0, count: rows, item: item) }, query: query,
            abilities: { item($0).abilities })
    }
}

extension IndexMemory: Encodable {}
