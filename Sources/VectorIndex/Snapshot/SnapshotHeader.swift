internal import VectorMath

/// What a block says of itself.
package struct SnapshotHeader: Equatable, Sendable {
    package let format: Int
    /// Id of the embedding space.
    package let space: String
    package let generation: UInt64
    /// Of the block in its generation, from 0.
    package let number: Int
    /// Floats in a row.
    package let dimension: Int
    package let rowCount: Int

    static let magic: [UInt8] = [0x89, 0x50, 0x4C, 0x56, 0x45, 0x43, 0x0D, 0x0A]
    /// Bytes that mean the same in every format.
    static let prefixBytes = 16
    /// Bytes before the id of the space.
    static let fixedBytes = 64

    /// Reads the part that is the same in every format.
    ///
    /// - Returns: the format, which may be newer than any that is known here.
    static func format(of bytes: Span<UInt8>) throws(SnapshotDamage.Reason) -> Int {
        guard bytes.count >= prefixBytes else { throw .cutOff(bytes: bytes.count) }
        for i in magic.indices where bytes[i] != magic[i] { throw .notABlock }
        guard bytes.number32(at: 12) == CRC32C.checksum(of: bytes.extracting(0..<12)) else {
            throw .headerChecksum
        }
        let format = Int(bytes.number32(at: 8))
        guard format > 0 else { throw .headerField("format") }
        return format
    }

    /// Reads the header of a block whose format is known here, and where its parts must be.
    ///
    /// - Returns: also the identity, which the checksums of rows begin with.
    static func read(
        _ bytes: Span<UInt8>, format: Int
    ) throws(SnapshotDamage.Reason) -> (header: SnapshotHeader, layout: SnapshotLayout, identity: UInt32) {
        guard bytes.count >= fixedBytes else { throw .cutOff(bytes: bytes.count) }
        let spaceBytes = Int(bytes.number32(at: 36))
        let end = SnapshotLayout.headerBytes(spaceBytes: spaceBytes)
        // The size of the space's id is not known to be right yet: it may only be believed within the bytes there are.
        guard end <= bytes.count else { throw .headerChecksum }
        let identity = bytes.number32(at: end - 4)
        guard CRC32C.checksum(of: bytes.extracting(0..<end - 4)) == identity else { throw .headerChecksum }
        guard let space = bytes.text(at: fixedBytes..<fixedBytes + spaceBytes) else { throw .headerField("space") }
        let header = SnapshotHeader(
            format: format, space: space, generation: bytes.number64(at: 16), number: Int(bytes.number32(at: 24)),
            dimension: Int(bytes.number32(at: 28)), rowCount: Int(bytes.number32(at: 32)))
        guard header.dimension > 0 else { throw .headerField("dimension") }
        guard let layout = SnapshotLayout(header, slotBytes: Int(bytes.number32(at: 40))) else {
            throw .headerField("size of a key slot, or count of rows")
        }
        guard bytes.number64(at: 48) == UInt64(layout.floats) else { throw .headerField("offset of the floats") }
        guard bytes.number64(at: 56) == UInt64(layout.total) else { throw .headerField("size of the block") }
        return (header, layout, identity)
    }

    /// Writes the header with its checksums, and returns the identity.
    func write(_ layout: SnapshotLayout, to bytes: inout ByteWriter) -> UInt32 {
        let space = Array(space.utf8)
        bytes.put(Self.magic, at: 0)
        bytes.put(UInt32(format), at: 8)
        bytes.put(CRC32C.checksum(of: bytes.view.extracting(0..<12)), at: 12)
        bytes.put(generation, at: 16)
        bytes.put(UInt32(number), at: 24)
        bytes.put(UInt32(dimension), at: 28)
        bytes.put(UInt32(rowCount), at: 32)
        bytes.put(UInt32(space.count), at: 36)
        bytes.put(UInt32(layout.slotBytes), at: 40)
        bytes.put(UInt64(layout.floats), at: 48)
        bytes.put(UInt64(layout.total), at: 56)
        bytes.put(space, at: Self.fixedBytes)
        let identity = CRC32C.checksum(of: bytes.view.extracting(0..<layout.keys - 4))
        bytes.put(identity, at: layout.keys - 4)
        return identity
    }
}

/// Where the parts of a block are; exists only where every offset fits an Int.
struct SnapshotLayout: Equatable, Sendable {
    /// Offset of the first key slot, and size of the header.
    let keys: Int
    let slotBytes: Int
    /// Offset of the first row.
    let floats: Int
    let rowBytes: Int
    let total: Int

    init?(_ header: SnapshotHeader, slotBytes: Int) {
        guard slotBytes >= Self.keyTextOffset(format: header.format), slotBytes % 8 == 0 else { return nil }
        keys = Self.headerBytes(spaceBytes: header.space.utf8.count)
        self.slotBytes = slotBytes
        let (slots, slotsOverflow) = header.rowCount.multipliedReportingOverflow(by: slotBytes)
        // Room for the additions below.
        guard !slotsOverflow, slots <= Int.max / 4, header.dimension <= Int.max / 4 else { return nil }
        floats = (keys + slots + 63) / 64 * 64
        rowBytes = 4 * header.dimension
        let (rows, rowsOverflow) = header.rowCount.multipliedReportingOverflow(by: rowBytes)
        guard !rowsOverflow, rows <= Int.max / 4 else { return nil }
        total = floats + rows + (header.format == 1 ? 4 : 0)
    }

    static func headerBytes(spaceBytes: Int) -> Int { (SnapshotHeader.fixedBytes + spaceBytes + 4 + 63) / 64 * 64 }

    /// Where the id begins in a key slot, behind checksums and sizes.
    static func keyTextOffset(format: Int) -> Int { format == 1 ? 8 : 16 }

    func keySlot(_ row: Int) -> Range<Int> { keys + row * slotBytes..<keys + (row + 1) * slotBytes }

    func row(_ row: Int) -> Range<Int> { floats + row * rowBytes..<floats + (row + 1) * rowBytes }

    /// How many of `rowCount` rows have their key slot within the first `count` bytes of the block.
    func wholeKeySlots(of rowCount: Int, in count: Int) -> Int {
        min(rowCount, max(0, count - keys) / slotBytes)
    }

    /// The same for the rows themselves.
    func wholeRows(of rowCount: Int, in count: Int) -> Int {
        min(rowCount, max(0, count - floats) / rowBytes)
    }
}

extension Span where Element == UInt8 {
    func number32(at offset: Int) -> UInt32 {
        UInt32(self[offset]) | UInt32(self[offset + 1]) << 8 | UInt32(self[offset + 2]) << 16
            | UInt32(self[offset + 3]) << 24
    }

    func number64(at offset: Int) -> UInt64 {
        UInt64(number32(at: offset)) | UInt64(number32(at: offset + 4)) << 32
    }

    /// The text in `range`, or nil where it is no UTF-8.
    func text(at range: Range<Int>) -> String? {
        String(validating: range.map { self[$0] }, as: UTF8.self)
    }
}

/// Bytes of a known number, filled in any order.
struct ByteWriter {
    private(set) var bytes: [UInt8]

    init(count: Int) { bytes = Array(repeating: 0, count: count) }

    var view: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { bytes.span }
    }

    mutating func put<Number: FixedWidthInteger & UnsignedInteger>(_ number: Number, at offset: Int) {
        for i in 0..<Number.bitWidth / 8 { bytes[offset + i] = UInt8(truncatingIfNeeded: number >> Number(8 * i)) }
    }

    mutating func put(_ source: [UInt8], at offset: Int) {
        bytes.replaceSubrange(offset..<offset + source.count, with: source)
    }

    mutating func put(_ floats: ArraySlice<Float>, at offset: Int) {
        var next = offset
        for value in floats {
            put(value.bitPattern, at: next)
            next += 4
        }
    }
}
