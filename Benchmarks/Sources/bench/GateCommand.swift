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
        /// A search that looks at all rows first, plane by plane: of more and longer rows.
        case firstLook = "first-look"
        case embed
    }

    @Option(help: "search, first-look or embed.")
    var work: Work

    @Option(name: .customLong("repeat"), help: "Times to do it.")
    var times = 1

    @Option(help: "Rows of the index.")
    var rows: Int?

    @Option(help: "Where the index is kept: read if it is there, else made and written.")
    var index: String?

    @Option(help: "What the encoder computes in: float32 or int8.")
    var precision = EncoderPrecision.int8

    @Option(help: "The model's folder.")
    var model = "models/all-MiniLM-L6-v2"

    @Flag(help: "Check the search's hits against a naive scan.")
    var check = false

    /// Short rows: the axes of long ones would take a counter longer to fit than all else together. The first look wants
    /// three planes with sketches.
    private var layout: RowLayout { RowLayout(embeddingCount: work == .firstLook ? 384 : 128, abilityCount: 15) }
    /// Few enough for one thread; and enough for a first look.
    private var rowCount: Int { rows ?? (work == .firstLook ? 12_288 : 4_096) }
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
        guard times > 0, rows ?? 1 > 0 else { throw ValidationError("--repeat and --rows take numbers above 0") }
    }

    func run() throws {
        var answer = Answer(work: work, repeats: times, instructionSet: "\(InstructionSet.detected)")
        switch work {
        case .search, .firstLook: try search(&answer)
        case .embed: try embed(&answer)
        }
        try Figures.say(answer)
    }

    private func search(_ answer: inout Answer) throws {
        let items = GateItems(layout: layout)
        let generation = try generation(of: items)
        let requests = try (0..<16).map { SearchRequest(query: try items.query($0), limit: Self.limit) }
        var rescored = 0
        for _ in 0..<times {
            // On one thread: how often two wait for each other is another matter each time.
            try WorkerThreads.$isConfined.withValue(true) {
                try countedWork { for request in requests { rescored += try generation.search(request).rescored } }
            }
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

    /// Under a counter an index is read in a second and made in minutes.
    private func generation(of items: GateItems) throws -> Generation {
        if let index, FileManager.default.fileExists(atPath: index) {
            return try LiveIndex.open(index, layout: layout).index.current
        }
        let made = LiveIndex(layout: layout, codesFrom: 1_024)
        try made.apply(upserting: (0..<rowCount).map(items.item))
        if let index { try made.save(to: index) }
        return made.current
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
