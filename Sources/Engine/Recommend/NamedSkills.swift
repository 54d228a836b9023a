internal import Foundation

/// The skills that a person named, in a list or in their own words, read once for all careers of a list.
struct NamedSkills: Sendable {
    private let listed: Set<String>
    private let listedWords: [WordSequence]
    private let written: WordSequence

    init(_ request: RecommendationRequest) {
        listed = Set(request.skills.map { $0.lowercased() })
        listedWords = listed.map { WordSequence($0) }
        var texts = (request.text.map { [$0] } ?? []) + request.remarks.map(\.text)
        for case .text(let text) in (request.answers?.answers ?? []).map(\.given) { texts.append(text) }
        written = WordSequence(texts.joined(separator: "\n"))
    }

    /// Skills of the career that the person named.
    func matched(of career: Career) -> [String] {
        if listed.isEmpty, written.isEmpty { return [] }
        return career.requiredSkills.filter { skill in
            if !listed.isEmpty, listed.contains(skill.lowercased()) { return true }
            let words = WordSequence(skill)
            return written.contains(words) || listedWords.contains { $0.contains(words) || words.contains($0) }
        }
    }
}

/// Words in order, lower-cased, for finding one phrase in another: “java” is not in “javascript”.
///
/// A word is of letters, digits, `+`, `#` and `.`, less one full stop at its end.
package struct WordSequence: Sendable {
    /// The words in UTF-8, a space before and after each. No word has a space, so that a phrase is in another exactly
    /// where its bytes are.
    private let bytes: [UInt8]
    /// Where in `bytes` each word's first byte is.
    private let starts: [Int]

    private static let space = UInt8(ascii: " ")

    package init(_ text: String) {
        let bytes = Self.ofASCII(text) ?? Self.ofAny(text)
        self.bytes = bytes
        starts = bytes.indices.dropFirst().filter { bytes[$0 - 1] == Self.space }
    }

    package var isEmpty: Bool { bytes.isEmpty }

    /// Nil where the text has other characters. Careers' skills seldom do, and every reply reads dozens of them.
    private static func ofASCII(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 2)
        var isInWord = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"),
                UInt8(ascii: "#"), UInt8(ascii: "."):
                if !isInWord, bytes.isEmpty { bytes.append(space) }
                bytes.append(byte)
                isInWord = true
            case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                if !isInWord, bytes.isEmpty { bytes.append(space) }
                bytes.append(byte | 0x20)
                isInWord = true
            case 0x80...: return nil
            default:
                if isInWord { end(&bytes) }
                isInWord = false
            }
        }
        if isInWord { end(&bytes) }
        return bytes
    }

    private static func end(_ bytes: inout [UInt8]) {
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        bytes.append(space)
    }

    private static func ofAny(_ text: String) -> [UInt8] {
        let words = text.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "+" || $0 == "#" || $0 == ".") }
        if words.isEmpty { return [] }
        var bytes = [space]
        for word in words {
            // One spelling of each character: “é” may be one scalar or two.
            bytes += (word.hasSuffix(".") ? word.dropLast() : word).precomposedStringWithCanonicalMapping.utf8
            bytes.append(space)
        }
        return bytes
    }

    /// Whether the words of `phrase` are here in a row; those of an empty phrase never are.
    package func contains(_ phrase: WordSequence) -> Bool {
        guard !phrase.isEmpty, phrase.bytes.count <= bytes.count else { return false }
        for start in starts where start + phrase.bytes.count - 1 <= bytes.count && bytes[start] == phrase.bytes[1] {
            var length = 2
            while length < phrase.bytes.count, bytes[start + length - 1] == phrase.bytes[length] { length += 1 }
            if length == phrase.bytes.count { return true }
        }
        return false
    }
}
