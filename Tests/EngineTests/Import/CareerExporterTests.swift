import Engine
import Foundation
import Store
import TestSupport
import Testing

@Suite struct `Exported careers` {
    static let sources = [
        ImportFixtures.source,
        CareerSource(
            name: "other", title: "Another, “quoted”\nsource", attribution: "Say \"this\", please;", licence: "L",
            url: "https://example.org", version: "2.0"),
    ]

    @Test(arguments: CareerFileFormat.allCases)
    func `are read back as they were, whatever their texts hold`(_ format: CareerFileFormat) throws {
        var random = SeededGenerator(seed: 20_240_801)
        for round in 0..<40 {
            var careers = (0..<6).map { ImportFixtures.randomCareer($0, using: &random) }
            careers[3].source = "other"
            let data = try CareerExporter.write(careers, sources: Self.sources, format: format)
            let imported = try CareerFileReader.read(
                data, named: "export", format: format,
                defaultSource: CareerSource(name: "unused", title: "Unused"))
            #expect(imported.problems.isEmpty, "round \(round), \(random): \(imported.problems.kept.prefix(3))")
            #expect(imported.sources == Self.sources, "\(random)")
            for (read, written) in zip(imported.careers, careers) where !isIdentical(read, written) {
                Issue.record("round \(round), \(random): \(written) was read as \(read)")
            }
            #expect(imported.careers.count == careers.count)
            #expect(try CareerExporter.write(imported.careers, sources: imported.sources, format: format) == data)
        }
    }

    /// Swift's strings are equal where Unicode's canonical equivalence says so; files should keep every byte.
    private func isIdentical(_ left: Career, _ right: Career) -> Bool {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return left == right && (try? encoder.encode(left)) == (try? encoder.encode(right))
    }

    @Test(arguments: CareerFileFormat.allCases)
    func `of the built-in kind of file survive as well`(_ format: CareerFileFormat) throws {
        let careers = [
            ImportFixtures.career("a"), ImportFixtures.career("b") { $0.relatedCareers = ["a", "elsewhere"] },
        ]
        let data = try CareerExporter.write(careers, sources: [], format: format)
        let imported = try CareerFileReader.read(
            data, named: "export", format: format, defaultSource: ImportFixtures.source)
        #expect(imported.careers == careers)
        #expect(imported.notes == ["1 related careers are not in export; they were kept as they are"])
    }

    @Test func `find their format by the file's name`() {
        #expect(CareerFileFormat(fileName: "a.JSON") == .json)
        #expect(CareerFileFormat(fileName: "a.jsonl") == .jsonl)
        #expect(CareerFileFormat(fileName: "a.ndjson") == .jsonl)
        #expect(CareerFileFormat(fileName: "a.csv") == .csv)
        #expect(CareerFileFormat(fileName: "a.xlsx") == nil)
    }
}
