internal import Engine
internal import Foundation
internal import Store

/// What an import tells of itself, for people and as one JSON document.
struct ImportReport: Encodable {
    struct Problem: Encodable {
        let file: String
        let line: Int?
        let message: String
    }

    /// A source that gave or lost careers.
    struct Source: Encodable {
        let name: String
        let title: String
        let version: String?
        let attribution: String?
        let licence: String?
        let url: String?
        let added: Int
        let changed: Int
        let unchanged: Int
        let retired: Int
        /// Missing, and not retired because more than half of the source was.
        let kept: Int
    }

    struct Takeover: Encodable {
        let id: String
        let from: String
        let to: String
    }

    private(set) var added = 0
    private(set) var changed = 0
    private(set) var unchanged = 0
    private(set) var retired = 0
    /// Why careers that are missing stayed all the same; nil where nothing stood against it.
    private(set) var keptBecause: String?
    private(set) var sources: [Source] = []
    /// Careers that another source gave before.
    private(set) var takenOver: [Takeover] = []
    let badRows: Int
    let problems: [Problem]
    let notes: [String]
    let counts: [String: Int]
    var isDryRun = false
    var embedding: ReembedReport?
    var seconds = 0.0

    /// Careers taken over that the form for people names.
    private static let namedTakeovers = 5

    init(_ imported: ImportedCareers) {
        badRows = imported.problems.count
        problems = imported.problems.kept.map { .init(file: $0.file, line: $0.line, message: $0.message) }
        notes = imported.notes
        counts = Dictionary(imported.statistics.map { ($0.name, $0.count) }, uniquingKeysWith: { $1 })
        if badRows > 0 {
            // A career may be missing only because its row is bad.
            keptBecause =
                "some rows are bad, so that missing careers may only be unreadable; mend the rows and import again"
        }
    }

    /// Takes in what an update did.
    ///
    /// - Parameter descriptions: every source that is known, by name.
    mutating func tell(_ done: CareerUpdateReport, of descriptions: [String: CareerSource]) {
        added = done.added.count
        changed = done.changed.count
        unchanged = done.unchanged.count
        retired = done.retired.count
        takenOver = done.takenOver.map { .init(id: $0.id, from: $0.from, to: $0.to) }
        let named = done.sources.sorted { $0.key < $1.key }
        sources = named.map { name, counts in
            let source = descriptions[name]
            return Source(
                name: name, title: source?.title ?? name, version: source?.version, attribution: source?.attribution,
                licence: source?.licence, url: source?.url, added: counts.added, changed: counts.changed,
                unchanged: counts.unchanged, retired: counts.retired, kept: counts.kept)
        }
        let shrunk = named.filter { $0.value.kept > 0 }.map { name, counts in
            "“\(name)” would lose \(counts.kept) of its \(counts.before) careers, more than half, as by a file that was "
                + "cut off"
        }
        if !shrunk.isEmpty {
            keptBecause = shrunk.joined(separator: "; ") + "; if they are to go, import again with --retire"
        }
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    // MARK: For people

    var text: String {
        var lines = ["careers: \(words(added: added, changed, retired, unchanged)); \(badRows) problems"]
        lines += sources.map(line)
        lines += takeoverLines
        if let keptBecause {
            let what = badRows > 0 ? "nothing was retired" : "kept"
            lines.append("\(what): \(keptBecause)")
        }
        if !counts.isEmpty {
            lines.append(counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))
        }
        lines += notes
        for source in sources {
            if let attribution = source.attribution { lines.append("shown with the data: \(attribution)") }
        }
        if let embedding { lines.append(Embedding.sentence(embedding)) }
        if isDryRun { lines.append("nothing was changed (--dry-run)") }
        return lines.joined(separator: "\n")
    }

    private func words(added: Int, _ changed: Int, _ retired: Int, _ unchanged: Int) -> String {
        let will = isDryRun ? "would be " : ""
        return "\(added) \(will)added, \(changed) \(will)changed, \(retired) \(will)retired, \(unchanged) unchanged"
    }

    private func line(of source: Source) -> String {
        var about: [String] = []
        if source.title != source.name { about.append(source.title) }
        if let version = source.version { about.append("version \(version)") }
        let kept = source.kept > 0 ? ", \(source.kept) missing and kept" : ""
        return "  \(source.name)\(about.isEmpty ? "" : " (\(about.joined(separator: ", ")))"): "
            + words(added: source.added, source.changed, source.retired, source.unchanged) + kept
    }

    /// One line for each pair of sources.
    private var takeoverLines: [String] {
        let pairs = Dictionary(grouping: takenOver) { [$0.from, $0.to] }.sorted {
            $0.key.lexicographicallyPrecedes($1.key)
        }
        return pairs.map { pair, careers in
            let names = careers.prefix(Self.namedTakeovers).map(\.id).joined(separator: ", ")
            let rest = careers.count - Self.namedTakeovers
            return "\(careers.count) taken over from \(pair[0]) by \(pair[1]): \(names)"
                + (rest > 0 ? " and \(rest) more; --json lists them" : "")
        }
    }
}
