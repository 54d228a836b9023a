/// Columns as bytes, little-endian:
///
///     count of columns (4), then for each, in ascending order of names: size of the name (4), name, kind (4), and
///       kind 1, words: count of words (4); for each, in ascending order, its size (4) and itself; then, first for rows
///         without any word, then for each word: count (4), ascending rows (4 each)
///       kind 2, numbers: a float64 for each row, NaN where it has none
///
/// Texts are UTF-8.
extension AttributeColumns {
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append32(names.count)
        for name in names.sorted(by: precedes) {
            bytes.append(sized: name)
            if let column = words[name] {
                bytes.append32(1)
                let ordered = column.postings.sorted { precedes($0.key, $1.key) }
                bytes.append32(ordered.count)
                for (word, _) in ordered { bytes.append(sized: word) }
                for rows in [column.wordless] + ordered.map(\.value) {
                    bytes.append32(rows.count)
                    for row in rows { bytes.append32(Int(row)) }
                }
            } else if let column = numbers[name] {
                bytes.append32(2)
                for number in column {
                    for shift in stride(from: UInt64(0), to: 64, by: 8) {
                        bytes.append(UInt8(truncatingIfNeeded: number.bitPattern >> shift))
                    }
                }
            }
        }
        return bytes
    }

    /// - Parameter count: of rows.
    /// - Returns: nil where the bytes are no columns of so many rows.
    init?(_ bytes: [UInt8], count: Int) {
        var reader = ByteReader(bytes)
        var words: [String: Words] = [:]
        var numbers: [String: [Double]] = [:]
        guard let columns = reader.next32() else { return nil }
        for _ in 0..<columns {
            guard let name = reader.nextText(), words[name] == nil, numbers[name] == nil, let kind = reader.next32()
            else { return nil }
            switch kind {
            case 1:
                guard let column = Self.words(&reader) else { return nil }
                words[name] = column
            case 2:
                guard let column = reader.nextNumbers(count) else { return nil }
                numbers[name] = column
            default: return nil
            }
        }
        guard reader.isAtEnd else { return nil }
        self.init(words: words, numbers: numbers, count: count)
    }

    private static func words(_ reader: inout ByteReader) -> Words? {
        var texts: [String] = []
        guard let count = reader.next32() else { return nil }
        for _ in 0..<count {
            guard let text = reader.nextText() else { return nil }
            texts.append(text)
        }
        guard let wordless = reader.nextRows() else { return nil }
        var column = Words(postings: [:], wordless: wordless)
        for text in texts {
            guard let rows = reader.nextRows(), column.postings.updateValue(rows, forKey: text) == nil else {
                return nil
            }
        }
        return column
    }
}

/// By UTF-8 bytes: the same order on every system.
private func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

/// Takes numbers and texts off the front of bytes; nil where too few are left.
struct ByteReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    private mutating func next(_ count: Int) -> Range<Int>? {
        guard count <= bytes.count - position else { return nil }
        defer { position += count }
        return position..<position + count
    }

    mutating func next32() -> Int? { next(4).map { Int(bytes.span.number32(at: $0.lowerBound)) } }

    mutating func nextText() -> String? {
        next32().flatMap { next($0) }.flatMap { String(validating: bytes[$0], as: UTF8.self) }
    }

    mutating func nextRows() -> [UInt32]? {
        guard let count = next32(), let range = next(count * 4) else { return nil }
        let span = bytes.span
        return (0..<count).map { span.number32(at: range.lowerBound + $0 * 4) }
    }

    mutating func nextNumbers(_ count: Int) -> [Double]? {
        guard let range = next(count * 8) else { return nil }
        let span = bytes.span
        return (0..<count).map { Double(bitPattern: span.number64(at: range.lowerBound + $0 * 8)) }
    }
}

extension [UInt8] {
    mutating func append32(_ number: Int) {
        for shift in stride(from: 0, to: 32, by: 8) { append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    mutating func append(sized text: String) {
        append32(text.utf8.count)
        append(contentsOf: text.utf8)
    }
}
