/// A set of rows of one segment, one bit each.
struct Bitmap: Sendable, Equatable {
    let count: Int
    private(set) var words: [UInt64]

    /// No row, or every row, of `count`.
    init(count: Int, filled: Bool = false) {
        self.count = count
        words = Array(repeating: filled ? ~0 : 0, count: (count + 63) / 64)
        clearTail()
    }

    /// Bits past `count` stay 0, so that counts and complements need no special case.
    private mutating func clearTail() {
        if count % 64 != 0 { words[words.count - 1] &= (1 << UInt64(count % 64)) - 1 }
    }

    func contains(_ row: Int) -> Bool {
        words[row >> 6] & (1 << UInt64(row & 63)) != 0
    }

    mutating func insert(_ row: Int) {
        precondition(row >= 0 && row < count)
        words[row >> 6] |= 1 << UInt64(row & 63)
    }

    mutating func remove(_ row: Int) {
        precondition(row >= 0 && row < count)
        words[row >> 6] &= ~(1 << UInt64(row & 63))
    }

    var population: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    /// How many of the rows in `range` are in the set.
    func population(in range: Range<Int>) -> Int {
        var total = 0
        forEachWord(in: range) { _, word in total += word.nonzeroBitCount }
        return total
    }

    mutating func formUnion(_ other: Bitmap) {
        for i in words.indices { words[i] |= other.words[i] }
    }

    mutating func formIntersection(_ other: Bitmap) {
        for i in words.indices { words[i] &= other.words[i] }
    }

    mutating func subtract(_ other: Bitmap) {
        for i in words.indices { words[i] &= ~other.words[i] }
    }

    mutating func formComplement() {
        for i in words.indices { words[i] = ~words[i] }
        clearTail()
    }

    /// Calls `body` with each row of the set in `range`, ascending.
    func forEach(in range: Range<Int>, _ body: (Int) -> Void) {
        forEachWord(in: range) { row, word in
            var rest = word
            while rest != 0 {
                body(row + rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
    }

    /// Calls `body` with each longest run of rows that are not in the set, ascending.
    func forEachRunOutside(_ body: (Range<Int>) -> Void) {
        var start = 0
        forEach(in: 0..<count) { row in
            if start < row { body(start..<row) }
            start = row + 1
        }
        if start < count { body(start..<count) }
    }

    /// Calls `body` with the bits of `range`, up to 64 at a time, and the row that bit 0 stands for.
    private func forEachWord(in range: Range<Int>, _ body: (Int, UInt64) -> Void) {
        var row = range.lowerBound
        while row < range.upperBound {
            let shift = row & 63
            let length = min(64 - shift, range.upperBound - row)
            var word = words[row >> 6] >> UInt64(shift)
            if length < 64 { word &= (1 << UInt64(length)) - 1 }
            body(row, word)
            row += length
        }
    }
}
