import Foundation
import VectorIndex
import VectorMath

/// Answers queries by number over standard input and output, so that another program can ask this engine and others in
/// turn.
struct SearchCoProcess {
    /// Queries that are written to the file and may be asked at once.
    static let queryCount = 256
    /// Of queries asked at once, so many have their rows told: enough for recall, and the lines stay short.
    private static let toldQueries = 16

    let generation: Generation
    let limit: Int
    let query: (Int, Float) throws -> FusedQuery

    private enum Mode: String, CaseIterable {
        /// By embeddings alone, as the peers search.
        case exact
        /// Embeddings and abilities.
        case fused
        /// The same with one hit a cluster.
        case capped
        /// The same with each hit's rank without the cap, as the service asks.
        case ranked
        /// By embeddings alone, without proof.
        case approximate
    }

    private struct Ready: Encodable {
        var rows: Int
        var bytesPerRow: Int
        var instructionSet: String
        var threads: Int
    }

    private struct Answer: Encodable {
        var ms: Double
        /// Numbers of the rows, best first, of the first queries.
        var rows: [[UInt32]]
        /// Median over the queries.
        var rescored: Int
    }

    func run(rowsFile: String?, queriesFile: String?) throws {
        if let rowsFile {
            try write(rowsFile, count: generation.count) { generation.row(at: Slot($0)) }
        }
        if let queriesFile {
            try write(queriesFile, count: Self.queryCount) { try query($0, 1).row }
        }
        try JSONLines.say(
            Ready(
                rows: generation.count, bytesPerRow: generation.bytesPerRow,
                instructionSet: "\(InstructionSet.detected)", threads: WorkerThreads.processorCount))
        while let line = readLine() { try answer(line) }
    }

    /// - Parameter line: “MODE QUERY” for one query, “MODE FIRST COUNT” for several at once.
    private func answer(_ line: String) throws {
        let words = line.split(separator: " ")
        let numbers = words.dropFirst().compactMap { Int($0) }
        guard let mode = words.first.flatMap({ Mode(rawValue: String($0)) }), numbers.count == words.count - 1,
            numbers.count == 1 || numbers.count == 2, let first = numbers.first, first >= 0,
            case let count = numbers.count == 2 ? numbers[1] : 1, count > 0
        else { throw CoProcessError.notUnderstood(line) }
        let requests = try (first..<first + count).map { number in
            SearchRequest(
                query: try query(number, mode == .exact || mode == .approximate ? 1 : 0.7), limit: limit,
                maxPerCluster: mode == .capped || mode == .ranked ? 1 : nil, wantsRankBeforeCap: mode == .ranked,
                isApproximate: mode == .approximate)
        }
        var results: [SearchResult] = []
        let time = try ContinuousClock().measure {
            results = count == 1 ? [try generation.search(requests[0])] : try generation.search(batch: requests)
        }
        try JSONLines.say(
            Answer(
                ms: time / .milliseconds(1),
                rows: results.prefix(Self.toldQueries).map { $0.hits.map(\.slot.index) },
                rescored: results.map(\.rescored).sorted()[count / 2]))
    }

    /// Writes the embeddings of rows, one after the other.
    private func write(_ path: String, count: Int, row: (Int) throws -> [Float]) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { throw CoProcessError.cannotWrite(path) }
        var pending: [Float] = []
        func flush() throws {
            // SAFETY: the bytes are copied while the array lives.
            try file.write(contentsOf: unsafe pending.withUnsafeBytes { unsafe Data($0) })
            pending.removeAll(keepingCapacity: true)
        }
        for number in 0..<count {
            pending += try row(number).prefix(generation.layout.embeddingCount)
            if pending.count >= 1 << 20 { try flush() }
        }
        try flush()
        try file.close()
    }
}

enum CoProcessError: Error, CustomStringConvertible {
    case notUnderstood(String)
    case noTexts(String)
    case cannotWrite(String)

    var description: String {
        switch self {
        case .notUnderstood(let line):
            "“\(line)” is no mode with a query’s number, or with the first and the count of several"
        case .noTexts(let line): "“\(line.prefix(100))” is no JSON list of texts"
        case .cannotWrite(let path): "\(path) cannot be written"
        }
    }
}
