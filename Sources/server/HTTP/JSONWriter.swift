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
    package consuming func finish() -> ByteBuffer {
        precondition(depth == 0, "unbalanced JSON: \(depth) containers left open")
        return ByteBuffer(bytes: bytes)
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

    // MARK: Values

    package mutating func null() { raw("null") }

    package mutating func value(_ value: Bool) { raw(value ? "true" : "false") }

    package mutating func value(_ value: some FixedWidthInteger) { raw(String(value)) }

    /// Writes the shortest form that reads back to the same 64 bits; a non-finite number, which JSON cannot
    /// say, becomes `null`.
    package mutating func value(_ value: Double) { value.isFinite ? raw(value.description) : null() }

    /// Writes the shortest form that reads back to the same 32 bits, so 0.1 and not 0.10000000149011612.
    package mutating func value(_ value: Float) { value.isFinite ? raw(value.description) : null() }

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
        raw("\(tenths < 0 ? "-" : "")\(whole).\(tenth)")
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

    /// Writes a string in quotes, escaping what RFC 8259 §7 demands: quote, backslash and control characters.
    private mutating func quoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        // Two passes over a text without escapes, a scan and a copy, are quicker than one that decides byte by byte.
        if text.utf8.contains(where: Self.needsEscape) {
            for byte in text.utf8 {
                if Self.needsEscape(byte) { appendEscape(byte) } else { bytes.append(byte) }
            }
        } else {
            bytes.append(contentsOf: text.utf8)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
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
