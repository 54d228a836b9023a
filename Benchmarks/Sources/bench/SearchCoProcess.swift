import Foundation
import VectorIndex
import VectorMath

/// Answers queries by number over standard input and output, so that another program can ask this engine and others in
/// turn.
struct SearchCoProcess {
    static let queryCount = 64

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
        /// Numbers of the rows, best first.
        var rows: [UInt32]
        var rescored: Int
    }

    func run(rowsFile: String?, queriesFile: String?) throws {
        if let rowsFile {
            try write(rowsFile, count: generation.count) { generation.row(at: Slot($0)) }
        }
        if let queriesFile {
            try write(queriesFile, count: Self.queryCount) { try query($0, 1).row }
        }
        try say(
            Ready(
                rows: generation.count, bytesPerRow: generation.bytesPerRow,
                instructionSet: "\(InstructionSet.detected)", threads: WorkerThreads.processorCount))
        while let line = readLine() {
            let words = line.split(separator: " ")
            guard words.count == 2, let mode = Mode(rawValue: String(words[0])), let number = Int(words[1]) else {
                throw CoProcessError.notUnderstood(line)
            }
            let request = SearchRequest(
                query: try query(number, mode == .exact || mode == .approximate ? 1 : 0.7), limit: limit,
                maxPerCluster: mode == .capped ? 1 : nil, isApproximate: mode == .approximate)
            let clock = ContinuousClock()
            var result: SearchResult?
            let time = try clock.measure { result = try generation.search(request) }
            guard let result else { continue }
            try say(
                Answer(
                    ms: time / .milliseconds(1), rows: result.hits.map(\.slot.index), rescored: result.rescored))
        }
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

    private func say(_ answer: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        var line = try encoder.encode(answer)
        line.append(0x0A)
        try FileHandle.standardOutput.write(contentsOf: line)
    }
}

enum CoProcessError: Error, CustomStringConvertible {
    case notUnderstood(String)
    case cannotWrite(String)

    var description: String {
        switch self {
        case .notUnderstood(let line): "“\(line)” is no mode and number of a query"
        case .cannotWrite(let path): "\(path) cannot be written"
        }
    }
}
