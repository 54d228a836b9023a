internal import VectorMath

/// Float rounding of a unit vector, with room for float16 sources; on the squared norm.
private let squaredNormTolerance = 1e-3

extension SnapshotRows {
    /// Reads the blocks of one generation, each row's floats straight to its place in the matrix.
    ///
    /// Whatever the bytes are, nothing traps and no size is believed before it was checked against the bytes there are.
    /// What is wrong is left out and reported: blocks missing (numbers count from 0) or of another space, generation
    /// or number, torn blocks, altered bytes, rows that are not finite or not of unit length (squared norm within 1e-3
    /// of 1), and all rows of an item that has several, since none of them can be trusted over the others.
    ///
    /// - Throws: `SnapshotError.newerFormat` where any block was written by a newer program; then nothing is read.
    /// - Complexity: O(bytes) time; memory for the rows that the bytes can hold.
    package static func read(
        _ blocks: [StoredSnapshotBlock], expecting: SnapshotExpectation
    ) throws(SnapshotError) -> SnapshotReading {
        var reader = SnapshotReader(expecting: expecting)
        try reader.survey(blocks)
        reader.setRepeatedIDsAside()
        return reader.readRows()
    }
}

/// Reads in two passes: headers and keys first, which tell how many rows there can be and which items have several;
/// then the floats, into a matrix of that size.
private struct SnapshotReader {
    /// A block whose header is right.
    private struct Surveyed {
        let number: Int
        let bytes: [UInt8]
        let layout: SnapshotLayout
        let format: Int
        /// Rows with right keys.
        var keys: [(row: Int, key: SnapshotKey)] = []
    }

    private let expecting: SnapshotExpectation
    private var surveyed: [Surveyed] = []
    private var damage: [SnapshotDamage] = []
    private var formats: Set<Int> = []

    init(expecting: SnapshotExpectation) { self.expecting = expecting }

    private mutating func report(_ reason: SnapshotDamage.Reason, block: Int?, row: Int? = nil, id: String? = nil) {
        damage.append(SnapshotDamage(block: block, row: row, id: id, reason: reason))
    }

    // --- First pass: headers and keys ---

    mutating func survey(_ blocks: [StoredSnapshotBlock]) throws(SnapshotError) {
        let blocks = blocks.sorted { $0.number < $1.number }
        // Before anything else is said of damage: what a newer program wrote is for it to judge.
        for block in blocks {
            if let format = try? SnapshotHeader.format(of: block.bytes.span), format > SnapshotBlock.currentFormat {
                throw .newerFormat(found: format, supported: SnapshotBlock.currentFormat)
            }
        }
        var next = 0
        var total = 0
        for block in blocks {
            guard UInt32(exactly: block.number) != nil else {
                report(.numberOutOfRange, block: block.number)
                continue
            }
            guard block.number >= next else {
                report(.repeatedNumber, block: block.number)
                continue
            }
            if block.number > next { report(.missing(through: block.number - 1), block: next) }
            next = block.number + 1
            do throws(SnapshotDamage.Reason) {
                total = clampedSum(total, try survey(block))
            } catch {
                report(error, block: block.number)
                total = clampedSum(total, max(0, block.rowCount ?? 0))
            }
        }
        if let expected = expecting.rowCount, expected != total {
            report(.rowTotal(expected: expected, found: total), block: nil)
        }
    }

    private func clampedSum(_ a: Int, _ b: Int) -> Int {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }

    /// - Returns: the rows that the block has, or had.
    private mutating func survey(_ block: StoredSnapshotBlock) throws(SnapshotDamage.Reason) -> Int {
        let bytes = block.bytes.span
        let format = try SnapshotHeader.format(of: bytes)
        let (header, layout, identity) = try SnapshotHeader.read(bytes, format: format)
        guard header.space == expecting.space else { throw .otherSpace(header.space) }
        guard header.generation == expecting.generation else { throw .otherGeneration(header.generation) }
        guard header.number == block.number else { throw .otherNumber(header.number) }
        guard header.dimension == expecting.dimension else {
            throw .otherDimension(expected: expecting.dimension, found: header.dimension)
        }
        if format == 1 {
            guard bytes.count >= layout.total else { throw .cutOff(bytes: bytes.count) }
            guard bytes.number32(at: layout.total - 4) == CRC32C.checksum(of: bytes.extracting(0..<layout.total - 4))
            else { throw .blockChecksum }
        }
        if bytes.count < layout.total { report(.cutOff(bytes: bytes.count), block: block.number) }
        if bytes.count > layout.total { report(.trailingBytes(bytes.count - layout.total), block: block.number) }
        if let stored = block.rowCount, stored != header.rowCount {
            report(.rowCount(stored: stored, found: header.rowCount), block: block.number)
        }
        let keyEnd = layout.keys + header.rowCount * layout.slotBytes
        if keyEnd < bytes.count, (keyEnd..<min(layout.floats, bytes.count)).contains(where: { bytes[$0] != 0 }) {
            report(.padding, block: block.number)
        }
        formats.insert(format)
        var result = Surveyed(number: block.number, bytes: block.bytes, layout: layout, format: format)
        let wholeRows = layout.wholeRows(of: header.rowCount, in: bytes.count)
        for row in 0..<layout.wholeKeySlots(of: header.rowCount, in: bytes.count) {
            let slot = bytes.extracting(layout.keySlot(row))
            if format > 1 {
                let sum = SnapshotBlock.keyChecksum(identity: identity, row: row, slot: slot)
                guard slot.number32(at: 0) == sum else {
                    report(.keyChecksum, block: block.number, row: row)
                    continue
                }
            }
            guard let key = Self.key(in: slot, format: format) else {
                report(.keyText, block: block.number, row: row)
                continue
            }
            if row < wholeRows {
                result.keys.append((row, key))
            } else {
                report(.rowCutOff, block: block.number, row: row, id: key.id)
            }
        }
        surveyed.append(result)
        return header.rowCount
    }

    private static func key(in slot: Span<UInt8>, format: Int) -> SnapshotKey? {
        let start = SnapshotLayout.keyTextOffset(format: format)
        let idBytes = Int(slot.number32(at: start - 8))
        let hashBytes = Int(slot.number32(at: start - 4))
        guard idBytes + hashBytes <= slot.count - start,
            let id = slot.text(at: start..<start + idBytes),
            let hash = slot.text(at: start + idBytes..<start + idBytes + hashBytes)
        else { return nil }
        return SnapshotKey(id: id, textHash: hash)
    }

    mutating func setRepeatedIDsAside() {
        var seen: Set<String> = []
        var repeated: Set<String> = []
        for block in surveyed {
            for (_, key) in block.keys where !seen.insert(key.id).inserted { repeated.insert(key.id) }
        }
        guard !repeated.isEmpty else { return }
        for b in surveyed.indices {
            for (row, key) in surveyed[b].keys where repeated.contains(key.id) {
                report(.repeatedID, block: surveyed[b].number, row: row, id: key.id)
            }
            surveyed[b].keys.removeAll { repeated.contains($0.key.id) }
        }
    }

    // --- Second pass: floats ---

    consuming func readRows() -> SnapshotReading {
        let width = expecting.dimension
        // No more than the bytes hold: a key counts only where its floats are whole.
        let capacity = surveyed.reduce(0) { $0 + $1.keys.count }
        var matrix = AlignedBuffer<Float>(count: capacity * width, repeating: 0)
        var keys: [SnapshotKey] = []
        keys.reserveCapacity(capacity)
        for block in surveyed {
            let bytes = block.bytes.span
            for (row, key) in block.keys {
                let stored = bytes.extracting(block.layout.row(row))
                if block.format > 1 {
                    let slot = bytes.extracting(block.layout.keySlot(row))
                    let sum = SnapshotBlock.rowChecksum(key: slot.number32(at: 0), floats: stored)
                    guard slot.number32(at: 4) == sum else {
                        report(.rowChecksum, block: block.number, row: row, id: key.id)
                        continue
                    }
                }
                // Where the row turns out to be no good, the next one takes its place.
                matrix.write(littleEndian: stored, at: keys.count * width)
                let norm = matrix.read(keys.count * width..<(keys.count + 1) * width) { RowScan.norm($0) }
                guard norm.isFinite else {
                    report(.notFinite, block: block.number, row: row, id: key.id)
                    continue
                }
                guard abs(norm * norm - 1) <= squaredNormTolerance else {
                    report(.notUnitLength(squaredNorm: norm * norm), block: block.number, row: row, id: key.id)
                    continue
                }
                keys.append(key)
            }
        }
        damage.sort { ($0.block ?? -1, $0.row ?? -1) < ($1.block ?? -1, $1.row ?? -1) }
        return SnapshotReading(
            rows: SnapshotRows(dimension: width, keys: keys, matrix: FrozenBuffer(matrix)), damage: damage,
            formats: formats)
    }
}
