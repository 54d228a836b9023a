/// Sentences about whom an occupation suits, from its interests and work styles.
enum OnetWords {
    /// Holland's six kinds of interest: the element, its name and what people of that kind enjoy.
    static let interests: [(element: String, name: String, joy: String)] = [
        ("1.B.1.a", "Realistic", "practical, hands-on work with tools, machines, materials, plants or animals"),
        ("1.B.1.b", "Investigative", "research, ideas and finding out how things work"),
        ("1.B.1.c", "Artistic", "creating and expressing themselves without fixed rules"),
        ("1.B.1.d", "Social", "helping, teaching and caring for other people"),
        ("1.B.1.e", "Enterprising", "starting projects, persuading others and leading"),
        ("1.B.1.f", "Conventional", "clear procedures, order and working with records and figures"),
    ]

    private static let styles: [(element: String, words: String)] = [
        ("1.C.1.a", "set themselves demanding goals"), ("1.C.1.b", "persist when things get hard"),
        ("1.C.1.c", "take on tasks without being asked"), ("1.C.2.b", "like to take charge"),
        ("1.C.3.a", "are pleasant to work with"), ("1.C.3.b", "care about what others need and feel"),
        ("1.C.3.c", "would rather work with people than alone"), ("1.C.4.a", "keep their composure"),
        ("1.C.4.b", "stay calm under stress and criticism"), ("1.C.4.c", "are open to change and variety"),
        ("1.C.5.a", "can be relied upon"), ("1.C.5.b", "are careful about detail"), ("1.C.5.c", "are honest"),
        ("1.C.6", "like to find their own way of doing things"), ("1.C.7.a", "come up with new ideas"),
        ("1.C.7.b", "think analytically"),
    ]

    /// The strongest interests first: one at least, three at most, the second and third where they are marked.
    static func topInterests(of occupation: Int, in ratings: OnetRatings) -> [(name: String, joy: String)] {
        let rated = interests.compactMap { interest in
            ratings.value(interest.element, occupation).map { (value: $0, interest: interest) }
        }
        let sorted = rated.enumerated().sorted {
            ($1.element.value, $0.offset) < ($0.element.value, $1.offset)
        }
        return sorted.enumerated().prefix(3).filter { $0.offset == 0 || $0.element.element.value >= 0.5 }
            .map { ($0.element.element.interest.name, $0.element.element.interest.joy) }
    }

    /// The three work styles that set an occupation most apart from the average one. Every employer wants people to be
    /// reliable, so the highest values say the same of everybody.
    private static func topStyles(of occupation: Int, in ratings: OnetRatings, averages: [String: Double]) -> [String] {
        let rated = styles.compactMap { style in
            ratings.value(style.element, occupation).map { (lead: $0 - (averages[style.element] ?? 0), style: style) }
        }
        let sorted = rated.enumerated().sorted { ($1.element.lead, $0.offset) < ($0.element.lead, $1.offset) }
        return sorted.prefix(3).map(\.element.style.words)
    }

    /// The mean of each work style over the occupations.
    static func averages(of ratings: OnetRatings) -> [String: Double] {
        var result: [String: Double] = [:]
        for style in styles {
            let values = (ratings.values[style.element] ?? []).compactMap(\.self)
            if !values.isEmpty { result[style.element] = values.reduce(0, +) / Double(values.count) }
        }
        return result
    }

    /// “People who enjoy …. They …, … and ….”
    static func suitableFor(
        _ occupation: Int, title: String, in ratings: OnetRatings, averages: [String: Double]
    ) -> String {
        let joys = topInterests(of: occupation, in: ratings).prefix(2).map(\.joy)
        let styles = topStyles(of: occupation, in: ratings, averages: averages)
        let first =
            joys.isEmpty
            ? "People who are drawn to the work of \(title)." : "People who enjoy \(list(joys, comma: true))."
        return styles.isEmpty ? first : "\(first) They \(list(styles, comma: false))."
    }

    /// “a, b and c”; phrases with an “and” of their own are parted by “, and”.
    private static func list(_ words: [String], comma: Bool) -> String {
        guard words.count > 1, let last = words.last else { return words.first ?? "" }
        return "\(words.dropLast().joined(separator: ", "))\(comma ? ", and " : " and ")\(last)"
    }
}
