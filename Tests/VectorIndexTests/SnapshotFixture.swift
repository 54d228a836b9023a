import TestSupport
import VectorIndex
import VectorMath

/// A snapshot's true content, to hold what was read against.
struct SnapshotFixture {
    static let space = "model-a"
    static let generation: UInt64 = 12

    let dimension: Int
    /// By block.
    var keys: [[SnapshotKey]]
    /// By block, (keys of it, dimension).
    var rows: [[Float]]

    init(seed: UInt64, blockRows: [Int], dimension: Int) {
        var random = SeededGenerator(seed: seed)
        self.dimension = dimension
        keys = []
        rows = []
        for (number, count) in blockRows.enumerated() {
            keys.append(
                (0..<count).map { row in
                    let name = String(repeating: "é", count: Int.random(in: 0..<4, using: &random))
                    return SnapshotKey(id: "\(name)\(number)-\(row)", textHash: String(random.next(), radix: 16))
                })
            rows.append((0..<count).flatMap { _ in IndexFixture.unit(dimension, &random) })
        }
    }

    var rowCount: Int { keys.reduce(0) { $0 + $1.count } }

    var expectation: SnapshotExpectation {
        SnapshotExpectation(
            space: Self.space, generation: Self.generation, dimension: dimension, rowCount: rowCount)
    }

    func bytes(
        _ number: Int, as written: Int? = nil, space: String = space, generation: UInt64 = generation
    ) -> [UInt8] {
        SnapshotBlock.encode(
            keys: keys[number], rows: rows[number], dimension: dimension, space: space, generation: generation,
            number: written ?? number)
    }

    var blocks: [StoredSnapshotBlock] {
        keys.indices.map { StoredSnapshotBlock(number: $0, rowCount: keys[$0].count, bytes: bytes($0)) }
    }

    /// The bits of every row by its key.
    var content: [SnapshotKey: [UInt32]] {
        var content: [SnapshotKey: [UInt32]] = [:]
        for (keys, rows) in zip(keys, rows) {
            for (row, key) in keys.enumerated() {
                content[key] = rows[row * dimension..<(row + 1) * dimension].map(\.bitPattern)
            }
        }
        return content
    }
}

extension SnapshotRows {
    /// Whether every row here is one of `content`, bit for bit.
    func isPart(of content: [SnapshotKey: [UInt32]]) -> Bool {
        keys.indices.allSatisfy { content[keys[$0]] == row(at: $0).map(\.bitPattern) }
    }
}

extension SnapshotReading {
    var reasons: [SnapshotDamage.Reason] { damage.map(\.reason) }
}

/// Writes format 1, which the program only reads any more; as the format's description has it, and not more.
enum OlderSnapshotBlock {
    static func encode(
        keys: [SnapshotKey], rows: [Float], dimension: Int, space: String, generation: UInt64, number: Int,
        format: UInt32 = 1
    ) -> [UInt8] {
        let longest = keys.map { $0.id.utf8.count + $0.textHash.utf8.count }.max() ?? 0
        let slotBytes = (8 + longest + 7) / 8 * 8
        let headerBytes = (68 + space.utf8.count + 63) / 64 * 64
        let floats = (headerBytes + keys.count * slotBytes + 63) / 64 * 64
        var bytes: [UInt8] = [0x89, 0x50, 0x4C, 0x56, 0x45, 0x43, 0x0D, 0x0A]
        bytes.append(number: format)
        bytes.append(number: CRC32C.checksum(of: bytes.span))
        bytes.append(number: generation)
        for value in [number, dimension, keys.count, space.utf8.count, slotBytes, 0] {
            bytes.append(number: UInt32(value))
        }
        bytes.append(number: UInt64(floats))
        bytes.append(number: UInt64(floats + 4 * rows.count + 4))
        bytes += space.utf8
        bytes.pad(to: headerBytes - 4)
        bytes.append(number: CRC32C.checksum(of: bytes.span))
        for (r, key) in keys.enumerated() {
            bytes.append(number: UInt32(key.id.utf8.count))
            bytes.append(number: UInt32(key.textHash.utf8.count))
            bytes += Array((key.id + key.textHash).utf8)
            bytes.pad(to: headerBytes + (r + 1) * slotBytes)
        }
        bytes.pad(to: floats)
        for value in rows { bytes.append(number: value.bitPattern) }
        bytes.append(number: CRC32C.checksum(of: bytes.span))
        return bytes
    }
}

extension [UInt8] {
    mutating func append(number: some FixedWidthInteger) {
        for shift in stride(from: 0, to: number.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    mutating func put(_ number: some FixedWidthInteger, at offset: Int) {
        for i in 0..<number.bitWidth / 8 { self[offset + i] = UInt8(truncatingIfNeeded: number >> (8 * i)) }
    }

    mutating func pad(to size: Int) { append(contentsOf: repeatElement(0, count: size - count)) }

    init(hex: String) {
        let digits = hex.compactMap(\.hexDigitValue)
        self = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
    }

    /// Makes the checksums of prefix and header right again after a change in either.
    mutating func sealHeader() {
        put(CRC32C.checksum(of: span.extracting(0..<12)), at: 12)
        let space = Int(self[36]) | Int(self[37]) << 8 | Int(self[38]) << 16 | Int(self[39]) << 24
        let end = (68 + space + 63) / 64 * 64
        if end <= count { put(CRC32C.checksum(of: span.extracting(0..<end - 4)), at: end - 4) }
    }
}
