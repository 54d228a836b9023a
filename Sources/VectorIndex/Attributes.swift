/// What an item can be filtered by.
package enum AttributeValue: Hashable, Sendable {
    /// Words compared for equality: one cluster, several skills.
    case keywords([String])
    case number(Double)
}

/// A condition on an item's attributes.
///
/// A row without the attribute meets no condition on it, and so meets every `not` of one.
package indirect enum Filter: Hashable, Sendable {
    case anyOf(String, Set<String>)
    case allOf(String, Set<String>)
    case range(String, ClosedRange<Double>)
    case and([Filter])
    case or([Filter])
    case not(Filter)

    /// Every attribute that the condition names.
    var attributeNames: Set<String> {
        switch self {
        case .anyOf(let name, _), .allOf(let name, _), .range(let name, _): [name]
        case .and(let parts), .or(let parts): parts.reduce(into: []) { $0.formUnion($1.attributeNames) }
        case .not(let part): part.attributeNames
        }
    }

    /// The rows that meet the condition, among them dead ones perhaps.
    func rows(in columns: AttributeColumns, dead: Bitmap) throws(IndexError) -> Bitmap {
        switch self {
        case .anyOf(let name, let words):
            return try columns.rows(where: name, isAnyOf: words, dead: dead)
        case .allOf(let name, let words):
            var bitmap = Bitmap(count: columns.count, filled: true)
            for word in words { bitmap.formIntersection(try columns.rows(where: name, isAnyOf: [word], dead: dead)) }
            return bitmap
        case .range(let name, let range):
            return try columns.rows(where: name, liesIn: range, dead: dead)
        case .and(let parts):
            var bitmap = Bitmap(count: columns.count, filled: true)
            for part in parts { bitmap.formIntersection(try part.rows(in: columns, dead: dead)) }
            return bitmap
        case .or(let parts):
            var bitmap = Bitmap(count: columns.count)
            for part in parts { bitmap.formUnion(try part.rows(in: columns, dead: dead)) }
            return bitmap
        case .not(let part):
            var bitmap = try part.rows(in: columns, dead: dead)
            bitmap.formComplement()
            return bitmap
        }
    }
}
