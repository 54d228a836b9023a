/// The ids of a segment's rows: one text and where each id ends in it, and a table that finds the row of an id.
///
/// A million Strings in an array and a dictionary take some 150 bytes each and half a second to make; these take 4 and
/// 6 to 11 bytes besides the id's own, and a tenth of the time.
struct RowIDs: Sendable {
    /// (count + 1): row r has the bytes `offsets[r] ..< offsets[r + 1]` of the text.
    private(set) var offsets: [UInt32] = [0]
    private(set) var text: [UInt8] = []
    /// Open addressing (Knuth, The Art of Computer Programming 3, §6.4, algorithm L): rows, or `empty`.
    private var table: [UInt32]
    private static let empty = UInt32.max

    /// For up to `capacity` ids.
    init(capacity: Int) {
        precondition(capacity < Int(UInt32.max), "a segment has fewer than 2³² rows")
        var size = 8
        while size * 3 < capacity * 4 { size *= 2 }
        table = Array(repeating: Self.empty, count: size)
        offsets.reserveCapacity(capacity + 1)
    }

    /// Ids that were read from a file.
    ///
    /// - Returns: nil where offsets and text do not fit each other, or an id is there twice.
    init?(offsets: [UInt32], text: [UInt8]) {
        guard offsets.first == 0, let last = offsets.last, Int(last) == text.count,
            zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 })
        else { return nil }
        self.init(capacity: offsets.count - 1)
        self.offsets = offsets
        self.text = text
        for row in 0..<count {
            guard claim(row) else { return nil }
        }
    }

    var count: Int { offsets.count - 1 }

    /// Bytes that the ids take.
    var byteCount: Int { text.count + (offsets.count + table.count) * 4 }

    /// Adds the next row's id; whether it is new.
    mutating func append(_ id: ItemID) -> Bool {
        text.append(contentsOf: id.text.utf8)
        return endID()
    }

    /// The same with a row's id of others.
    mutating func append(_ row: Int, of others: RowIDs) -> Bool {
        text.append(contentsOf: others.text[others.range(of: row)])
        return endID()
    }

    private mutating func endID() -> Bool {
        precondition(text.count <= Int(UInt32.max), "the ids of a segment take less than 4 GiB")
        offsets.append(UInt32(text.count))
        return claim(count - 1)
    }

    subscript(row: Int) -> ItemID { ItemID(String(decoding: text[range(of: row)], as: UTF8.self)) }

    /// The bytes of a row's id in `text`.
    func range(of row: Int) -> Range<Int> { Int(offsets[row])..<Int(offsets[row + 1]) }

    func row(of id: ItemID) -> Int? {
        let id = id.text.utf8.span
        var place = Self.hash(id) & (table.count - 1)
        while table[place] != Self.empty {
            let row = Int(table[place])
            if isEqual(range(of: row), id) { return row }
            place = (place + 1) & (table.count - 1)
        }
        return nil
    }

    /// Enters a row into the table; false where its id is there already.
    private mutating func claim(_ row: Int) -> Bool {
        let range = range(of: row)
        let mask = table.count - 1
        var place = Self.hash(text.span.extracting(range)) & mask
        while table[place] != Self.empty {
            let other = self.range(of: Int(table[place]))
            if isEqual(other, text.span.extracting(range)) { return false }
            place = (place + 1) & mask
        }
        table[place] = UInt32(row)
        return true
    }

    private func isEqual(_ range: Range<Int>, _ id: Span<UInt8>) -> Bool {
        guard range.count == id.count else { return false }
        for i in id.indices where text[range.lowerBound + i] != id[i] { return false }
        return true
    }

    /// FNV-1a, folded so that the low bits depend on all.
    private static func hash(_ bytes: Span<UInt8>) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for i in bytes.indices { hash = (hash ^ UInt64(bytes[i])) &* 0x100_0000_01B3 }
        hash = (hash ^ hash >> 32) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: hash >> 32)
    }
}
