internal import Foundation
internal import VectorMath

/// A knowledge base as bytes: what it knows in words as JSON, the titles' codes, the projection's numbers.
enum KnowledgeBaseFile {
    static let format = 1
    /// Bytes of a stored block at most.
    private static let blockBytes = 1 << 20

    private struct Words: Codable {
        struct Occupation: Codable {
            let id: String
            let name: String
        }
        struct Title: Codable {
            let text: String
            let occupations: [Int]
        }
        let format: Int
        let dimension: Int
        let rule: Grounding.Rule
        let occupations: [Occupation]
        let titles: [Title]
    }

    /// Words, codes and projection, each after its length; numbers with the least byte first.
    static func bytes(
        of titles: OccupationTitles, _ codes: TitleCodes, _ rule: Grounding.Rule, _ projection: OccupationProjection
    ) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let words = Words(
            format: format, dimension: codes.dimension, rule: rule,
            occupations: titles.occupations.map { .init(id: $0.id, name: $0.name) },
            titles: titles.titles.map { .init(text: $0.text, occupations: $0.occupations) })
        // Strings and finite numbers always encode.
        let json = (try? encoder.encode(words)).map { [UInt8]($0) } ?? []
        let parts = [
            json, codes.codes.map { UInt8(bitPattern: $0) },
            projection.directions.flatMap { number in
                (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> ($0 * 8)) }
            },
        ]
        return parts.flatMap { length(of: $0) + $0 }
    }

    /// What a knowledge base is known by: SHA-256 of its bytes.
    static func checksum(of bytes: [UInt8]) -> String { SHA256.hash(bytes) }

    /// The bytes in pieces that a store takes.
    static func blocks(of bytes: [UInt8]) -> [[UInt8]] {
        stride(from: 0, to: bytes.count, by: blockBytes).map {
            Array(bytes[$0..<min($0 + blockBytes, bytes.count)])
        }
    }

    /// - Throws: `GroundingError.damaged`.
    static func read(_ blocks: [[UInt8]], checksum: String) throws(GroundingError) -> KnowledgeBase {
        let bytes = blocks.flatMap { $0 }
        // Of the bytes as they are: what an encoder of another version makes of the same words is no matter.
        guard Self.checksum(of: bytes) == checksum else { throw .damaged("its bytes are not those of its sum") }
        var rest = bytes[...]
        let json = try part(&rest)
        let codes = try part(&rest)
        let numbers = try part(&rest)
        guard rest.isEmpty else { throw .damaged("\(rest.count) bytes follow its end") }
        guard let words = try? JSONDecoder().decode(Words.self, from: Data(json)) else {
            throw .damaged("its titles cannot be read")
        }
        guard words.format == format else {
            throw .damaged("it has format \(words.format), this version reads \(format)")
        }
        let count = words.occupations.count
        guard words.dimension > 0, words.dimension <= codes.count,
            codes.count == words.titles.count * words.dimension,
            numbers.count == count * OccupationProjection.dimension * 4, words.rule.isValid
        else { throw .damaged("its parts do not fit together") }
        guard
            words.titles.allSatisfy({ title in
                !title.occupations.isEmpty && title.occupations.allSatisfy { $0 >= 0 && $0 < count }
            })
        else { throw .damaged("a title is of an occupation that is not there") }
        let directions = stride(from: numbers.startIndex, to: numbers.endIndex, by: 4).map { start in
            Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(numbers[start + $1]) << UInt32($1 * 8) })
        }
        guard directions.allSatisfy(\.isFinite) else { throw .damaged("its projection has a number that is none") }
        return KnowledgeBase(
            titles: OccupationTitles(
                words.occupations.map { .init(id: $0.id, name: $0.name) },
                words.titles.map { .init(text: $0.text, occupations: $0.occupations) }),
            codes: TitleCodes(dimension: words.dimension, codes: codes.map { Int8(bitPattern: $0) }),
            rule: words.rule, projection: OccupationProjection(occupationCount: count, directions: directions),
            checksum: checksum)
    }

    private static func length(of part: [UInt8]) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: UInt64(part.count) >> UInt64($0 * 8)) }
    }

    private static func part(_ rest: inout ArraySlice<UInt8>) throws(GroundingError) -> ArraySlice<UInt8> {
        guard rest.count >= 8 else { throw .damaged("it was cut off") }
        let length = rest.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << UInt64($1.offset * 8) }
        rest = rest.dropFirst(8)
        guard length <= UInt64(rest.count) else { throw .damaged("it was cut off") }
        defer { rest = rest.dropFirst(Int(length)) }
        return rest.prefix(Int(length))
    }
}
