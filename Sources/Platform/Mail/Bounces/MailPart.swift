internal import Foundation

/// A message, or a part of one (RFC 5322, RFC 2045 and 2046), as it is read from outside: what makes no sense in it is
/// left out, and nothing in it is an error.
struct MailPart {
    private static let maximumParts = 50

    let header: MailFields
    /// As it was sent.
    let body: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        var lines = MailLines(bytes)
        header = MailFields(&lines)
        body = lines.rest
    }

    /// `text/plain` in lower case; what a part without the field is.
    var type: String { MailParameters(header["content-type"] ?? "text/plain").value.lowercased() }

    /// The parts of a multipart body, those that are begun and not ended included.
    var parts: [MailPart] {
        guard type.hasPrefix("multipart/"),
            let boundary = MailParameters(header["content-type"] ?? "")["boundary"],
            (1...200).contains(boundary.utf8.count)
        else { return [] }
        let delimiter = Array("--\(boundary)".utf8)
        var parts: [MailPart] = []
        var start: Int?
        var lines = MailLines(body)
        while let line = lines.next() {
            guard line.starts(with: delimiter) else { continue }
            let tail = line.dropFirst(delimiter.count)
            let isEnd = tail.starts(with: Array("--".utf8))
            // White space may follow (RFC 2046, section 5.1.1); anything else is another boundary that begins alike.
            guard isEnd || tail.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) else { continue }
            if let start { parts.append(MailPart(body[start..<line.startIndex])) }
            start = isEnd ? nil : lines.position
            if isEnd || parts.count >= Self.maximumParts { return parts }
        }
        if let start { parts.append(MailPart(body[start...])) }
        return parts
    }

    /// The body without its transfer encoding; empty where that is not known.
    var decodedBody: [UInt8] {
        switch MailParameters(header["content-transfer-encoding"] ?? "7bit").value.lowercased() {
        case "7bit", "8bit", "binary": Array(body)
        case "quoted-printable": Self.unquoted(body)
        case "base64": Array(Data(base64Encoded: Data(body), options: .ignoreUnknownCharacters) ?? Data())
        default: []
        }
    }

    /// RFC 2045, section 6.7; what is no escape stands for itself.
    private static func unquoted(_ body: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(body.count)
        var place = body.startIndex
        while place < body.endIndex {
            let rest = body[place...]
            guard rest.first == UInt8(ascii: "=") else {
                bytes.append(body[place])
                place += 1
                continue
            }
            let digits = rest.dropFirst().prefix(2)
            if digits.first == 0x0A {
                place += 2
            } else if digits.elementsEqual([0x0D, 0x0A]) {
                place += 3
            } else if digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) {
                bytes.append(value)
                place += 3
            } else {
                bytes.append(body[place])
                place += 1
            }
        }
        return bytes
    }
}

/// The lines of some bytes, without their ends (LF or CR LF).
struct MailLines {
    private let bytes: ArraySlice<UInt8>
    /// Where the next line begins.
    private(set) var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var rest: ArraySlice<UInt8> { bytes[position...] }

    mutating func next() -> ArraySlice<UInt8>? {
        guard position < bytes.endIndex else { return nil }
        let end = bytes[position...].firstIndex(of: 0x0A) ?? bytes.endIndex
        var line = bytes[position..<end]
        position = min(end + 1, bytes.endIndex)
        if line.last == 0x0D { line = line.dropLast() }
        return line
    }
}

/// A block of header fields, unfolded: names in lower case, values as text without the white space around them.
struct MailFields {
    private static let maximumFields = 500
    private static let maximumValue = 4096

    private var values: [String: String] = [:]

    var isEmpty: Bool { values.isEmpty }

    /// The first field of a name that is there more than once.
    subscript(_ name: String) -> String? { values[name] }

    /// Reads up to the empty line, which is taken as well, or to the end.
    init(_ lines: inout MailLines) {
        var name = ""
        var value: [UInt8] = []
        var count = 0
        func keep(_ values: inout [String: String]) {
            guard !name.isEmpty, values[name] == nil else { return }
            values[name] = String(decoding: value, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        while let line = lines.next(), !line.isEmpty {
            if line.first == 0x20 || line.first == 0x09 {
                // Folded (RFC 5322, section 2.2.3).
                value += line.prefix(max(0, Self.maximumValue - value.count))
                continue
            }
            keep(&values)
            name = ""
            count += 1
            guard count <= Self.maximumFields, let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let written = line[..<colon].filter { $0 != 0x20 && $0 != 0x09 }
            guard (1...76).contains(written.count), written.allSatisfy({ (0x21...0x7E).contains($0) }) else { continue }
            name = String(decoding: written, as: UTF8.self).lowercased()
            value = Array(line[(colon + 1)...].prefix(Self.maximumValue))
        }
        keep(&values)
    }
}

/// A value with parameters: `multipart/report; report-type=delivery-status; boundary="a b"`.
struct MailParameters {
    let value: String
    private var parameters: [String: String] = [:]

    subscript(_ name: String) -> String? { parameters[name] }

    init(_ text: String) {
        var pieces: [String] = [""]
        var isQuoted = false
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if isEscaped {
                pieces[pieces.count - 1].unicodeScalars.append(scalar)
                isEscaped = false
            } else if isQuoted, scalar == "\\" {
                isEscaped = true
            } else if scalar == "\"" {
                isQuoted.toggle()
            } else if scalar == ";", !isQuoted {
                pieces.append("")
            } else {
                pieces[pieces.count - 1].unicodeScalars.append(scalar)
            }
        }
        value = pieces[0].trimmingCharacters(in: .whitespaces)
        for piece in pieces.dropFirst() {
            guard let equals = piece.firstIndex(of: "=") else { continue }
            let name = piece[..<equals].trimmingCharacters(in: .whitespaces).lowercased()
            guard parameters[name] == nil else { continue }
            parameters[name] = piece[piece.index(after: equals)...].trimmingCharacters(in: .whitespaces)
        }
    }
}
