/// Takes the head of a response line by line, within bounds.
///
/// Interim responses (1xx) begin anew but count towards the bounds; trailers count and are dropped.
package struct ResponseHead: Sendable {
    package static let maximumBytes = 64 << 10
    package static let maximumFields = 200

    package private(set) var status = 0
    package private(set) var headers = OutboundHeaders()
    private var bytes = 0
    private var lines = 0
    private var isComplete = false

    package init() {}

    /// Takes one line with its ending.
    ///
    /// - Throws: `tooLarge`.
    package mutating func take(_ line: some Collection<UInt8>) throws(OutboundError) {
        bytes += line.count
        lines += 1
        // Status lines and empty lines are few; interim responses without end are not.
        guard bytes <= Self.maximumBytes, lines <= Self.maximumFields + 16, headers.fields.count <= Self.maximumFields
        else {
            throw OutboundError(
                .tooLarge, "the answer has more than \(Self.maximumBytes) bytes or \(Self.maximumFields) fields of head"
            )
        }
        let content = line.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
        if content.starts(with: "HTTP/".utf8), !isComplete || (100..<200).contains(status) {
            headers = OutboundHeaders()
            status = Self.status(in: content)
            isComplete = false
        } else if content.isEmpty {
            isComplete = true
        } else if !isComplete {
            try takeField(content)
        }
    }

    private mutating func takeField(_ content: some Collection<UInt8>) throws(OutboundError) {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        if let first = content.first, isBlank(first) {
            headers.continueLast(with: Self.trimmed(content))
            return
        }
        let name = content.prefix { $0 != UInt8(ascii: ":") }
        // A line without a colon is no field; curl lets it pass, and nobody can ask for it.
        guard name.count < content.count else { return }
        guard headers.fields.count < Self.maximumFields else {
            throw OutboundError(.tooLarge, "the answer has more than \(Self.maximumFields) header fields")
        }
        headers.append(.init(name: Self.trimmed(name), value: Self.trimmed(content.dropFirst(name.count + 1))))
    }

    /// The body's length as the head tells it, before decompression.
    package var contentLength: Int? { headers["content-length"].flatMap { Int($0) } }

    private static func status(in line: some Collection<UInt8>) -> Int {
        let digits = line.drop { $0 != 0x20 }.dropFirst().prefix(3)
        return Int(String(decoding: digits, as: UTF8.self)) ?? 0
    }

    private static func trimmed(_ bytes: some Collection<UInt8>) -> String {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        var text = Array(bytes.drop(while: isBlank))
        while let last = text.last, isBlank(last) { text.removeLast() }
        return String(decoding: text, as: UTF8.self)
    }
}
