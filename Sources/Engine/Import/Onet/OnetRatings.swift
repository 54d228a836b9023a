/// The ratings of a release: what each occupation needs of each element, from 0 to 1.
struct OnetRatings {
    /// Occupations in ascending order of code.
    let codes: [String]
    /// By element id; one per occupation, nil where it is not rated.
    private(set) var values: [String: [Double?]] = [:]

    init(codes: [String]) { self.codes = codes }

    mutating func set(_ element: String, _ occupation: Int, _ value: Double) {
        values[element, default: Array(repeating: nil, count: codes.count)][occupation] = value
    }

    func value(_ element: String, _ occupation: Int) -> Double? { values[element].flatMap { $0[occupation] } }

    /// How many letters of a code its relatives share: the same detailed occupation (`15-1252`), broad one, minor group,
    /// major group, and at last everybody.
    private static let kinship = [7, 6, 5, 4, 2, 0]

    /// The ratings with every gap filled by the mean of the closest relatives that are rated.
    ///
    /// Means are summed in the order of codes, so that the order of rows cannot change a bit of them.
    func completed() -> OnetRatings {
        var result = self
        for (element, own) in values {
            guard own.contains(nil) else { continue }
            var filled = own
            for length in Self.kinship {
                var sums: [Substring: (sum: Double, count: Int)] = [:]
                for (code, value) in zip(codes, own) {
                    guard let value else { continue }
                    let known = sums[code.prefix(length)] ?? (0, 0)
                    sums[code.prefix(length)] = (known.sum + value, known.count + 1)
                }
                for k in codes.indices where filled[k] == nil {
                    if let group = sums[codes[k].prefix(length)] { filled[k] = group.sum / Double(group.count) }
                }
            }
            result.values[element] = filled
        }
        return result
    }
}

/// Collects importance and level of one kind of element, row by row.
struct OnetRatingRows {
    private struct Rating {
        var importance: Double?
        var level: Double?
        var isIrrelevant = false
        /// Whether the scales were given at all: a suppressed value leaves no other trace.
        var hasImportance = false
        var hasLevel = false
    }

    private let count: Int
    private var ratings: [String: [Rating?]] = [:]

    /// Ratings of `count` occupations.
    init(count: Int) { self.count = count }

    /// Keeps a value from 0 to 1; false where the same scale was given before.
    mutating func add(
        _ element: String, _ occupation: Int, scale: String, value: Double, isSuppressed: Bool, isIrrelevant: Bool
    ) -> Bool {
        if ratings[element] == nil { ratings[element] = Array(repeating: nil, count: count) }
        var rating = ratings[element]?[occupation] ?? Rating()
        let isLevel = scale == "LV"
        guard !(isLevel ? rating.hasLevel : rating.hasImportance) else { return false }
        if isLevel { rating.hasLevel = true } else { rating.hasImportance = true }
        if isIrrelevant {
            rating.isIrrelevant = true
        } else if !isSuppressed {
            if isLevel { rating.level = value } else { rating.importance = value }
        }
        ratings[element]?[occupation] = rating
        return true
    }

    /// Importance and level as one number: their mean, or the one that is left where the other is suppressed. What is
    /// not relevant is not asked for, which is a finding and not a gap: 0.
    func store(in result: inout OnetRatings) {
        for (element, row) in ratings {
            for (occupation, rating) in row.enumerated() {
                guard let rating else { continue }
                if rating.isIrrelevant {
                    result.set(element, occupation, 0)
                } else if let importance = rating.importance, let level = rating.level {
                    result.set(element, occupation, (importance + level) / 2)
                } else if let value = rating.importance ?? rating.level {
                    result.set(element, occupation, value)
                }
            }
        }
    }
}
