import Foundation

/// Strings as a JSON array.
enum StringList {
    /// By hand, since every recommendation writes one, and Foundation's encoder takes longer than SQLite does.
    static func text(of strings: [String]) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        for (position, string) in strings.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(UInt8(ascii: "\""))
            for byte in string.utf8 { append(byte, to: &bytes) }
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "]"))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Escapes what RFC 8259 §7 demands: quote, backslash and control characters.
    private static func append(_ byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case 0..<0x20:
            bytes.append(contentsOf: "\\u00".utf8)
            bytes.append(UInt8(ascii: "0") + byte >> 4)
            let digit = byte & 0xF
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        default: bytes.append(byte)
        }
    }

    /// - Throws: `StoreError` of code `unexpectedValue` for anything but a flat array of strings.
    static func strings(of text: String) throws -> [String] {
        do {
            return try JSONDecoder().decode([String].self, from: Data(text.utf8))
        } catch {
            throw StoreError(.unexpectedValue, "a column does not hold a list of strings", cause: "\(error)")
        }
    }
}
