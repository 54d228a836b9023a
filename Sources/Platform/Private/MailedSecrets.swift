/// The secrets of links in messages that lie as files: who reads one may set somebody's password by it while it holds.
enum MailedSecrets {
    private static let mark = Array("token".utf8)
    /// As `WebSessions.isToken` wants it.
    private static let length = 43
    private static let blank = UInt8(ascii: "*")

    /// A message with an asterisk for each character of what follows `token=`, as its sender wrote it otherwise: in
    /// quoted-printable (RFC 2045, section 6.7), where a line may break anywhere and `=` be written `=3D`.
    static func blanked(_ message: [UInt8]) -> [UInt8] {
        var result = message
        var start = message.startIndex
        while let first = message[start...].firstIndex(of: mark[0]) {
            start = first + 1
            for place in secret(after: first, in: message) { result[place] = blank }
        }
        return result
    }

    /// The places of the secret whose mark begins at `start`; none where none does.
    private static func secret(after start: Int, in message: [UInt8]) -> [Int] {
        var place = start
        for character in mark {
            place = afterBreaks(place, in: message)
            guard place < message.endIndex, message[place] == character else { return [] }
            place += 1
        }
        place = afterBreaks(place, in: message)
        guard place < message.endIndex, message[place] == UInt8(ascii: "=") else { return [] }
        let isCoded = message[(place + 1)...].prefix(2).elementsEqual("3D".utf8)
        place = afterBreaks(place + (isCoded ? 3 : 1), in: message)
        var places: [Int] = []
        var count = 0
        while let bytes = width(ofCharacterAt: place, in: message) {
            places += place..<(place + bytes)
            count += 1
            place = afterBreaks(place + bytes, in: message)
        }
        return count >= length ? places : []
    }

    /// How many bytes a character of a secret has; nil where there is none. `F` is `=46` where a line begins.
    private static func width(ofCharacterAt place: Int, in message: [UInt8]) -> Int? {
        guard place < message.endIndex else { return nil }
        if isOfSecret(message[place]) { return 1 }
        let digits = message[(place + 1)...].prefix(2)
        guard message[place] == UInt8(ascii: "="), digits.count == 2,
            let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16), isOfSecret(byte)
        else { return nil }
        return 3
    }

    /// The place after the soft line breaks that are at another.
    private static func afterBreaks(_ place: Int, in message: [UInt8]) -> Int {
        var place = place
        while true {
            let rest = message[place...]
            if rest.starts(with: "=\r\n".utf8) {
                place += 3
            } else if rest.starts(with: "=\n".utf8) {
                place += 2
            } else {
                return place
            }
        }
    }

    /// Base64 for addresses (RFC 4648, section 5).
    private static func isOfSecret(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
