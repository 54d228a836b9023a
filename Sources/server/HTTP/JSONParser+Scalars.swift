extension JSONParser {
    // MARK: Strings

    /// Reads a string whose opening quote is at `position`.
    mutating func string() throws(JSONSyntaxError) -> String {
        position += 1
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                let text = String(decoding: bytes[start..<position], as: UTF8.self)
                position += 1
                return text
            case UInt8(ascii: "\\"):
                return try escapedString(from: start)
            case 0..<0x20:
                throw failure(.controlCharacterInString)
            default:
                position += 1
            }
        }
        throw failure(.unexpectedEnd)
    }

    /// Goes on with a string at its first backslash, copying into a buffer what an escape interrupts.
    private mutating func escapedString(from start: Int) throws(JSONSyntaxError) -> String {
        var text = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                try escape(into: &text)
            case 0..<0x20:
                throw failure(.controlCharacterInString)
            default:
                text.append(byte)
                position += 1
            }
        }
        throw failure(.unexpectedEnd)
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONSyntaxError) {
        guard position + 1 < bytes.count else {
            position = bytes.count
            throw failure(.unexpectedEnd)
        }
        switch bytes[position + 1] {
        case UInt8(ascii: "\""): text.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): text.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): text.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            text.append(contentsOf: String(Character(try unicodeEscape())).utf8)
            return
        default: throw failure(.invalidEscape)
        }
        position += 2
    }

    /// Reads `\uXXXX`, or two of them that make a surrogate pair (RFC 8259 §7).
    private mutating func unicodeEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
        let start = position
        let high = try hexDigits()
        if let scalar = Unicode.Scalar(high) { return scalar }
        // A surrogate half has no UTF-8 form, and replacing it would make two different texts equal.
        guard high < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { throw JSONSyntaxError(.loneSurrogate, offset: start) }
        let low = try hexDigits()
        guard (0xDC00...0xDFFF).contains(low),
            let scalar = Unicode.Scalar(0x10000 + ((UInt32(high) - 0xD800) << 10) + (UInt32(low) - 0xDC00))
        else { throw JSONSyntaxError(.loneSurrogate, offset: start) }
        return scalar
    }

    /// Reads the four digits of a `\u` escape at `position`.
    private mutating func hexDigits() throws(JSONSyntaxError) -> UInt16 {
        let start = position
        position += 2
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard position < bytes.count else { throw failure(.unexpectedEnd) }
            let digit: UInt8
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = bytes[position] - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = bytes[position] - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = bytes[position] - UInt8(ascii: "A") + 10
            default: throw JSONSyntaxError(.invalidEscape, offset: start)
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    // MARK: Numbers

    /// Powers of ten that a 64-bit float holds exactly.
    private static let exactPowersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let start = position
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        var digits = Digits()
        if position < bytes.count, bytes[position] == UInt8(ascii: "0") {
            position += 1
            if position < bytes.count, Self.isDigit(bytes[position]) { throw failure(.malformedNumber) }
        } else {
            try readDigits(into: &digits)
        }
        var isWhole = true
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            isWhole = false
            position += 1
            let before = position
            try readDigits(into: &digits)
            digits.exponent -= position - before
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            try readExponent(into: &digits)
        }
        guard position - start <= limits.maxNumberBytes else {
            throw JSONSyntaxError(.numberTooLong(limit: limits.maxNumberBytes), offset: start)
        }
        if isWhole, !digits.overflowed {
            if !isNegative, let value = Int64(exactly: digits.mantissa) { return .integer(value) }
            // "-0" stays a float: an integer would lose its sign.
            if isNegative, digits.mantissa > 0, digits.mantissa <= UInt64(Int64.max) {
                return .integer(-Int64(digits.mantissa))
            }
        }
        return .number(try double(digits, isNegative: isNegative, text: start..<position))
    }

    /// Decimal digits on the way to a number: mantissa × 10^exponent while the mantissa fits.
    private struct Digits {
        var mantissa: UInt64 = 0
        var exponent = 0
        var overflowed = false
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    private mutating func readDigits(into digits: inout Digits) throws(JSONSyntaxError) {
        let start = position
        while position < bytes.count, Self.isDigit(bytes[position]) {
            let (tenfold, overflow) = digits.mantissa.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(UInt64(bytes[position] - UInt8(ascii: "0")))
            if overflow || carry { digits.overflowed = true }
            if !digits.overflowed { digits.mantissa = sum }
            position += 1
        }
        if position == start { throw position < bytes.count ? failure(.malformedNumber) : failure(.unexpectedEnd) }
    }

    private mutating func readExponent(into digits: inout Digits) throws(JSONSyntaxError) {
        position += 1
        var isNegative = false
        if position < bytes.count, bytes[position] == UInt8(ascii: "-") || bytes[position] == UInt8(ascii: "+") {
            isNegative = bytes[position] == UInt8(ascii: "-")
            position += 1
        }
        var exponent = Digits()
        try readDigits(into: &exponent)
        // Only small exponents take the fast path; larger ones are read from the text again.
        if exponent.overflowed || exponent.mantissa > 10_000 {
            digits.overflowed = true
        } else {
            digits.exponent += isNegative ? -Int(exponent.mantissa) : Int(exponent.mantissa)
        }
    }

    private func double(
        _ digits: Digits, isNegative: Bool, text: Range<Int>
    ) throws(JSONSyntaxError) -> Double {
        // Clinger's fast path: mantissa and power are exact, so that one operation rounds correctly.
        if !digits.overflowed, digits.mantissa <= 1 << 53, abs(digits.exponent) <= 22 {
            let power = Self.exactPowersOfTen[abs(digits.exponent)]
            let magnitude = digits.exponent < 0 ? Double(digits.mantissa) / power : Double(digits.mantissa) * power
            return isNegative ? -magnitude : magnitude
        }
        guard let value = Double(String(decoding: bytes[text], as: UTF8.self)) else {
            throw JSONSyntaxError(.malformedNumber, offset: text.lowerBound)
        }
        guard value.isFinite else { throw JSONSyntaxError(.numberOutOfRange, offset: text.lowerBound) }
        return value
    }
}
