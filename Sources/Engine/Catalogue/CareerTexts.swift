internal import Store

/// The texts of a career that are embedded, and how their vectors become one row.
///
/// A description says what a work is in one writer's words; titles say it in everybody's. The vector of *what the work
/// is* is therefore a mean of the description's vector and of the titles' (weights and measurements:
/// docs/decisions/0008-own-space.md).
package struct CareerTexts: Sendable, Hashable {
    /// Titles that are embedded. More of them change the mean little and cost as much each.
    package static let maximumAliases = 24
    /// Tasks that follow the description: a model of 256 tokens reads no more.
    package static let maximumTasks = 2
    private static let maximumTechnologies = 6
    /// Names the rules of this file within a space's id: another way of composing is another space.
    package static let composition = "description+2 tasks; 24 titles, share 0.75·n/(n+2.5); 6 technologies"

    package let work: String
    package let takes: String
    package let aliases: [String]

    package init(_ career: Career) {
        work = (["\(career.name). \(career.description)"] + career.tasks.prefix(Self.maximumTasks)).joined(
            separator: " ")
        let skills = career.requiredSkills + career.technologies.prefix(Self.maximumTechnologies)
        takes = "\(skills.joined(separator: ", ")). \(career.suitableFor) \(career.requiredEducation.text)"
        aliases = Self.spread(career.aliases, Self.maximumAliases)
    }

    /// The text of a view, titles apart.
    package func text(of content: TextView.Content) -> String {
        switch content {
        case .work, .both: work
        case .takes: takes
        case .everything: "\(work) \(takes)"
        }
    }

    /// The texts that fill a view, titles apart.
    private func texts(of content: TextView.Content) -> [String] {
        content == .both ? [work, takes] : [text(of: content)]
    }

    /// Whether titles belong to a view.
    private static func hasAliases(_ content: TextView.Content) -> Bool { content != .takes }

    /// Equal for equal texts; kept beside the row that was made from them.
    package var hash: String {
        var hash = ContentHash()
        for text in [work, takes] + aliases { hash.update(text) }
        return hash.text
    }

    /// Every text that `row` needs a vector of.
    package func all(for space: TextSpace) -> [String] {
        space.views.flatMap { texts(of: $0.content) }
            + (space.views.contains { Self.hasAliases($0.content) } ? aliases : [])
    }

    /// The row of the index: (views · dimension), unit length.
    ///
    /// - Parameter vectors: the unit vector of every text of `all(for:)`, each of `space.dimension` floats.
    package func row(from vectors: [String: [Float]], in space: TextSpace) -> [Float] {
        let composed = space.views.map { view -> [Float] in
            let description = view.slice(vectors[text(of: view.content)] ?? [])
            guard Self.hasAliases(view.content), !description.isEmpty else { return description }
            let titles = aliases.compactMap { vectors[$0].map(view.slice) }.filter { $0.count == description.count }
            var work = description
            if !titles.isEmpty {
                let share = 0.75 * Double(titles.count) / (Double(titles.count) + 2.5)
                work = Self.blend(description, Self.mean(titles), share: share)
            }
            guard view.content == .both, let takes = vectors[takes].map(view.slice), takes.count == work.count else {
                return work
            }
            return Self.blend(work, takes.map(Double.init), share: Self.takesShare)
        }
        return TextQuery.row(composed, in: space)
    }

    /// Of *what it takes* in a view of both: as in two views (docs/decisions/0008-own-space.md).
    private static let takesShare = 0.3

    /// Two directions as one; the first where they cancel out.
    private static func blend(_ first: [Float], _ second: [Double], share: Double) -> [Float] {
        unit(zip(first, second).map { (1 - share) * Double($0) + share * $1 }) ?? first
    }

    /// `count` texts evenly spread over a list, so that a long alphabetical one is not cut off at its first letters.
    private static func spread(_ texts: [String], _ count: Int) -> [String] {
        guard texts.count > count else { return texts }
        return (0..<count).map { texts[$0 * texts.count / count] }
    }

    /// The mean of unit vectors, scaled to unit length.
    private static func mean(_ vectors: [[Float]]) -> [Double] {
        var sum = [Double](repeating: 0, count: vectors[0].count)
        for vector in vectors { for i in sum.indices { sum[i] += Double(vector[i]) } }
        let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return norm > 1e-6 ? sum.map { $0 / norm } : sum
    }

    private static func unit(_ values: [Double]) -> [Float]? {
        let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard norm > 1e-6 else { return nil }
        return values.map { Float($0 / norm) }
    }
}
