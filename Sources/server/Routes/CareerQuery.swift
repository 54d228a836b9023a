internal import Engine
internal import Foundation
internal import Synchronization

/// Which careers of the catalogue a list is asked for.
struct CareerQuery {
    static let maximumTextBytes = 200
    static let maximumClusters = 100

    /// Names as the catalogue has them; nil for all.
    var clusters: Set<String>?
    /// What a name or alias must have, each the beginning of one of its words.
    var words: [String] = []

    /// The careers that are asked for, in the order of the list.
    ///
    /// - Complexity: O(bytes of all names and aliases) where words are given.
    func careers(in generation: CareerGeneration, titles: CareerTitles) -> [Career] {
        let careers = generation.orderedCareers
        // The whole catalogue is handed on as it is; a filter that lets all through would copy every career.
        if clusters == nil, words.isEmpty { return careers }
        let texts = words.isEmpty ? nil : titles.texts(of: generation)
        return careers.indices.lazy
            .filter { clusters?.contains(careers[$0].cluster) ?? true }
            .filter { texts?[$0].contains(where: hasWords) ?? true }
            .map { careers[$0] }
    }

    private func hasWords(_ title: String) -> Bool { words.allSatisfy { title.contains(" " + $0) } }

    /// Reads `cluster` and `q` out of a query.
    ///
    /// - Parameter generation: whose clusters may be named.
    static func read(_ fields: FieldReader, in generation: CareerGeneration) -> CareerQuery {
        var query = CareerQuery()
        query.clusters = clusters(fields, in: generation)
        if let text = fields.text("q", maxBytes: maximumTextBytes) {
            query.words = CareerTitles.normalised(text).split(separator: " ").map(String.init)
            if query.words.isEmpty { fields.fail("q", "must have a letter or a digit") }
        }
        return query
    }

    /// The clusters that `cluster` names, or nil where it is not given.
    static func clusters(_ fields: FieldReader, in generation: CareerGeneration) -> Set<String>? {
        guard let given = fields.field("cluster")?.list(maxCount: maximumClusters) else { return nil }
        var clusters: Set<String> = []
        for field in given {
            guard let text = field.string(maxBytes: 4 * RecommendationReader.maximumNameBytes) else { continue }
            do throws(UnknownCluster) {
                clusters.formUnion(try names(in: text, byLowerCase: generation.clustersByLowerCase))
            } catch {
                let hint = NearestName.hint(for: error.name, among: generation.clusters)
                fields.fail("cluster", "there is no cluster “\(excerpt(of: error.name))”\(hint)")
            }
        }
        return clusters
    }

    struct UnknownCluster: Error {
        let name: String
    }

    /// The clusters of a list with commas. A cluster's name may have commas itself, so that the longest run of parts
    /// that is a name counts as one.
    private static func names(
        in text: String, byLowerCase known: [String: String]
    ) throws(UnknownCluster) -> Set<String> {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        var found: Set<String> = []
        var start = 0
        while start < parts.count {
            var end = parts.count
            var name: String?
            while end > start {
                let run = parts[start..<end].joined(separator: ",").trimmingCharacters(in: .whitespaces).lowercased()
                name = known[run]
                if name != nil { break }
                end -= 1
            }
            guard let name else {
                throw UnknownCluster(name: parts[start].trimmingCharacters(in: .whitespaces))
            }
            found.insert(name)
            start = end
        }
        return found
    }
}

/// The names and aliases of a catalogue in the form in which words are looked for, made once for each generation.
final class CareerTitles: Sendable {
    private struct Made {
        let generation: CareerGeneration
        let texts: [[String]]
    }

    /// Of the generation that was asked last, which it keeps alive.
    private let made = Mutex<Made?>(nil)

    /// For each career of `generation.orderedCareers` its name and aliases, normalised.
    func texts(of generation: CareerGeneration) -> [[String]] {
        if let known = made.withLock({ $0?.generation === generation ? $0?.texts : nil }) { return known }
        // Outside the lock: two requests may both do this once, and nobody waits.
        let texts = generation.orderedCareers.map { career in
            ([career.name] + career.aliases).map(Self.normalised)
        }
        made.withLock { $0 = Made(generation: generation, texts: texts) }
        return texts
    }

    /// Lower case without accents, each word after one space: “Café-Manager” becomes “ cafe manager”.
    static func normalised(_ text: String) -> String {
        let folded = text.folding(options: [.caseInsensitive, .diacriticInsensitive, .widthInsensitive], locale: nil)
        return folded.split { !$0.isLetter && !$0.isNumber }.map { " " + $0.lowercased() }.joined()
    }
}
