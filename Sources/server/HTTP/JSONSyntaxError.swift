/// Why a text is not the JSON that the service accepts, and where.
package struct JSONSyntaxError: Error, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        case empty
        case unexpectedEnd
        case unexpected(byte: UInt8, expected: String)
        case trailingContent
        case byteOrderMark
        case invalidUTF8
        case controlCharacterInString
        case invalidEscape
        case loneSurrogate
        case malformedNumber
        case numberTooLong(limit: Int)
        case numberOutOfRange
        case tooDeep(limit: Int)
        case duplicateName(String)
    }

    package let reason: Reason
    /// Bytes from the start of the body to where reading stopped.
    package let offset: Int

    package init(_ reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var description: String { "\(explanation) at byte \(offset)" }

    private var explanation: String {
        switch reason {
        case .empty: "the body is empty"
        case .unexpectedEnd: "the JSON ends too early"
        case .unexpected(let byte, let expected): "found \(Self.name(of: byte)) instead of \(expected)"
        case .trailingContent: "there is more text after the JSON value"
        case .byteOrderMark: "JSON must not start with a byte order mark"
        case .invalidUTF8: "the body is not valid UTF-8"
        case .controlCharacterInString: "a control character in a string must be escaped"
        case .invalidEscape: "unknown escape in a string"
        case .loneSurrogate: "a \\u escape names half of a surrogate pair"
        case .malformedNumber: "malformed number"
        case .numberTooLong(let limit): "a number has more than \(limit) characters"
        case .numberOutOfRange: "a number is outside the range of a 64-bit float"
        case .tooDeep(let limit): "the JSON nests deeper than \(limit) levels"
        case .duplicateName(let name): "the name `\(excerpt(of: name))` appears twice in one object"
        }
    }

    private static func name(of byte: UInt8) -> String {
        (0x21...0x7E).contains(byte)
            ? "`\(Unicode.Scalar(byte))`" : "byte 0x\(String(byte, radix: 16, uppercase: true))"
    }
}

/// The start of a text from outside, short enough to repeat in a message.
package func excerpt(of text: some StringProtocol, limit: Int = 64) -> String {
    let scalars = text.unicodeScalars
    let end = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex) ?? scalars.endIndex
    let start = String(String.UnicodeScalarView(scalars[..<end]))
    return end == scalars.endIndex ? start : start + "…"
}
