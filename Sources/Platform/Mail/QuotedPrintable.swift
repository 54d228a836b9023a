/// RFC 2045, section 6.7: text as short lines of ASCII that every server leaves as they are.
enum QuotedPrintable {
    /// Of a line with its soft break, without the CR LF.
    static let lineLength = 76

    /// - Parameter text: lines end with U+000A.
    /// - Returns: lines of at most 76 characters, joined by CR LF; the last has none of its own.
    /// - Complexity: O(length of `text`).
    static func encode(_ text: String) -> [UInt8] {
        var writer = Writer()
        writer.output.reserveCapacity(text.utf8.count + text.utf8.count / 4)
        for scalar in text.unicodeScalars { writer.put(scalar) }
        writer.endLine()
        return writer.output
    }

    private struct Writer {
        var output: [UInt8] = []
        /// Characters in the present line.
        var length = 0
        /// A space or tab that is not written yet: before a line's end it may not stand as itself.
        var pending: UInt8?

        mutating func put(_ scalar: Unicode.Scalar) {
            switch scalar.value {
            case 0x0A:
                endLine()
                output += [0x0D, 0x0A]
                length = 0
            case 0x20, 0x09:
                flush()
                pending = UInt8(truncatingIfNeeded: scalar.value)
            case 0x21...0x7E where scalar != "=":
                flush()
                putPlain(UInt8(truncatingIfNeeded: scalar.value))
            default:
                flush()
                escape(Array(String(scalar).utf8))
            }
        }

        /// A character that stands for itself, but for two at the start of a line: a dot, which SMTP doubles (RFC 5321,
        /// section 4.5.2), and the F of “From”, which mailbox files alter.
        mutating func putPlain(_ byte: UInt8) {
            makeRoom(1)
            if length == 0, byte == UInt8(ascii: ".") || byte == UInt8(ascii: "F") { return escape([byte]) }
            output.append(byte)
            length += 1
        }

        /// The bytes of one scalar, kept on one line.
        mutating func escape(_ bytes: some Collection<UInt8>) {
            makeRoom(3 * bytes.count)
            for byte in bytes {
                output += [UInt8(ascii: "="), Self.digit(byte >> 4), Self.digit(byte & 0xF)]
            }
            length += 3 * bytes.count
        }

        mutating func flush() {
            guard let byte = pending else { return }
            pending = nil
            makeRoom(1)
            output.append(byte)
            length += 1
        }

        /// Ends the line's text: white space that stands last is written so that it stays.
        mutating func endLine() {
            guard let byte = pending else { return }
            pending = nil
            escape([byte])
        }

        /// Breaks the line softly where `count` more characters and the break's own `=` do not fit.
        mutating func makeRoom(_ count: Int) {
            guard length + count > lineLength - 1 else { return }
            output += [UInt8(ascii: "="), 0x0D, 0x0A]
            length = 0
        }

        static func digit(_ nibble: UInt8) -> UInt8 {
            nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "A") - 10 + nibble
        }
    }
}
