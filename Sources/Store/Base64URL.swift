/// Base64 with the alphabet that is safe in URLs, without padding (RFC 4648, section 5), read strictly: one text for
/// each sequence of bytes.
package enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// 255 for what is no digit.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        return values
    }()

    /// - Complexity: O(count); documents of ten thousand bytes are usual.
    package static func text(of bytes: [UInt8]) -> String {
        let source = bytes.span
        let digits = alphabet.span
        var result: [UInt8] = []
        result.reserveCapacity((source.count * 4 + 2) / 3)
        var position = 0
        while position + 3 <= source.count {
            let group =
                UInt32(source[position]) << 16 | UInt32(source[position + 1]) << 8 | UInt32(source[position + 2])
            result.append(digits[Int(group >> 18)])
            result.append(digits[Int(group >> 12 & 63)])
            result.append(digits[Int(group >> 6 & 63)])
            result.append(digits[Int(group & 63)])
            position += 3
        }
        switch source.count - position {
        case 1:
            result.append(digits[Int(source[position] >> 2)])
            result.append(digits[Int(source[position] & 3) << 4])
        case 2:
            let group = UInt32(source[position]) << 8 | UInt32(source[position + 1])
            result.append(digits[Int(group >> 10)])
            result.append(digits[Int(group >> 4 & 63)])
            result.append(digits[Int(group & 15) << 2])
        default: break
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// - Returns: nil for another character, a length that no bytes have, or bits set beyond the last byte.
    /// - Complexity: O(count).
    package static func bytes(of digits: some Sequence<UInt8>) -> [UInt8]? { decoded(Array(digits)) }

    /// Apart from the generic function, which another module runs unspecialised and twenty times as slow.
    private static func decoded(_ digits: [UInt8]) -> [UInt8]? {
        let source = digits.span
        let values = values.span
        var bytes: [UInt8] = []
        bytes.reserveCapacity(source.count * 3 / 4)
        // No digit has the upper two bits set; what is none has them both.
        var seen: UInt8 = 0
        var position = 0
        while position + 4 <= source.count {
            let (a, b) = (values[Int(source[position])], values[Int(source[position + 1])])
            let (c, d) = (values[Int(source[position + 2])], values[Int(source[position + 3])])
            seen |= a | b | c | d
            bytes.append(a << 2 | b >> 4)
            bytes.append(b << 4 | c >> 2)
            bytes.append(c << 6 | d)
            position += 4
        }
        switch source.count - position {
        case 0: break
        case 2:
            let (a, b) = (values[Int(source[position])], values[Int(source[position + 1])])
            // Four bits belong to no byte.
            guard b & 15 == 0 else { return nil }
            seen |= a | b
            bytes.append(a << 2 | b >> 4)
        case 3:
            let (a, b) = (values[Int(source[position])], values[Int(source[position + 1])])
            let c = values[Int(source[position + 2])]
            guard c & 3 == 0 else { return nil }
            seen |= a | b | c
            bytes.append(a << 2 | b >> 4)
            bytes.append(b << 4 | c >> 2)
        default: return nil
        }
        return seen < 64 ? bytes : nil
    }
}
