/// Finds the field that somebody most likely meant.
enum NearestField {
    /// “; did you mean `name`?”, or nothing where no known name is close.
    ///
    /// The distance is Levenshtein's with swaps of neighbours as one step; up to a third of the letters may
    /// differ. Names longer than 64 bytes get no hint, which bounds the work on hostile input.
    static func hint(for name: String, among known: some Sequence<String>) -> String {
        let wanted = Array(name.lowercased().utf8)
        guard !wanted.isEmpty, wanted.count <= 64 else { return "" }
        var best: (distance: Int, name: String)?
        for candidate in known {
            let letters = Array(candidate.utf8)
            let distance = distance(wanted, letters)
            guard distance <= max(1, min(wanted.count, letters.count) / 3) else { continue }
            if let best, (best.distance, best.name) <= (distance, candidate) { continue }
            best = (distance, candidate)
        }
        return best.map { "; did you mean `\($0.name)`?" } ?? ""
    }

    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let change = previous[column] + (left[row] == right[column] ? 0 : 1)
                var cost = min(previous[column + 1] + 1, current[column] + 1, change)
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
