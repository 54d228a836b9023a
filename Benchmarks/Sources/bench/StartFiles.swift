import Foundation
import VectorIndex

/// The files that a start is measured with.
struct StartFiles {
    static let space = "bench"
    private static let queryCount = 64
    private static let limit = 100
    private static let blockRows = 1_024

    let index: String
    let blocks: String
    private let answers: String

    init(folder: String, data: String, rows: Int) {
        index = "\(folder)/start-\(data)-\(rows).index"
        blocks = "\(folder)/start-\(data)-\(rows).blocks"
        answers = "\(folder)/start-\(data)-\(rows).json"
    }

    func areThere(blocks wantsBlocks: Bool) -> Bool {
        ([index, answers] + (wantsBlocks ? [blocks] : [])).allSatisfy { FileManager.default.fileExists(atPath: $0) }
    }

    func remove() {
        for path in [index, blocks, answers] { try? FileManager.default.removeItem(atPath: path) }
    }

    static func size(_ path: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    }

    /// Empties the page cache, so that the next start reads from the disk; false where this user may not.
    static func dropPageCache() -> Bool {
        guard let handle = FileHandle(forWritingAtPath: "/proc/sys/vm/drop_caches") else { return false }
        return (try? handle.write(contentsOf: Data("3\n".utf8))) != nil
    }

    // MARK: Answers before the start

    /// A query and what was found for it.
    struct Expected: Codable {
        var embedding: [Float]
        var abilities: [Float]
        var ids: [String]
        var scores: [UInt32]
        var rescored: Int

        var request: SearchRequest {
            get throws {
                SearchRequest(
                    query: try FusedQuery(
                        embedding: embedding, abilities: abilities, alpha: 0.7, lambda: 0.2, layout: .standard),
                    limit: StartFiles.limit)
            }
        }

        func hasSameHits(as result: SearchResult) -> Bool {
            ids == result.hits.map(\.id.text) && scores == result.hits.map(\.score.bitPattern)
        }
    }

    /// Writes what an index finds; the rows that it rescores are those of the file's one segment.
    func writeExpected(of generation: Generation, query: (Int) throws -> FusedQuery) throws {
        let layout = RowLayout.standard
        let expected = try (0..<Self.queryCount).map { number in
            // Weighted parts made unit vectors again, so that the query is told whole by them.
            let row = try query(number).row
            var expected = Expected(
                embedding: Self.unit(row[..<layout.embeddingCount]),
                abilities: Self.unit(row[layout.embeddingCount..<layout.embeddingCount + layout.abilityCount]),
                ids: [], scores: [], rescored: 0)
            let result = try generation.search(try expected.request)
            expected.ids = result.hits.map(\.id.text)
            expected.scores = result.hits.map(\.score.bitPattern)
            return expected
        }
        try JSONEncoder().encode(expected).write(to: URL(fileURLWithPath: answers))
    }

    /// Adds how many rows the file's index rescores.
    func completeExpected() throws {
        let generation = try LiveIndex.open(index).index.current
        var expected = try expected()
        for i in expected.indices { expected[i].rescored = try generation.search(try expected[i].request).rescored }
        try JSONEncoder().encode(expected).write(to: URL(fileURLWithPath: answers))
    }

    private static func unit(_ values: ArraySlice<Float>) -> [Float] {
        let norm = values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        return values.map { Float(Double($0) / norm) }
    }

    func expected() throws -> [Expected] {
        try JSONDecoder().decode([Expected].self, from: Data(contentsOf: URL(fileURLWithPath: answers)))
    }

    // MARK: Blocks, as a database keeps them

    func writeBlocks(of generation: Generation) throws {
        Progress.say("writing \(blocks)")
        guard FileManager.default.createFile(atPath: blocks, contents: nil),
            let file = FileHandle(forWritingAtPath: blocks)
        else { throw CoProcessError.cannotWrite(blocks) }
        let width = generation.layout.embeddingCount
        for (number, start) in stride(from: 0, to: generation.count, by: Self.blockRows).enumerated() {
            let slots = (start..<min(start + Self.blockRows, generation.count)).map { Slot($0) }
            let bytes = SnapshotBlock.encode(
                keys: slots.map {
                    SnapshotKey(id: generation.id(of: $0).text, textHash: generation.cluster(of: $0))
                }, rows: slots.flatMap { generation.row(at: $0).prefix(width) }, dimension: width, space: Self.space,
                generation: 1, number: number)
            try file.write(contentsOf: Data((0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> ($0 * 8)) }))
            try file.write(contentsOf: bytes)
        }
        try file.close()
    }

    func readBlocks() throws -> [StoredSnapshotBlock] {
        guard let file = FileHandle(forReadingAtPath: blocks) else { throw CoProcessError.cannotWrite(blocks) }
        var found: [StoredSnapshotBlock] = []
        while let size = try file.read(upToCount: 8), size.count == 8 {
            let count = size.enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
            guard let bytes = try file.read(upToCount: count) else { break }
            found.append(StoredSnapshotBlock(number: found.count, bytes: Array(bytes)))
        }
        return found
    }
}
