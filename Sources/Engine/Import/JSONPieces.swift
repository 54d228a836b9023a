/// A value within a JSON text, found but not read.
struct JSONPiece: Equatable {
    let range: Range<Int>
    /// Of its first byte, from 1.
    let line: Int
    /// Of its brackets: 0 for a scalar.
    let depth: Int
    /// False where the text ended before it did.
    let isWhole: Bool
}

/// Walks over JSON without reading it, so that each career can be read, and fail, alone.
///
/// It keeps no stack: a bracket is only counted, and whether `[` was closed by `]` is for the reader of the piece to say.
struct JSONWalker {
    let bytes: [UInt8]
    private(set) var position: Int
    /// Of `position`, from 1.
    private(set) var line = 1

    init(_ bytes: [UInt8], at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    /// The byte at the position; 0, which is no token of JSON, at the end.
    var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

    var isAtEnd: Bool { position >= bytes.count }

    mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\n"): line += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
            default: return
            }
            position += 1
        }
    }

    /// True, and behind it, if the byte comes next.
    mutating func skip(_ byte: UInt8) -> Bool {
        skipSpace()
        guard !isAtEnd, current == byte else { return false }
        position += 1
        return true
    }

    /// The value that begins here; nil where no value can.
    mutating func value() -> JSONPiece? {
        skipSpace()
        let start = position
        let startLine = line
        var depth = 0
        var deepest = 0
        repeat {
            guard !isAtEnd else {
                return depth == 0
                    ? nil : JSONPiece(range: start..<position, line: startLine, depth: deepest, isWhole: false)
            }
            switch current {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                deepest = max(deepest, depth)
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard depth > 0 else { return nil }
                depth -= 1
                position += 1
            case UInt8(ascii: "\""):
                guard skipString() else {
                    return JSONPiece(range: start..<position, line: startLine, depth: deepest, isWhole: false)
                }
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { return nil }
                position += 1
            default: skipWord()
            }
            if depth > 0 { skipSpace() }
        } while depth > 0
        return JSONPiece(range: start..<position, line: startLine, depth: deepest, isWhole: true)
    }

    /// False where the closing quote is missing.
    private mutating func skipString() -> Bool {
        position += 1
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return true
            case UInt8(ascii: "\\"): position += 1
            case UInt8(ascii: "\n"): line += 1
            default: break
            }
            position += 1
        }
        position = bytes.count
        return false
    }

    private mutating func skipWord() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "\""),
                UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"),
                UInt8(ascii: "\n"):
                return
            default: position += 1
            }
        }
    }
}
