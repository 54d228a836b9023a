internal import Store

/// What a knowledge base knows in words: job titles, each with the occupations that go by it.
package struct OccupationTitles: Sendable, Hashable {
    package struct Occupation: Sendable, Hashable {
        /// The career's id.
        package let id: String
        package let name: String
    }

    package struct Title: Sendable, Hashable {
        package let text: String
        /// Positions in `occupations`, ascending, at least one.
        package let occupations: [Int]
    }

    /// Ascending by id.
    package let occupations: [Occupation]
    /// Distinct when folded; ascending in the order of their folded texts.
    package let titles: [Title]

    /// More occupations than this are thinned out evenly: the projection costs their cube.
    static let maximumOccupations = 2_048
    /// More titles than this are thinned out evenly, each occupation's own: a search reads all of them.
    static let maximumTitles = 65_536

    /// The titles of O*NET's occupations where the catalogue has some, else of all careers: their names and aliases.
    ///
    /// - Parameter heldOut: folded texts of titles that the knowledge base must not know.
    package init(of careers: [Career], leavingOut heldOut: Set<String> = []) {
        let sourced = careers.filter { $0.source == OnetImporter.sourceName }
        let known = (sourced.isEmpty ? careers : sourced).sorted { $0.id < $1.id }
        let chosen = Self.spread(known, Self.maximumOccupations)
        occupations = chosen.map { Occupation(id: $0.id, name: $0.name) }
        let most = max(1, Self.maximumTitles / max(1, chosen.count))
        let all = chosen.reduce(0) { $0 + 1 + $1.aliases.count }
        var texts: [String: String] = [:]
        var members: [String: [Int]] = [:]
        for (position, career) in chosen.enumerated() {
            let titles = [career.name] + career.aliases
            for title in all > Self.maximumTitles ? Self.spread(titles, most) : titles {
                let key = Self.folded(title)
                guard !key.isEmpty, !heldOut.contains(key) else { continue }
                if texts[key] == nil { texts[key] = title }
                if members[key]?.last != position { members[key, default: []].append(position) }
            }
        }
        titles = texts.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map {
            Title(text: texts[$0] ?? $0, occupations: members[$0] ?? [])
        }
    }

    /// The titles that a catalogue's texts are grounded by; nil where it has too few to tell occupations apart by.
    package static func grounding(_ careers: [Career]) -> OccupationTitles? {
        guard careers.contains(where: { $0.source == OnetImporter.sourceName }) else { return nil }
        let titles = OccupationTitles(of: careers)
        return titles.titles.isEmpty ? nil : titles
    }

    /// - Parameters:
    ///   - occupations: ascending by id.
    ///   - titles: distinct when folded, their occupations positions in `occupations`.
    init(_ occupations: [Occupation], _ titles: [Title]) {
        self.occupations = occupations
        self.titles = titles
    }

    /// A title for comparing: case and spaces do not tell two apart.
    package static func folded(_ title: String) -> String {
        title.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// Equal for equal titles of equal occupations.
    package var hash: String {
        var hash = ContentHash()
        for occupation in occupations {
            hash.update(occupation.id)
            hash.update(occupation.name)
        }
        for title in titles {
            hash.update(title.text)
            hash.update(title.occupations.map(String.init).joined(separator: " "))
        }
        return hash.text
    }

    /// `count` entries evenly spread over a list; all of a shorter one.
    private static func spread<Entry>(_ entries: [Entry], _ count: Int) -> [Entry] {
        guard entries.count > count else { return entries }
        return (0..<count).map { entries[$0 * entries.count / count] }
    }
}
