/// Finds the name that somebody most likely meant.
package enum NearestName {
    /// The known name closest to `name`, if it is close enough to be worth suggesting.
    ///
    /// The distance is Levenshtein's with swaps of neighbours as one step, capitals aside; up to a third of the letters
    /// may differ. Names longer than 64 bytes get no suggestion, which bounds the work on hostile input.
    package static func suggestion(for name: String, among known: some Sequence<String>) -> String? {
        let name = Array(name.lowercased().utf8)
        guard !name.isEmpty, name.count <= 64 else { return nil }
        var best: (distance: Int, name: String)?
        for candidate in known {
            let allowed = max(1, min(name.count, candidate.utf8.count) / 3)
            let distance = distance(name, Array(candidate.lowercased().utf8))
            guard distance <= allowed else { continue }
            if let current = best, (current.distance, current.name) <= (distance, candidate) { continue }
            best = (distance, candidate)
        }
        return best?.name
    }

    /// "; did you mean `x`?" or nothing.
    package static func hint(for name: String, among known: some Sequence<String>) -> String {
        suggestion(for: name, among: known).map { "; did you mean `\($0)`?" } ?? ""
    }

    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                let isEqual = left[row] == right[column]
                var cost = min(previous[column + 1] + 1, current[column] + 1, previous[column] + (isEqual ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    cost = min(cost, beforePrevious[column - 1] + 1)
                }
                current.append(cost)
            }
            (beforePrevious, previous) = (previous, current)
        }
        return previous[right.count]
    }
}
