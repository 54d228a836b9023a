// The vocabulary: a frozen hash table from UTF-8 bytes to token ids, made for longest-prefix search.

/// Token texts to ids. A text is found as it is, or as the continuation of a word (its prefix `##` taken off).
///
/// Keys are bytes, never String: canonically equivalent texts are different tokens. The hash of a prefix is
/// a step of the hash of the whole (FNV-1a), so that one pass over a word hashes all of its prefixes.
struct Vocabulary: Sendable {
    private struct Slot {
        /// The half of the hash that does not choose the slot.
        var hash: UInt32
        var offset: UInt32
        var length: UInt32
        var id: Int32
    }

    /// Hash before the first byte, for a text at the start of a word and for a continuation.
    static let initialSeed: UInt64 = 0xCBF2_9CE4_8422_2325
    static let continuingSeed: UInt64 = 0x9AE1_6A3B_2F90_404F

    @inline(__always)
    static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }

    private var slots: [Slot]
    private let mask: Int
    private var texts: [UInt8] = []

    /// Number of different tokens.
    private(set) var count = 0
    /// The largest id; -1 without tokens.
    private(set) var largestID: Int32 = -1
    /// Bytes of the longest text.
    private(set) var maximumLength = 0

    /// A table of `tokens`; of two equal texts the later one counts, as in the reference.
    init(tokens: [(text: String, id: Int32)], continuingPrefix: String) {
        var capacity = 16
        while capacity < tokens.count * 2 { capacity *= 2 }
        slots = [Slot](repeating: Slot(hash: 0, offset: 0, length: 0, id: -1), count: capacity)
        mask = capacity - 1
        let prefix = Array(continuingPrefix.utf8)
        for token in tokens {
            let text = Array(token.text.utf8)
            if insert(text[...], seed: Self.initialSeed, id: token.id) { count += 1 }
            if text.count > prefix.count && text.starts(with: prefix) {
                _ = insert(text[prefix.count...], seed: Self.continuingSeed, id: token.id)
            }
            largestID = max(largestID, token.id)
            maximumLength = max(maximumLength, text.count)
        }
    }

    /// The id of exactly `text`.
    func id(of text: String) -> Int32? {
        let bytes = Array(text.utf8)
        let hash = bytes.reduce(Self.initialSeed, Self.step)
        return bytes.withSpan { find(hash, $0, 0, $0.count) }
    }

    /// The id of `bytes[start..<end]`, whose hash (from the seed of its kind) is `hash`.
    @inline(__always)
    func find(_ hash: UInt64, _ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int32? {
        var index = Self.fold(hash) & mask
        while slots[index].id >= 0 {
            let slot = slots[index]
            if slot.hash == Self.tag(hash) && Int(slot.length) == end - start {
                let offset = Int(slot.offset)
                var same = 0
                while same < end - start && texts[offset + same] == bytes[start + same] { same += 1 }
                if same == end - start { return slot.id }
            }
            index = (index + 1) & mask
        }
        return nil
    }

    private static func fold(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: UInt32(truncatingIfNeeded: hash ^ hash >> 29))
    }

    @inline(__always)
    private static func tag(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 32) }

    private mutating func insert(_ text: ArraySlice<UInt8>, seed: UInt64, id: Int32) -> Bool {
        let hash = text.reduce(seed, Self.step)
        var index = Self.fold(hash) & mask
        while slots[index].id >= 0 {
            let slot = slots[index]
            let offset = Int(slot.offset)
            if slot.hash == Self.tag(hash), texts[offset..<offset + Int(slot.length)] == text {
                slots[index].id = id
                return false
            }
            index = (index + 1) & mask
        }
        slots[index] = Slot(hash: Self.tag(hash), offset: UInt32(texts.count), length: UInt32(text.count), id: id)
        texts.append(contentsOf: text)
        return true
    }
}

extension Array where Element == UInt8 {
    /// `body` with a view of the elements.
    func withSpan<R>(_ body: (Span<UInt8>) -> R) -> R { body(span) }
}
