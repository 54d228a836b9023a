package import Foundation
package import NIOCore

/// A type that writes itself as one JSON value.
package protocol JSONWritable {
    func write(to json: inout JSONWriter)
}

/// A streaming JSON encoder: names are written as given, numbers in their shortest form that reads back equal.
///
/// It exists because Foundation's encoder boxes every value and needs several hundred microseconds for a reply
/// of five recommendations; this one appends bytes. Commas are its own affair; balance is the caller's, and
/// unbalanced output traps in `finish`.
package struct JSONWriter {
    private var bytes: [UInt8] = []
    private var needsComma = false
    private var depth = 0

    /// - Parameter capacity: bytes to reserve; a good guess saves copies.
    package init(capacity: Int = 4096) {
        bytes.reserveCapacity(capacity)
    }

    /// The finished document.
    package consuming func finish() -> ByteBuffer { ByteBuffer(bytes: finishBytes()) }

    /// The finished document, for who keeps it or puts it into another.
    package consuming func finishBytes() -> [UInt8] {
        precondition(depth == 0, "unbalanced JSON: \(depth) containers left open")
        return bytes
    }

    // MARK: Containers

    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    /// Writes `{ … }` with the members that `body` writes.
    @inline(__always)
    package mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        beginObject()
        try body(&self)
        endObject()
    }

    /// Writes `[ … ]` with the values that `body` writes.
    @inline(__always)
    package mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
        beginArray()
        try body(&self)
        endArray()
    }

    /// Writes a list, one value for each element.
    package mutating func array<Element>(
        of elements: some Sequence<Element>, _ body: (inout JSONWriter, Element) throws -> Void
    ) rethrows {
        beginArray()
        for element in elements { try body(&self, element) }
        endArray()
    }

    /// Writes a member's name; its value must follow.
    package mutating func name(_ name: String) {
        separate()
        quoted(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes the members of an object that another writer has finished, into the object that is open here.
    ///
    /// - Precondition: `document` is one object without space around it.
    package mutating func members(of document: [UInt8]) {
        precondition(
            depth > 0 && document.first == UInt8(ascii: "{") && document.last == UInt8(ascii: "}"),
            "only an object's members go into an object")
        guard document.count > 2 else { return }
        separate()
        bytes.append(contentsOf: document[1..<document.count - 1])
        needsComma = true
    }

    // MARK: Values

    package mutating func null() { raw("null") }

    package mutating func value(_ value: Bool) { raw(value ? "true" : "false") }

    package mutating func value(_ value: some FixedWidthInteger) {
        guard let magnitude = UInt64(exactly: value.magnitude) else { return raw(String(value)) }
        separate()
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        append(decimal: magnitude)
        needsComma = true
    }

    /// Writes the shortest form that reads back to the same 64 bits; a non-finite number, which JSON cannot
    /// say, becomes `null`.
    package mutating func value(_ value: Double) {
        // Most numbers of a reply were rounded to three decimals or fewer. Of at most 15 digits no two forms read
        // back to one double, so that the one that does is the shortest.
        let thousandths = (value * 1_000).rounded()
        if abs(thousandths) < 1e12, thousandths / 1_000 == value, thousandths != 0 {
            return self.value(thousandths: Int(thousandths))
        }
        value.isFinite ? raw(value.description) : null()
    }

    /// Writes the shortest form that reads back to the same 32 bits, so 0.1 and not 0.10000000149011612.
    package mutating func value(_ value: Float) {
        // As for doubles; here six digits are told apart.
        let thousandths = (Double(value) * 1_000).rounded()
        if abs(thousandths) < 1e6, Float(thousandths / 1_000) == value, thousandths != 0 {
            return self.value(thousandths: Int(thousandths))
        }
        value.isFinite ? raw(value.description) : null()
    }

    package mutating func value(_ value: String) {
        separate()
        quoted(value)
        needsComma = true
    }

    package mutating func value(_ value: some JSONWritable) { value.write(to: &self) }

    /// Writes a moment as ISO 8601 in UTC with milliseconds.
    package mutating func value(_ date: Date) { value(ISO8601.string(from: date)) }

    /// Writes a number with exactly one decimal, rounded half away from zero: 84.25 gives `84.3`.
    package mutating func value(oneDecimal value: Double) {
        guard value.isFinite, abs(value) < 1e15 else { return self.value(value) }
        self.value(tenths: Int((value * 10).rounded()))
    }

    /// Writes tenths as a number with one decimal: 843 gives `84.3`. For parts that must add up exactly.
    package mutating func value(tenths: Int) {
        let (whole, tenth) = tenths.magnitude.quotientAndRemainder(dividingBy: 10)
        separate()
        if tenths < 0 { bytes.append(UInt8(ascii: "-")) }
        append(decimal: UInt64(whole))
        bytes.append(UInt8(ascii: "."))
        bytes.append(UInt8(ascii: "0") + UInt8(tenth))
        needsComma = true
    }

    /// Writes thousandths as a number with one to three decimals: 350 gives `0.35`, 2000 gives `2.0`.
    private mutating func value(thousandths: Int) {
        let (whole, rest) = thousandths.magnitude.quotientAndRemainder(dividingBy: 1_000)
        separate()
        if thousandths < 0 { bytes.append(UInt8(ascii: "-")) }
        append(decimal: UInt64(whole))
        bytes.append(UInt8(ascii: "."))
        bytes.append(UInt8(ascii: "0") + UInt8(rest / 100))
        if rest % 100 != 0 { bytes.append(UInt8(ascii: "0") + UInt8(rest / 10 % 10)) }
        if rest % 10 != 0 { bytes.append(UInt8(ascii: "0") + UInt8(rest % 10)) }
        needsComma = true
    }

    package mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let flag): self.value(flag)
        case .integer(let number): self.value(number)
        case .number(let number): self.value(number)
        case .string(let text): self.value(text)
        case .array(let elements): array(of: elements) { $0.value($1) }
        case .object(let object):
            beginObject()
            for member in object.members {
                name(member.name)
                self.value(member.value)
            }
            endObject()
        }
    }

    // MARK: Bytes

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        depth += 1
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        depth -= 1
        precondition(depth >= 0, "unbalanced JSON: one container closed too many")
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func raw(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        needsComma = true
    }

    private mutating func append(decimal magnitude: UInt64) {
        let start = bytes.count
        var rest = magnitude
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            bytes.append(UInt8(ascii: "0") + UInt8(digit))
            rest = quotient
        } while rest > 0
        var (low, high) = (start, bytes.count - 1)
        while low < high {
            bytes.swapAt(low, high)
            low += 1
            high -= 1
        }
    }

    /// Writes a string in quotes, escaping what RFC 8259 §7 demands: quote, backslash and control characters.
    private mutating func quoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        // SAFETY: the bytes are read inside the call alone.
        text.withUTF8 { utf8 in
            // Two passes over a text without escapes, a scan and a copy, are quicker than one that decides byte by byte.
            if unsafe Self.hasEscape(UnsafeRawBufferPointer(utf8)) {
                for place in utf8.indices {
                    let byte = unsafe utf8[place]
                    if Self.needsEscape(byte) { appendEscape(byte) } else { bytes.append(byte) }
                }
            } else {
                unsafe bytes.append(contentsOf: utf8)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// Whether any byte must be escaped: eight at a time, each test one of “Bit Twiddling Hacks” (S. E. Anderson),
    /// *Determine if a word has a byte less than n* and *a zero byte*.
    private static func hasEscape(_ utf8: UnsafeRawBufferPointer) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var found: UInt64 = 0
        var offset = 0
        while offset + 8 <= utf8.count {
            let word = unsafe utf8.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            found |= (word &- ones &* 0x20) & ~word | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash
            offset += 8
        }
        if found & (ones &* 0x80) != 0 { return true }
        while offset < utf8.count {
            if needsEscape(unsafe utf8[offset]) { return true }
            offset += 1
        }
        return false
    }

    private mutating func appendEscape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0..<0x20:
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(UInt8(ascii: "0") + byte >> 4)
            bytes.append(Array("0123456789abcdef".utf8)[Int(byte & 0xF)])
        default: bytes.append(byte)
        }
    }
}

// MARK: Members

extension JSONWriter {
    package mutating func field(_ name: String, _ value: Bool) {
        self.name(name)
        self.value(value)
    }

    package mutating func field(_ name: String, _ value: some FixedWidthInteger) {
        self.name(name)
        self.value(value)
    }

    package mutating func field(_ name: String, _ value: Double) {
        self.name(name)
        self.value(value)
    }

    package mutating func field(_ name: String, _ value: Float) {
        self.name(name)
        self.value(value)
    }

    package mutating func field(_ name: String, _ value: String) {
        self.name(name)
        self.value(value)
    }

    /// Writes the text, or `null`.
    package mutating func field(_ name: String, _ value: String?) {
        self.name(name)
        if let value { self.value(value) } else { null() }
    }

    package mutating func field(_ name: String, _ value: Date) {
        self.name(name)
        self.value(value)
    }

    package mutating func field(_ name: String, _ value: some JSONWritable) {
        self.name(name)
        value.write(to: &self)
    }

    package mutating func field(_ name: String, _ values: some Sequence<String>) {
        self.name(name)
        array(of: values) { $0.value($1) }
    }

    package mutating func field(_ name: String, _ values: some Sequence<Float>) {
        self.name(name)
        array(of: values) { $0.value($1) }
    }

    /// Writes a list, one value for each element.
    package mutating func field<Element>(
        _ name: String, arrayOf elements: some Sequence<Element>, _ body: (inout JSONWriter, Element) throws -> Void
    ) rethrows {
        self.name(name)
        try array(of: elements, body)
    }

    /// Writes an object with the members that `body` writes.
    package mutating func field(_ name: String, object body: (inout JSONWriter) throws -> Void) rethrows {
        self.name(name)
        try object(body)
    }
}
