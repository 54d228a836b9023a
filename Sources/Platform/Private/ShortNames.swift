/// How a name that may as well be a word or a number of any text stands where it means somebody.
///
/// An identity provider may call people `2` or `ada`. Such a name is no trace of anybody in `"rank":2,` or `10:15:02`, and
/// what was found by it there would be a stranger's.
package enum ShortNames: Sendable, Equatable {
    /// The name is the whole value.
    case whole
    /// The name is the whole value, or a part of it between colons and slashes: `digest:2026-11-22:ada`.
    case parts
    /// The value ends with “of user” and the name, as the scope of a kept reply does.
    case caller
    /// The name is the value of a field of JSON that names people: `{"user_id": "ada"}`.
    case fields
    /// Any of them, where nobody knows what a value is.
    case all

    func matches(_ name: [UInt8], in bytes: [UInt8]) -> Bool {
        switch self {
        case .whole: bytes == name
        case .parts: Self.isPart(name, of: bytes)
        case .caller: Self.isCaller(name, of: bytes)
        case .fields: Self.isField(name, of: bytes)
        case .all: Self.isPart(name, of: bytes) || Self.isCaller(name, of: bytes) || Self.isField(name, of: bytes)
        }
    }

    // MARK: Parts

    private static func isPart(_ name: [UInt8], of bytes: [UInt8]) -> Bool {
        places(of: name, in: bytes).contains { place in
            let before = place > 0 ? bytes[place - 1] : nil
            let end = place + name.count
            let after = end < bytes.count ? bytes[end] : nil
            return before.map(isSeparator) ?? true && after.map(isSeparator) ?? true && !isOfTime(place, bytes)
        }
    }

    private static func isSeparator(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ":") || byte == UInt8(ascii: "/") }

    /// Whether what begins at `place` is the minute or second of a time: `…T03:15:00`.
    private static func isOfTime(_ place: Int, _ bytes: [UInt8]) -> Bool {
        func isTwoDigits(endingAt end: Int) -> Bool {
            end >= 3 && bytes[end - 1] == UInt8(ascii: ":") && isDigit(bytes[end - 2]) && isDigit(bytes[end - 3])
        }
        var start = place
        for _ in 0..<2 where isTwoDigits(endingAt: start) {
            start -= 3
            if start > 0, bytes[start - 1] == UInt8(ascii: "T") { return true }
        }
        return false
    }

    // MARK: Callers

    private static let callerMark = Array(" of user ".utf8)

    private static func isCaller(_ name: [UInt8], of bytes: [UInt8]) -> Bool {
        // The first one counts: a path has no spaces, and a name that has them is somebody else's.
        guard let place = places(of: callerMark, in: bytes).first(where: { _ in true }) else { return false }
        return bytes[(place + callerMark.count)...].elementsEqual(name)
    }

    // MARK: Fields

    /// Without case and underscores.
    private static let fieldNames = Set(
        [
            "user", "userid", "owner", "ownerid", "person", "personid", "learner", "learnerid", "educator",
            "educatorid",
            "employee", "employeeid", "updatedby", "sub",
        ].map { Array($0.utf8) })
    private static let longestField = 24

    private static func isField(_ name: [UInt8], of bytes: [UInt8]) -> Bool {
        let quote = UInt8(ascii: "\"")
        let value = [quote] + name + [quote]
        return places(of: value, in: bytes).contains { place in
            var end = skippingBlanks(before: place, bytes)
            guard end > 0, bytes[end - 1] == UInt8(ascii: ":") else { return false }
            end = skippingBlanks(before: end - 1, bytes)
            guard end > 0, bytes[end - 1] == quote else { return false }
            let field = bytes[..<(end - 1)].suffix(longestField)
            guard let start = field.lastIndex(of: quote) else { return false }
            return fieldNames.contains(field[(start + 1)...].filter { $0 != UInt8(ascii: "_") }.map(MarkSearch.lower))
        }
    }

    private static func skippingBlanks(before end: Int, _ bytes: [UInt8]) -> Int {
        var end = end
        while end > 0, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[end - 1]) { end -= 1 }
        return end
    }

    // MARK: Bytes

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// Where `wanted` begins in `bytes`.
    ///
    /// - Complexity: O(n·m), and about O(n) in text.
    private static func places(of wanted: [UInt8], in bytes: [UInt8]) -> some Sequence<Int> {
        let last = bytes.count - wanted.count
        return (0..<max(0, last + 1)).lazy.filter { bytes[$0...].starts(with: wanted) }
    }
}
