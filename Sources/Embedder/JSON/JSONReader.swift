// A strict JSON reader (RFC 8259) over bytes in memory.

/// Where and why a text is not JSON.
struct JSONSyntaxError: Error, Equatable {
    let offset: Int
    let reason: String
}

/// Reads one JSON document: UTF-8, no extensions, nesting of at most `maximumDepth`.
struct JSONReader {
    static let maximumDepth = 64

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    /// The value that `bytes` spell; white space may follow it, nothing else may.
    ///
    /// - Throws: `JSONSyntaxError`.
    static func parse(_ bytes: [UInt8]) throws(JSONSyntaxError) -> JSONValue {
        var reader = JSONReader(bytes: bytes)
        let value = try reader.value()
        reader.skipSpace()
        guard reader.position == bytes.count else { throw reader.error("text follows the document") }
        return value
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func error(_ reason: String) -> JSONSyntaxError { JSONSyntaxError(offset: position, reason: reason) }

    /// The byte at the position; 0, which is no token of JSON, at the end.
    private var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) { position += 1 }
    }

    private mutating func value() throws(JSONSyntaxError) -> JSONValue {
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return try nested { (reader) throws(JSONSyntaxError) in try reader.object() }
        case UInt8(ascii: "["): return try nested { (reader) throws(JSONSyntaxError) in try reader.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error(position < bytes.count ? "a value was expected" : "the text ends too early")
        }
    }

    private mutating func nested(
        _ body: (inout JSONReader) throws(JSONSyntaxError) -> JSONValue
    ) throws(JSONSyntaxError) -> JSONValue {
        guard depth < Self.maximumDepth else { throw error("nested more than \(Self.maximumDepth) deep") }
        depth += 1
        defer { depth -= 1 }
        position += 1
        return try body(&self)
    }

    private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        for byte in word.description.utf8 {
            guard current == byte else { throw error("a value was expected") }
            position += 1
        }
        return value
    }

    private mutating func object() throws(JSONSyntaxError) -> JSONValue {
        var members: [JSONValue.Member] = []
        skipSpace()
        if current == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw error("a member's name was expected") }
            let key = try string()
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw error("':' was expected") }
            position += 1
            members.append(.init(key: key, value: try value()))
            if try ends(with: UInt8(ascii: "}")) { return .object(members) }
        }
    }

    private mutating func array() throws(JSONSyntaxError) -> JSONValue {
        var elements: [JSONValue] = []
        skipSpace()
        if current == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        while true {
            elements.append(try value())
            if try ends(with: UInt8(ascii: "]")) { return .array(elements) }
        }
    }

    /// True after the closing byte, false after a comma.
    private mutating func ends(with closing: UInt8) throws(JSONSyntaxError) -> Bool {
        skipSpace()
        guard current == closing || current == UInt8(ascii: ",") else {
            throw error("',' or '\(Unicode.Scalar(closing))' was expected")
        }
        position += 1
        return bytes[position - 1] == closing
    }

    private mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let start = position
        var isInteger = true
        if current == UInt8(ascii: "-") { position += 1 }
        if current == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if current == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try digits()
        }
        if current | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let integer = Int(text) { return .integer(integer) }
        guard let real = Double(text) else { throw error("a number was expected") }
        return .real(real)
    }

    private mutating func digits() throws(JSONSyntaxError) {
        let start = position
        while current >= UInt8(ascii: "0") && current <= UInt8(ascii: "9") { position += 1 }
        guard position > start else { throw error("a digit was expected") }
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        position += 1
        let start = position
        // Nearly every string has no escape: it is taken as one slice.
        while position < bytes.count, current != UInt8(ascii: "\""), current != UInt8(ascii: "\\"), current >= 0x20 {
            position += 1
        }
        if current == UInt8(ascii: "\"") {
            defer { position += 1 }
            return try text(bytes[start..<position])
        }
        var unescaped = Array(bytes[start..<position])
        while current != UInt8(ascii: "\"") {
            guard position < bytes.count else { throw error("a string has no end") }
            guard current >= 0x20 else { throw error("a control character in a string must be escaped") }
            if current == UInt8(ascii: "\\") {
                position += 1
                try escape(into: &unescaped)
            } else {
                unescaped.append(current)
                position += 1
            }
        }
        position += 1
        return try text(unescaped[...])
    }

    private func text(_ slice: ArraySlice<UInt8>) throws(JSONSyntaxError) -> String {
        guard let text = String(validating: slice, as: UTF8.self) else { throw error("a string is not UTF-8") }
        return text
    }

    private mutating func escape(into output: inout [UInt8]) throws(JSONSyntaxError) {
        let letter = current
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(letter)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = try hex4()
            if scalar >= 0xD800 && scalar < 0xDC00 {
                guard current == UInt8(ascii: "\\") else { throw error("half a surrogate pair") }
                position += 1
                guard current == UInt8(ascii: "u") else { throw error("half a surrogate pair") }
                position += 1
                let low = try hex4()
                guard low >= 0xDC00 && low < 0xE000 else { throw error("half a surrogate pair") }
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let valid = Unicode.Scalar(scalar) else { throw error("half a surrogate pair") }
            output.append(contentsOf: UTF8.encode(valid) ?? UTF8.encodedReplacementCharacter)
        default: throw error("an unknown escape")
        }
    }

    private mutating func hex4() throws(JSONSyntaxError) -> UInt32 {
        var scalar: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(current)).hexDigitValue else {
                throw error("four hexadecimal digits were expected")
            }
            scalar = scalar << 4 | UInt32(digit)
            position += 1
        }
        return scalar
    }
}
