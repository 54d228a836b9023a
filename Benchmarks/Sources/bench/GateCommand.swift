import ArgumentParser
import Embedder
import Foundation
import VectorIndex
import VectorMath

/// Does a small fixed work some times over: what the tests count the instructions of.
///
/// Each time is one call of `countedWork`, by whose name a counter tells the work from loading and building. The first
/// time also sets up what is kept; count the second.
struct GateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gate", abstract: "Do a small fixed work so many times; print what can be checked of it.")

    enum Work: String, ExpressibleByArgument, Codable {
        case search
        case embed
    }

    @Option(help: "search or embed.")
    var work: Work

    @Option(name: .customLong("repeat"), help: "Times to do it.")
    var times = 1

    @Option(help: "Rows of the index; few enough for one thread.")
    var rows = 4_096

    @Option(help: "What the encoder computes in: float32 or int8.")
    var precision = EncoderPrecision.int8

    @Option(help: "The model's folder.")
    var model = "models/all-MiniLM-L6-v2"

    @Flag(help: "Check the search's hits against a naive scan.")
    var check = false

    /// Short rows: the axes of long ones would take a counter longer to fit than all else together.
    private static let layout = RowLayout(embeddingCount: 128, abilityCount: 15)
    private static let limit = 20

    private struct Answer: Encodable {
        var work: Work
        var repeats: Int
        var instructionSet: String
        var bytesPerRow: Int?
        var rowsRescored: Int?
        /// The least of some queries.
        var recall: Double?
        /// Of the vectors, so that nobody can leave the work out.
        var sum: Float?
    }

    func validate() throws {
        guard times > 0, rows > 0 else { throw ValidationError("--repeat and --rows take numbers above 0") }
    }

    func run() throws {
        var answer = Answer(work: work, repeats: times, instructionSet: "\(InstructionSet.detected)")
        switch work {
        case .search: try search(&answer)
        case .embed: try embed(&answer)
        }
        try Figures.say(answer)
    }

    private func search(_ answer: inout Answer) throws {
        let items = GateItems(layout: Self.layout)
        let index = LiveIndex(layout: Self.layout, codesFrom: 1_024)
        try index.apply(upserting: (0..<rows).map(items.item))
        let generation = index.current
        let requests = try (0..<16).map { SearchRequest(query: try items.query($0), limit: Self.limit) }
        var rescored = 0
        for _ in 0..<times {
            try countedWork { for request in requests { rescored += try generation.search(request).rescored } }
        }
        answer.rowsRescored = rescored / (times * requests.count)
        answer.bytesPerRow = generation.bytesPerRow
        if check {
            answer.recall = try requests.map { request in
                NaiveScan(request.query, over: generation)
                    .recall(of: try generation.search(request), limit: Self.limit, maxPerCluster: nil)
            }.min()
        }
    }

    private func embed(_ answer: inout Answer) throws {
        let embedder = try precision.load(folder: URL(fileURLWithPath: model))
        // 16 tokens, special ones included.
        let text = "i like to work with people and to repair old cars at home"
        var sum: Float = 0
        for _ in 0..<times {
            // On one core: how two share the work is another matter each time.
            try EncoderThreads.sideBySide {
                try countedWork { sum += try embedder.embedding(of: text).reduce(0, +) }
            }
        }
        answer.sum = sum
    }
}

/// Calls `work`; never inlined, so that a counter finds the call.
@inline(never)
private func countedWork(_ work: () throws -> Void) rethrows {
    try work()
}

/// Items near some directions, as those of texts are: their codes leave few rows in doubt.
private struct GateItems {
    let layout: RowLayout
    private let plain: RandomItems
    private static let topics = 32

    init(layout: RowLayout) {
        self.layout = layout
        plain = RandomItems(layout: layout)
    }

    func item(_ number: Int) -> IndexItem {
        var item = plain.item(number)
        item.embedding = embedding(number)
        return item
    }

    func query(_ number: Int) throws -> FusedQuery {
        try FusedQuery(
            embedding: embedding(1 << 30 + number), abilities: plain.item(number).abilities, alpha: 0.7, lambda: 0.2,
            layout: layout)
    }

    private func embedding(_ number: Int) -> [Float] {
        var topic = SplitMix64(state: UInt64(number % Self.topics) &+ 1)
        var own = SplitMix64(state: UInt64(number) &* 0xD134_2543_DE82_EF95 &+ 7)
        let mixed = zip(topic.unitVector(layout.embeddingCount), own.unitVector(layout.embeddingCount))
            .map { $0 + 0.8 * $1 }
        let scale = Float(1 / RowScan.norm(mixed.span))
        return mixed.map { $0 * scale }
    }
}
