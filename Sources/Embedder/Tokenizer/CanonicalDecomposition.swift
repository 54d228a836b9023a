import Foundation

// Canonical decomposition (NFD) one scalar at a time, without a String per scalar.

/// Full canonical decompositions of every scalar that has one, built once on first use (some 4 ms).
///
/// Unicode promises never to change the decomposition of an assigned scalar, so the toolchain's own
/// normaliser may be asked; only the blocks that hold decomposable scalars are.
struct CanonicalDecomposition: Sendable {
    static let shared = CanonicalDecomposition()

    private static let blocks: [ClosedRange<UInt32>] = [
        0xC0...0x6D3, 0x929...0x1026, 0x1B06...0x1B43, 0x1E00...0x232A, 0x2ADC...0x2ADC, 0x304C...0x30FE,
        0xF900...0xFB4E, 0x1109A...0x1112F, 0x1134B...0x115BB, 0x1D15E...0x1D1C0, 0x2F800...0x2FA1D,
    ]
    /// U+11938 (Dives Akuru O) came with Unicode 13; the reference's table is older and leaves it whole.
    private static let unknownToReference: UInt32 = 0x11938

    /// Scalar to (offset, count) in `scalars`.
    private let places: [UInt32: (offset: Int32, count: Int32)]
    private let scalars: [UInt32]

    private init() {
        // One call for all of them: a call per scalar costs forty times as much. NUL never combines.
        var asked: [UInt32] = []
        var joined = String.UnicodeScalarView()
        for scalar in Self.blocks.joined().compactMap(Unicode.Scalar.init) {
            asked.append(scalar.value)
            joined.append(scalar)
            joined.append("\0")
        }
        var places: [UInt32: (offset: Int32, count: Int32)] = [:]
        var scalars: [UInt32] = []
        var start = 0
        var next = asked.makeIterator()
        for scalar in String(joined).decomposedStringWithCanonicalMapping.unicodeScalars {
            guard scalar.value == 0 else {
                scalars.append(scalar.value)
                continue
            }
            guard let source = next.next() else { break }
            let count = scalars.count - start
            if count == 1 && scalars[start] == source {
                scalars.removeLast()
            } else {
                places[source] = (Int32(start), Int32(count))
                start = scalars.count
            }
        }
        self.places = places
        self.scalars = scalars
    }

    /// Number of scalars that have a decomposition of their own, Hangul syllables aside.
    var count: Int { places.count }

    /// Calls `body` with each scalar of the canonical decomposition of `scalar`, in order.
    @inline(__always)
    func forEach(of scalar: UInt32, _ body: (UInt32) -> Void) {
        if scalar < 0xC0 {
            body(scalar)
        } else if scalar >= 0xAC00 && scalar < 0xAC00 + 11172 {
            // Hangul syllables by arithmetic (The Unicode Standard, section 3.12).
            let index = scalar - 0xAC00
            body(0x1100 + index / 588)
            body(0x1161 + index % 588 / 28)
            if index % 28 != 0 { body(0x11A7 + index % 28) }
        } else if let place = places[scalar] {
            for index in Int(place.offset)..<Int(place.offset + place.count) { body(scalars[index]) }
        } else {
            body(scalar)
        }
    }
}
