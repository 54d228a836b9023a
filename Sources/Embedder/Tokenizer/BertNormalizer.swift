// BertNormalizer of the `tokenizers` library: clean_text, handle_chinese_chars, strip_accents, lowercase.

/// Receives normalised text scalar by scalar.
protocol ScalarSink {
    /// True when nothing that follows can change the result.
    var isFull: Bool { get }
    mutating func appendASCII(_ byte: UInt8)
    mutating func append(_ scalar: UInt32)
}

/// The reference's normalisation as one pass over UTF-8; ASCII takes a short way.
struct BertNormalizer: Sendable {
    var cleansText = true
    var handlesChineseCharacters = true
    /// Canonical decomposition, then no nonspacing marks.
    var stripsAccents = true
    var lowercases = true

    /// Leaves every scalar as it is.
    static let none = BertNormalizer(
        cleansText: false, handlesChineseCharacters: false, stripsAccents: false, lowercases: false)

    /// Sends the normal form of `text[range]`, which must start and end between scalars, to `sink`.
    func normalize(_ text: Span<UInt8>, _ range: Range<Int>, into sink: inout some ScalarSink) {
        let classes = ScalarClassTable.shared
        var waiting = WaitingMarks()
        var position = range.lowerBound
        while position < range.upperBound && !sink.isFull {
            let byte = text[position]
            if byte < 0x80 {
                position += 1
                if cleansText && (byte < 0x20 || byte == 0x7F) {
                    if byte >= 0x09 && byte <= 0x0D && byte != 0x0B && byte != 0x0C {
                        waiting.flush(into: &sink)
                        sink.appendASCII(0x20)
                    }
                    continue
                }
                waiting.flush(into: &sink)
                let isUpper = lowercases && byte >= 0x41 && byte <= 0x5A
                sink.appendASCII(isUpper ? byte | 0x20 : byte)
            } else {
                let scalar = UTF8Decoding.scalar(text, &position)
                normalize(scalar, classes[scalar], classes, &waiting, into: &sink)
            }
        }
        waiting.flush(into: &sink)
    }

    private func normalize(
        _ scalar: UInt32, _ kind: ScalarClass, _ classes: ScalarClassTable, _ waiting: inout WaitingMarks,
        into sink: inout some ScalarSink
    ) {
        if cleansText {
            if kind.contains(.removed) { return }
            if kind.contains(.whitespace) {
                waiting.flush(into: &sink)
                sink.appendASCII(0x20)
                return
            }
        }
        let isIdeograph = handlesChineseCharacters && kind.contains(.ideograph)
        if isIdeograph {
            waiting.flush(into: &sink)
            sink.appendASCII(0x20)
        }
        if stripsAccents {
            CanonicalDecomposition.shared.forEach(of: scalar) { part in
                let kind = part < 0x80 ? [] : classes[part]
                if kind.contains(.reordered) {
                    waiting.insert(part)
                } else if kind.contains(.nonspacingMark) {
                    // It goes, but one of class 0 (no mark to be moved) ends a run of reordered marks.
                    if !waiting.isEmpty && CombiningClass.of(part) == 0 { flush(&waiting, into: &sink) }
                } else {
                    flush(&waiting, into: &sink)
                    fold(part, into: &sink)
                }
            }
        } else {
            fold(scalar, into: &sink)
        }
        if isIdeograph {
            flush(&waiting, into: &sink)
            sink.appendASCII(0x20)
        }
    }

    private func flush(_ waiting: inout WaitingMarks, into sink: inout some ScalarSink) {
        if !waiting.isEmpty { waiting.flush(into: &sink) }
    }

    /// Lower-cases one scalar (full mapping, no context) on its way to `sink`.
    private func fold(_ scalar: UInt32, into sink: inout some ScalarSink) {
        if scalar < 0x80 {
            let isUpper = lowercases && scalar >= 0x41 && scalar <= 0x5A
            sink.appendASCII(UInt8(truncatingIfNeeded: isUpper ? scalar | 0x20 : scalar))
            return
        }
        guard lowercases, let properties = Unicode.Scalar(scalar)?.properties, properties.changesWhenLowercased else {
            return sink.append(scalar)
        }
        for lower in properties.lowercaseMapping.unicodeScalars {
            if lower.value < 0x80 { sink.appendASCII(UInt8(lower.value)) } else { sink.append(lower.value) }
        }
    }
}

/// Kept marks in canonical order, until the next scalar of class 0 fixes their place. None of them has case.
private struct WaitingMarks {
    private var marks: [(scalar: UInt32, order: UInt8)] = []

    var isEmpty: Bool { marks.isEmpty }

    mutating func insert(_ scalar: UInt32) {
        let order = CombiningClass.of(scalar)
        let place = marks.lastIndex { $0.order <= order }.map { $0 + 1 } ?? 0
        marks.insert((scalar, order), at: place)
    }

    @inline(__always)
    mutating func flush(into sink: inout some ScalarSink) {
        if marks.isEmpty { return }
        for mark in marks { sink.append(mark.scalar) }
        marks.removeAll(keepingCapacity: true)
    }
}

enum CombiningClass {
    static func of(_ scalar: UInt32) -> UInt8 {
        Unicode.Scalar(scalar)?.properties.canonicalCombiningClass.rawValue ?? 0
    }
}

/// Decoding of UTF-8 that is known to be valid, as that of a String is.
enum UTF8Decoding {
    /// The scalar at `position`, which moves past it.
    @inline(__always)
    static func scalar(_ text: Span<UInt8>, _ position: inout Int) -> UInt32 {
        let lead = UInt32(text[position])
        if lead < 0x80 {
            position += 1
            return lead
        }
        let second = UInt32(text[position + 1] & 0x3F)
        if lead < 0xE0 {
            position += 2
            return (lead & 0x1F) << 6 | second
        }
        let third = UInt32(text[position + 2] & 0x3F)
        if lead < 0xF0 {
            position += 3
            return (lead & 0x0F) << 12 | second << 6 | third
        }
        let fourth = UInt32(text[position + 3] & 0x3F)
        position += 4
        return (lead & 0x07) << 18 | second << 12 | third << 6 | fourth
    }

    /// Appends the UTF-8 of `scalar`.
    @inline(__always)
    static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        if scalar < 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: scalar))
        } else if scalar < 0x800 {
            bytes.append(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        } else if scalar < 0x10000 {
            bytes.append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        } else {
            bytes.append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3F))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        }
    }
}

/// Collects normalised text as UTF-8.
struct ByteSink: ScalarSink {
    var bytes: [UInt8] = []
    var isFull: Bool { false }
    mutating func appendASCII(_ byte: UInt8) { bytes.append(byte) }
    mutating func append(_ scalar: UInt32) { UTF8Decoding.append(scalar, to: &bytes) }
}
