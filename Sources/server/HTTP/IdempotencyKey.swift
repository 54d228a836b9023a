/// A client's name for one write, as the header field `Idempotency-Key` gives it.
package struct IdempotencyKey: Sendable, Hashable {
    package static let maxBytes = 255

    /// 1 to 255 visible ASCII characters.
    package let text: String

    /// Reads the field's value: the key as it is, or between quotes as the draft has it (an RFC 8941 string). Both
    /// spellings name one key.
    ///
    /// - Returns: nil for anything else, an empty key included.
    package init?(_ value: String) {
        let bytes = Array(value.utf8)
        guard let key = bytes.first == UInt8(ascii: "\"") ? Self.unquoted(bytes) : bytes,
            (1...Self.maxBytes).contains(key.count), key.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        text = String(decoding: key, as: UTF8.self)
    }

    /// What lies between the quotes, where the last byte closes what the first opened.
    private static func unquoted(_ bytes: [UInt8]) -> [UInt8]? {
        var key: [UInt8] = []
        var position = 1
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                return position == bytes.count - 1 ? key : nil
            case UInt8(ascii: "\\"):
                position += 1
                guard position < bytes.count, [UInt8(ascii: "\""), UInt8(ascii: "\\")].contains(bytes[position]) else {
                    return nil
                }
                key.append(bytes[position])
            default:
                key.append(bytes[position])
            }
            position += 1
        }
        return nil
    }
}
