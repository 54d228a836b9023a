internal import VectorMath

/// Some rows of a generation's embeddings as bytes: what a database keeps, and an index is filled from at a start.
///
/// Every byte is covered by a checksum or must be zero, so every changed byte is found; and what a row needs lies at
/// places that follow from the header alone, so that a changed byte of one row costs that row and no other.
///
/// All numbers are little-endian; sizes and offsets are in bytes, offsets from the start of the block; checksums are
/// CRC-32C (RFC 3720). K is the size of a key slot, a multiple of 8; S that of the space's id; R the count of rows;
/// D the dimension; H = 68 + S rounded up to a multiple of 64; F = H + R·K rounded up to a multiple of 64.
///
///     format 2 (written)
///       0        8    magic: 89 50 4C 56 45 43 0D 0A (a line end that a text-mode copy would alter)
///       8        4    format
///      12        4    checksum of bytes 0 … 11
///      16        8    generation
///      24        4    number of the block in its generation, from 0
///      28        4    D, floats in a row
///      32        4    R, rows
///      36        4    S
///      40        4    K
///      44        4    zero
///      48        8    F, where the floats are
///      56        8    size of the block, F + 4·D·R
///      64        S    id of the space, UTF-8
///      64 + S         zeros
///      H − 4     4    checksum of bytes 0 … H − 5: the block's identity
///      H + r·K        key slot of row r:
///        + 0     4      checksum of the identity, r (4 bytes), and bytes 8 … K − 1 of the slot
///        + 4     4      checksum of the four bytes before, and the row's floats
///        + 8     4      size of the item's id
///        + 12    4      size of the text's hash
///        + 16           id, hash, zeros; both UTF-8
///      H + R·K        zeros
///      F + 4·D·r      row r: D float32; row 0 begins on a cache line of the block
///
///     format 1 (read only): the same, but
///       the key slot has no checksums: its sizes are at + 0 and + 4, id and hash from + 8 on;
///       the block is 4 bytes longer: after the floats comes a checksum of everything before it.
///
/// Bytes 0 … 15 mean the same in every format to come. A reader looks at them first: only where their checksum holds
/// does a greater number mean a newer program, and else damage.
package enum SnapshotBlock {
    /// The format that `encode` writes.
    package static let currentFormat = 2

    /// The bytes of a block in the current format.
    ///
    /// Whether rows are finite and of unit length is not asked here: reading tells.
    ///
    /// - Parameters:
    ///   - keys: one for each row.
    ///   - rows: (keys.count, dimension), row-major.
    ///   - space: id of the embedding space.
    ///   - number: of the block in its generation, from 0, below 2³².
    /// - Complexity: O(bytes). Every key slot is as large as the largest key needs.
    package static func encode(
        keys: [SnapshotKey], rows: [Float], dimension: Int, space: String, generation: UInt64, number: Int
    ) -> [UInt8] {
        precondition(dimension > 0 && rows.count == keys.count * dimension, "a block has one row for each key")
        precondition(UInt32(exactly: number) != nil, "a block's number is below 2³²")
        let texts = keys.map { (id: Array($0.id.utf8), hash: Array($0.textHash.utf8)) }
        let longest = texts.reduce(0) { max($0, $1.id.count + $1.hash.count) }
        let header = SnapshotHeader(
            format: currentFormat, space: space, generation: generation, number: number, dimension: dimension,
            rowCount: keys.count)
        let slotBytes = (SnapshotLayout.keyTextOffset(format: currentFormat) + longest + 7) / 8 * 8
        guard let layout = SnapshotLayout(header, slotBytes: slotBytes) else {
            preconditionFailure("a block of \(keys.count) rows does not fit the address space")
        }
        var bytes = ByteWriter(count: layout.total)
        let identity = header.write(layout, to: &bytes)
        for (r, text) in texts.enumerated() {
            let slot = layout.keySlot(r)
            bytes.put(UInt32(text.id.count), at: slot.lowerBound + 8)
            bytes.put(UInt32(text.hash.count), at: slot.lowerBound + 12)
            bytes.put(text.id, at: slot.lowerBound + 16)
            bytes.put(text.hash, at: slot.lowerBound + 16 + text.id.count)
            let floats = layout.row(r)
            bytes.put(rows[r * dimension..<(r + 1) * dimension], at: floats.lowerBound)
            let keySum = keyChecksum(identity: identity, row: r, slot: bytes.view.extracting(slot))
            bytes.put(keySum, at: slot.lowerBound)
            bytes.put(
                rowChecksum(key: keySum, floats: bytes.view.extracting(floats)), at: slot.lowerBound + 4)
        }
        return bytes.bytes
    }

    static func keyChecksum(identity: UInt32, row: Int, slot: Span<UInt8>) -> UInt32 {
        var checksum = CRC32C()
        checksum.update(identity)
        checksum.update(UInt32(truncatingIfNeeded: row))
        checksum.update(slot.extracting(droppingFirst: 8))
        return checksum.value
    }

    static func rowChecksum(key: UInt32, floats: Span<UInt8>) -> UInt32 {
        var checksum = CRC32C()
        checksum.update(key)
        checksum.update(floats)
        return checksum.value
    }
}

/// What a row of a snapshot is of.
package struct SnapshotKey: Hashable, Sendable {
    /// The item's.
    package let id: String
    /// Of the text that was embedded.
    package let textHash: String

    package init(id: String, textHash: String) {
        self.id = id
        self.textHash = textHash
    }
}
