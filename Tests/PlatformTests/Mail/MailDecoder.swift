import Foundation

/// Reads a message back, by the RFCs alone and with nothing of the encoder's: what is sent is held against it.
struct MailDecoder {
    struct Malformed: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    struct Part {
        /// In order, unfolded.
        let headers: [(name: String, value: String)]
        let body: [UInt8]

        func values(_ name: String) -> [String] {
            headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
        }

        func value(_ name: String) -> String? { values(name).first }
    }

    let top: Part
    /// By media type: `text/plain`, `text/html`.
    let texts: [String: String]

    init(_ bytes: [UInt8]) throws {
        top = try Self.part(bytes)
        var texts: [String: String] = [:]
        for part in try Self.leaves(top) {
            let type = part.value("Content-Type") ?? ""
            guard type.contains("charset=utf-8"), part.value("Content-Transfer-Encoding") == "quoted-printable" else {
                throw Malformed("a part is of type \(type)")
            }
            let decoded = try Self.quotedPrintable(part.body)
            guard let text = String(validating: decoded, as: UTF8.self) else { throw Malformed("a part is not UTF-8") }
            texts[String(type.prefix { $0 != ";" })] = text
        }
        self.texts = texts
    }

    /// The lines with their CR LF taken off.
    static func lines(_ bytes: [UInt8]) throws -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        for (index, byte) in bytes.enumerated() {
            if byte == 0x0D, index + 1 == bytes.count || bytes[index + 1] != 0x0A { throw Malformed("a lone CR") }
            guard byte == 0x0A else { continue }
            guard index > 0, bytes[index - 1] == 0x0D else { throw Malformed("a lone LF") }
            lines.append(bytes[start..<(index - 1)])
            start = index + 1
        }
        guard start == bytes.count else { throw Malformed("the last line does not end") }
        return lines
    }

    private static func part(_ bytes: [UInt8]) throws -> Part {
        var headers: [(name: String, value: String)] = []
        var position = 0
        for line in try lines(bytes) {
            position += line.count + 2
            if line.isEmpty { return Part(headers: headers, body: Array(bytes[position...])) }
            let text = String(decoding: line, as: UTF8.self)
            if text.hasPrefix(" ") || text.hasPrefix("\t") {
                guard !headers.isEmpty else { throw Malformed("the header begins with a folded line") }
                headers[headers.count - 1].value += text
                continue
            }
            guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else {
                throw Malformed("no header: \(text)")
            }
            headers.append((String(text[..<colon]), String(text[text.index(after: colon)...])))
        }
        throw Malformed("the header does not end")
    }

    private static func leaves(_ part: Part) throws -> [Part] {
        let type = part.value("Content-Type")?.trimmingCharacters(in: .whitespaces) ?? ""
        guard type.hasPrefix("multipart/") else { return [Part(headers: trimmed(part.headers), body: part.body)] }
        guard let start = type.range(of: "boundary=\""), let end = type[start.upperBound...].firstIndex(of: "\"") else {
            throw Malformed("no boundary: \(type)")
        }
        let marker = "--" + type[start.upperBound..<end]
        var parts: [Part] = []
        var collected: [UInt8]?
        for line in try lines(part.body) {
            let text = String(decoding: line, as: UTF8.self)
            guard text == marker || text == marker + "--" else {
                collected? += line + [0x0D, 0x0A]
                continue
            }
            // The CR LF before a boundary is the boundary's.
            if let collected {
                parts.append(try Self.part(Array(collected.dropLast(2)) + [0x0D, 0x0A]))
            }
            collected = []
            if text == marker + "--" { return try parts.flatMap(leaves) }
        }
        throw Malformed("the last boundary is missing")
    }

    private static func trimmed(_ headers: [(name: String, value: String)]) -> [(name: String, value: String)] {
        headers.map { ($0.name, $0.value.trimmingCharacters(in: .whitespaces)) }
    }

    /// RFC 2045, section 6.7; the CR LF that ends the body is the message's, not the text's. Line ends become LF.
    private static func quotedPrintable(_ body: [UInt8]) throws -> [UInt8] {
        var result: [UInt8] = []
        let lines = try lines(body)
        for (number, line) in lines.enumerated() {
            guard line.count <= 76 else { throw Malformed("a line of \(line.count) characters") }
            if let last = line.last, last == 0x20 || last == 0x09 { throw Malformed("white space ends a line") }
            var isSoft = false
            var rest = line
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "=") else {
                    guard byte == 0x09 || (0x20...0x7E).contains(byte) else { throw Malformed("a bare byte \(byte)") }
                    result.append(byte)
                    continue
                }
                if rest.isEmpty {
                    isSoft = true
                    break
                }
                guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                else {
                    throw Malformed("“=” without two digits")
                }
                result.append(value)
                rest = rest.dropFirst(2)
            }
            if number + 1 < lines.count {
                if !isSoft { result.append(0x0A) }
            } else if isSoft {
                throw Malformed("the text ends in a soft break")
            }
        }
        return result
    }

    /// A header's text with its encoded words read (RFC 2047); white space between two of them is none.
    static func words(_ value: String) throws -> String {
        let pattern = /=\?UTF-8\?([BQ])\?([!->@-~]*)\?=/
        var result: [UInt8] = []
        var rest = Substring(value)
        var isAfterWord = false
        while let match = rest.firstMatch(of: pattern) {
            let between = rest[..<match.range.lowerBound]
            if !isAfterWord || !between.allSatisfy({ $0 == " " }) { result += between.utf8 }
            guard match.output.0.utf8.count <= 75 else { throw Malformed("an encoded word of over 75 characters") }
            let word =
                match.output.1 == "B"
                ? Data(base64Encoded: String(match.output.2)).map(Array.init) : q(match.output.2)
            guard let word, String(validating: word, as: UTF8.self) != nil else {
                throw Malformed("an encoded word that is not UTF-8 alone: \(match.output.0)")
            }
            result += word
            rest = rest[match.range.upperBound...]
            isAfterWord = true
        }
        result += rest.utf8
        guard let text = String(validating: result, as: UTF8.self) else { throw Malformed("a header is not UTF-8") }
        return text
    }

    private static func q(_ text: Substring) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "_"): result.append(0x20)
            case UInt8(ascii: "="):
                guard let value = UInt8(String(Substring(rest.prefix(2))), radix: 16) else { return nil }
                result.append(value)
                rest = rest.dropFirst(2)
            default: result.append(byte)
            }
        }
        return result
    }
}
