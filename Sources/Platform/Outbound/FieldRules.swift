/// What may be sent as a field of a request, so that no value can end its line and begin another.
package enum FieldRules {
    static let maximumBytes = 64 << 10

    /// Fields that frame a message or name its connection: curl writes them, and two of a kind would be read two ways.
    private static let reserved: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer", "expect",
        "accept-encoding", "proxy-authorization", "proxy-connection", "http2-settings",
    ]

    /// Fields that go along to another origin. All others stay, known or not: any may be a key.
    private static let harmless: Set<String> = [
        "accept", "accept-language", "user-agent", "content-type", "content-language", "cache-control", "if-none-match",
        "if-modified-since",
    ]

    /// - Throws: `invalidRequest`, naming the field and never its value.
    package static func check(_ headers: [(name: String, value: String)]) throws(OutboundError) {
        var bytes = 0
        for (name, value) in headers {
            guard isToken(name) else {
                throw OutboundError(.invalidRequest, "a header has a name that is none (\(name.utf8.count) bytes)")
            }
            guard !reserved.contains(name.lowercased()) else {
                throw OutboundError(.invalidRequest, "the header \(name) is set by the transport alone")
            }
            guard isValue(value) else {
                throw OutboundError(.invalidRequest, "the value of the header \(name) has control characters")
            }
            bytes += name.utf8.count + value.utf8.count + 4
        }
        guard bytes <= maximumBytes else {
            throw OutboundError(.invalidRequest, "the headers have \(bytes) bytes, more than \(maximumBytes)")
        }
    }

    /// A name or method (RFC 9110, 5.6.2).
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 256
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    static func isValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
    }

    static func crossOrigin(_ headers: [(name: String, value: String)]) -> [(name: String, value: String)] {
        headers.filter { harmless.contains($0.name.lowercased()) }
    }

    static func withoutBody(_ headers: [(name: String, value: String)]) -> [(name: String, value: String)] {
        headers.filter { !$0.name.lowercased().hasPrefix("content-") }
    }
}
