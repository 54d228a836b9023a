/// A strict RFC 8259 parser over the bytes of a request body.
///
/// Foundation's readers were the alternative. They accept duplicate names (the last wins, so that a proxy and
/// the service may read two different documents), allow 512 levels, guess UTF-16 and UTF-32, turn every
/// number into a box and say where an error is in prose only. This one refuses what is ambiguous, gives the
/// byte offset, runs in linear time in one pass after the validation of the UTF-8, and never recurses beyond
/// `maxDepth`.
package struct JSONParser {
    package struct Limits: Sendable {
        /// Levels of lists and objects.
        package var maxDepth = 32
        /// Bytes of one number's text. Seventeen digits say all that a 64-bit float can hold.
        package var maxNumberBytes = 400

        package init() {}
    }

    let bytes: [UInt8]
    let limits: Limits
    var position = 0
    private var depth = 0

    private init(_ bytes: [UInt8], _ limits: Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// Parses one document.
    ///
    /// - Throws: `JSONSyntaxError`
    /// - Complexity: O(bytes.count)
    package static func parse(_ bytes: [UInt8], limits: Limits = Limits()) throws(JSONSyntaxError) -> JSONValue {
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw JSONSyntaxError(.invalidUTF8, offset: error.byteOffsets.lowerBound)
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw JSONSyntaxError(.byteOrderMark, offset: 0) }
        var parser = JSONParser(bytes, limits)
        parser.skipSpace()
        if parser.position == bytes.count { throw JSONSyntaxError(.empty, offset: 0) }
        let value = try parser.value()
        parser.skipSpace()
        if parser.position < bytes.count { throw parser.failure(.trailingContent) }
        return value
    }

    func failure(_ reason: JSONSyntaxError.Reason) -> JSONSyntaxError {
        JSONSyntaxError(reason, offset: position)
    }

    /// The error for a byte that does not fit, or for the end of the text.
    func unexpected(expected: String) -> JSONSyntaxError {
        guard position < bytes.count else { return failure(.unexpectedEnd) }
        return failure(.unexpected(byte: bytes[position], expected: expected))
    }

    mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func value() throws(JSONSyntaxError) -> JSONValue {
        guard position < bytes.count else { throw failure(.unexpectedEnd) }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: throw unexpected(expected: "a JSON value")
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        for byte in text.description.utf8 {
            guard position < bytes.count, bytes[position] == byte else {
                throw unexpected(expected: "`\(text)`")
            }
            position += 1
        }
        return value
    }

    private mutating func enter() throws(JSONSyntaxError) {
        depth += 1
        if depth > limits.maxDepth { throw failure(.tooDeep(limit: limits.maxDepth)) }
        position += 1
        skipSpace()
    }

    private mutating func leave() {
        depth -= 1
        position += 1
    }

    private func isAt(_ character: Unicode.Scalar) -> Bool {
        position < bytes.count && bytes[position] == UInt8(ascii: character)
    }

    private mutating func array() throws(JSONSyntaxError) -> JSONValue {
        try enter()
        var elements: [JSONValue] = []
        if isAt("]") {
            leave()
            return .array(elements)
        }
        while true {
            elements.append(try value())
            skipSpace()
            if isAt("]") {
                leave()
                return .array(elements)
            }
            guard isAt(",") else { throw unexpected(expected: "`,` or `]`") }
            position += 1
            skipSpace()
        }
    }

    private mutating func object() throws(JSONSyntaxError) -> JSONValue {
        try enter()
        var object = JSONObject()
        if isAt("}") {
            leave()
            return .object(object)
        }
        while true {
            guard isAt("\"") else { throw unexpected(expected: "a name in quotes") }
            let start = position
            let name = try string()
            skipSpace()
            guard isAt(":") else { throw unexpected(expected: "`:`") }
            position += 1
            skipSpace()
            let member = try value()
            guard object.insert(name, member) else { throw JSONSyntaxError(.duplicateName(name), offset: start) }
            skipSpace()
            if isAt("}") {
                leave()
                return .object(object)
            }
            guard isAt(",") else { throw unexpected(expected: "`,` or `}`") }
            position += 1
            skipSpace()
        }
    }
}
