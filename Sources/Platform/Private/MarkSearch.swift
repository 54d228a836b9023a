/// Looks for a person's names in text and bytes, in one pass.
///
/// Ids of letters and digits are found as whole words, so that a word is looked up once and not compared with each of
/// thousands; other names, addresses among them, by comparison, with nothing that would go on with the name beside them.
package struct MarkSearch: Sendable {
    /// Below this a name may be a word of any text: it counts where `ShortNames` says that it means somebody.
    package static let shortBytes = 12

    private struct Phrase: Sendable {
        enum Kind { case id, address }

        let bytes: [UInt8]
        let kind: Kind
    }

    private var words: Set<[UInt8]> = []
    private var lengths: Set<Int> = []
    private var phrases: [Phrase] = []
    private var shortNames: [[UInt8]] = []

    /// - Parameters:
    ///   - ids: found as they are written.
    ///   - addresses: found in any case.
    package init(ids: some Sequence<String>, addresses: some Sequence<String>) {
        for id in ids where !id.isEmpty {
            let bytes = Array(id.utf8)
            if bytes.count < Self.shortBytes {
                shortNames.append(bytes)
            } else if bytes.allSatisfy(Self.isWordByte) {
                words.insert(bytes)
                lengths.insert(bytes.count)
            } else {
                phrases.append(Phrase(bytes: bytes, kind: .id))
            }
        }
        for address in addresses where !address.isEmpty {
            let bytes = Array(address.utf8).map(Self.lower)
            phrases.append(Phrase(bytes: bytes, kind: .address))
            // As it stands in a URL.
            let escaped = bytes.flatMap { $0 == UInt8(ascii: "@") ? Array("%40".utf8) : [$0] }
            phrases.append(Phrase(bytes: escaped, kind: .address))
        }
    }

    /// Whether a value names the person.
    ///
    /// - Parameter short: how names stand in the value that are short enough to mean something else; nil where they
    ///   mean nobody.
    package func matches(_ bytes: [UInt8], short: ShortNames?) -> Bool {
        if matchesWord(bytes) { return true }
        if phrases.contains(where: { Self.contains($0, in: bytes) }) { return true }
        return short.map { short in shortNames.contains { short.matches($0, in: bytes) } } ?? false
    }

    private func matchesWord(_ bytes: [UInt8]) -> Bool {
        guard !words.isEmpty else { return false }
        var start = 0
        for position in 0...bytes.count where position == bytes.count || !Self.isWordByte(bytes[position]) {
            if lengths.contains(position - start), words.contains(Array(bytes[start..<position])) { return true }
            start = position + 1
        }
        return false
    }

    private static func contains(_ phrase: Phrase, in bytes: [UInt8]) -> Bool {
        let wanted = phrase.bytes.span
        let span = bytes.span
        guard span.count >= wanted.count else { return false }
        let isCaseless = phrase.kind == .address
        let first = wanted[0]
        for start in 0...(span.count - wanted.count) {
            guard (isCaseless ? lower(span[start]) : span[start]) == first else { continue }
            var length = 1
            while length < wanted.count {
                let next = span[start + length]
                guard (isCaseless ? lower(next) : next) == wanted[length] else { break }
                length += 1
            }
            if length == wanted.count, stands(phrase.kind, start..<start + length, in: span) { return true }
        }
        return false
    }

    /// Whether what lies beside a name is not part of a longer one: `ada@example.org` is not in
    /// `nada@example.organic`, nor in `x.ada@example.org`.
    private static func stands(_ kind: Phrase.Kind, _ place: Range<Int>, in span: Span<UInt8>) -> Bool {
        let before = place.lowerBound > 0 ? span[place.lowerBound - 1] : nil
        let after = place.upperBound < span.count ? span[place.upperBound] : nil
        switch kind {
        case .id:
            return !(before.map(isWordByte) ?? false) && !(after.map(isWordByte) ?? false)
        case .address:
            if let before, isWordByte(before) || "._+-".utf8.contains(before) { return false }
            guard let after else { return true }
            let isJoined = ".-".utf8.contains(after) && place.upperBound + 1 < span.count
            return !isWordByte(after) && !(isJoined && isWordByte(span[place.upperBound + 1]))
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte)
    }

    static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
