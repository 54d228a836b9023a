package import NIOCore
import VectorMath

/// Strong entity tags (RFC 9110, section 8.8.3): equal tags mean equal bytes.
package enum EntityTag {
    /// The tag of a body: half of its SHA-256, 128 bits, in quotes.
    package static func strong(of body: ByteBuffer) -> String {
        "\"\(SHA256.hash(Array(body.readableBytesView)).prefix(32))\""
    }

    /// Whether an `If-None-Match` names `tag`, by weak comparison, or is `*`.
    ///
    /// What is no list of tags matches nothing: the client then gets the whole reply, which is never wrong.
    package static func matches(_ tag: String, ifNoneMatch condition: String) -> Bool {
        var rest = condition.utf8.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        if rest.elementsEqual("*".utf8) { return true }
        let wanted = tag.hasPrefix("W/") ? tag.utf8.dropFirst(2) : tag.utf8[...]
        while !rest.isEmpty {
            if rest.starts(with: "W/".utf8) { rest = rest.dropFirst(2) }
            guard rest.first == UInt8(ascii: "\""),
                let end = rest.dropFirst().firstIndex(of: UInt8(ascii: "\""))
            else { return false }
            // Commas may stand inside a tag, so that a list cannot simply be split at them.
            if rest[...end].elementsEqual(wanted) { return true }
            rest = rest[end...].dropFirst().drop { separators.contains($0) }
        }
        return false
    }

    private static let separators: Set<UInt8> = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: ",")]
}
