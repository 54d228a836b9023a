package import Engine
package import Foundation
internal import Store

/// Lists by area of interest, for whom the engine can say nothing: they are generic, and marked so.
///
/// The built-in file is `predefined-lists.json` among the program's assets; it names careers of the built-in catalogue,
/// and an operator's own catalogue may have none of them.
package struct PredefinedLists: Sendable {
    private struct Document: Decodable {
        let areas: [Area]
        /// Careers of the areas, for whom no area fits.
        let general: [String]
    }

    private struct Area: Decodable {
        let area: String
        let words: [String]
        let careers: [Entry]
    }

    private struct Entry: Decodable {
        let career: String
        let skills: [String]
    }

    /// An entry with why it is on a list.
    private struct Choice {
        let entry: Entry
        let area: String
        let reason: String
    }

    private let areas: [Area]
    /// The words of each area, ready to be found in what somebody said.
    private let words: [[WordSequence]]
    private let general: [(entry: Entry, area: String)]

    /// - Throws: `CatalogueError.unreadable` where an area has no words or careers, or a general career is in no area.
    package init(from data: Data) throws(CatalogueError) {
        func problem(_ problem: String) -> CatalogueError {
            .unreadable(what: "the predefined lists", problem: problem)
        }
        let document: Document
        do {
            document = try JSONDecoder().decode(Document.self, from: data)
        } catch {
            throw problem("\(error)")
        }
        if let area = document.areas.first(where: { $0.words.isEmpty || $0.careers.isEmpty }) {
            throw problem("the area “\(area.area)” has no words or no careers")
        }
        guard !document.general.isEmpty else { throw problem("there are no general careers") }
        var general: [(entry: Entry, area: String)] = []
        for name in document.general {
            guard let area = document.areas.first(where: { $0.careers.contains { $0.career == name } }),
                let entry = area.careers.first(where: { $0.career == name })
            else { throw problem("the general career “\(name)” is in no area") }
            general.append((entry, area.area))
        }
        areas = document.areas
        words = document.areas.map { $0.words.map { WordSequence($0) } }
        self.general = general
    }

    /// The list for what somebody said: careers of the areas that it names, those of the most often named one first,
    /// taken in turns; general ones where it names none.
    ///
    /// - Returns: careers by the catalogue's facts where it has them by this name, else as outside it. Never empty.
    func careers(for question: ListQuestion, names: CareerNames, count: Int) -> [ListedCareer] {
        var listed: [ListedCareer] = []
        var known: Set<String> = []
        for choice in choices(for: question) where listed.count < count {
            let career = Self.listed(choice, names: names)
            if known.insert(CareerNames.key(career.career)).inserted { listed.append(career) }
        }
        return listed
    }

    private static func listed(_ choice: Choice, names: CareerNames) -> ListedCareer {
        if let career = names.career(named: choice.entry.career) {
            return ListedCareer(career, reason: choice.reason, origin: .fallback)
        }
        return ListedCareer(
            career: choice.entry.career, cluster: choice.area, skills: choice.entry.skills, reason: choice.reason,
            origin: .fallback, inCatalogue: false)
    }

    private func choices(for question: ListQuestion) -> [Choice] {
        // Each interest by itself, so that no word is found across two of them.
        let said = (question.interests + [question.course]).map { WordSequence($0) }.filter { !$0.isEmpty }
        let named = areas.indices.compactMap { area -> (area: Int, words: [String])? in
            let found = words[area].indices.filter { word in said.contains { $0.contains(words[area][word]) } }
            return found.isEmpty ? nil : (area: area, words: found.map { areas[area].words[$0] })
        }
        // The sort keeps the order of the file for areas that are named equally often.
        .enumerated().sorted { ($1.element.words.count, $0.offset) < ($0.element.words.count, $1.offset) }
        .map(\.element)
        guard !named.isEmpty else { return general.map { generalChoice($0, for: question) } }
        let longest = named.map { areas[$0.area].careers.count }.max() ?? 0
        return (0..<longest).flatMap { turn in
            named.compactMap { named -> Choice? in
                let area = areas[named.area]
                guard area.careers.indices.contains(turn) else { return nil }
                return Choice(
                    entry: area.careers[turn], area: area.area,
                    reason: "Chosen from \(area.area), the area that “\(named.words[0])” points to.")
            }
        }
    }

    private func generalChoice(_ choice: (entry: Entry, area: String), for question: ListQuestion) -> Choice {
        let reason =
            switch question.subject {
            case .student: "Chosen by many students; your interests and course say too little to choose by."
            case .course: "Chosen by many graduates; the name of the course says too little to choose by."
            }
        return Choice(entry: choice.entry, area: choice.area, reason: reason)
    }
}
