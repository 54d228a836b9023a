import Foundation
import TestSupport
import Testing
import VectorIndex
import VectorMath

/// An index with a file of its own, and what a file's bytes are for.
struct IndexFileFixture {
    static let layout = RowLayout(embeddingCount: 30, abilityCount: 5)
    static let codesFrom = 32

    let folder: TemporaryDirectory
    let index: LiveIndex
    private(set) var random: SeededGenerator
    var path: String { folder.file("test.index").path }

    /// An index of one segment, saved.
    init(seed: UInt64, rows: Int = 90, memory: IndexMemory = .full, codesFrom: Int = codesFrom) throws {
        folder = try TemporaryDirectory("index-file")
        var fixture = IndexFixture(seed: seed, layout: Self.layout)
        index = LiveIndex(layout: Self.layout, memory: memory, codesFrom: codesFrom)
        try index.replaceAll(with: (0..<rows).map { fixture.item($0) })
        random = fixture.random
        try index.save(to: path, fingerprint: "of seed \(seed)")
    }

    func open(_ memory: IndexMemory = .full) throws -> IndexFileReading {
        try LiveIndex.open(path, layout: Self.layout, memory: memory, codesFrom: Self.codesFrom)
    }

    var bytes: [UInt8] {
        get throws { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }
    }

    func write(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

    /// The sections of a file's table: kind, number and place.
    static func sections(of bytes: [UInt8]) -> [(kind: Int, number: Int, range: Range<Int>)] {
        (0..<bytes.number(at: 20, 4)).map { i in
            let entry = 136 + i * 24
            let offset = bytes.number(at: entry + 8, 8)
            return (
                bytes.number(at: entry, 4), bytes.number(at: entry + 4, 4),
                offset..<offset + bytes.number(at: entry + 16, 8)
            )
        }
    }

    /// Makes all checksums right again after a change of sections or head.
    static func seal(_ bytes: inout [UInt8]) {
        var next = 136 + bytes.number(at: 20, 4) * 24
        for section in sections(of: bytes) {
            for start in stride(from: section.range.lowerBound, to: section.range.upperBound, by: 4 << 20) {
                let end = min(start + 4 << 20, section.range.upperBound)
                bytes.put(CRC32C.checksum(of: bytes.span.extracting(start..<end)), at: next)
                next += 4
            }
        }
        sealHead(&bytes)
    }

    static func sealHead(_ bytes: inout [UInt8]) {
        bytes.put(CRC32C.checksum(of: bytes.span.extracting(0..<12)), at: 12)
        let head = bytes.number(at: 16, 4)
        guard head >= 140, head <= bytes.count else { return }
        bytes.put(CRC32C.checksum(of: bytes.span.extracting(0..<head - 4)), at: head - 4)
    }

    /// Random searches, the same for the same seed.
    static func requests(seed: UInt64, count: Int = 12, ids: Int = 90) throws -> [SearchRequest] {
        var fixture = IndexFixture(seed: seed, layout: layout)
        return try (0..<count).map { _ in try fixture.request(ids: ids) }
    }
}

extension [UInt8] {
    func number(at offset: Int, _ size: Int) -> Int {
        (0..<size).reduce(0) { $0 | Int(self[offset + $1]) << (8 * $1) }
    }
}

extension Generation {
    /// All that `requests` find, one by one and together, and the work it took.
    ///
    /// - Parameter countsBatchWork: Whether the work of a batch is told. A processor without VNNI scans many requests'
    ///   rows as they are where these are in memory, and by their codes where they are in a file.
    func answers(_ requests: [SearchRequest], countsBatchWork: Bool = true) throws -> [SearchResult] {
        var together = try search(batch: requests)
        if !countsBatchWork {
            for i in together.indices { together[i].rescored = 0 }
        }
        return try requests.map { try search($0) } + together
    }
}
