/// What an item can be filtered by.
package enum AttributeValue: Hashable, Sendable {
    /// Words compared for equality: one cluster, several skills.
    case keywords([String])
    case number(Double)
}

/// The attributes of one segment's rows, turned on their side: by name, then by value.
struct AttributeColumns: Sendable {
    /// name → value → ascending rows
    private let keywords: [String: [String: [UInt32]]]
    /// name → one number a row, NaN where there is none
    private let numbers: [String: [Double]]
    private let count: Int

    /// - Throws: `IndexError.attributeKind` where one name holds words for one item and a number for another.
    init(rows: [[String: AttributeValue]]) throws(IndexError) {
        var keywords: [String: [String: [UInt32]]] = [:]
        var numbers: [String: [Double]] = [:]
        for (row, attributes) in rows.enumerated() {
            for (name, value) in attributes {
                switch value {
                case .keywords(let words):
                    if numbers[name] != nil { throw .attributeKind(name, expected: "numbers") }
                    for word in Set(words) { keywords[name, default: [:]][word, default: []].append(UInt32(row)) }
                    if words.isEmpty { keywords[name, default: [:]] = keywords[name, default: [:]] }
                case .number(let number):
                    if keywords[name] != nil { throw .attributeKind(name, expected: "words") }
                    if numbers[name] == nil { numbers[name] = Array(repeating: .nan, count: rows.count) }
                    numbers[name]?[row] = number
                }
            }
        }
        self.keywords = keywords
        self.numbers = numbers
        count = rows.count
    }

    var names: Set<String> { Set(keywords.keys).union(numbers.keys) }

    func rows(where name: String, isAnyOf words: Set<String>) throws(IndexError) -> Bitmap {
        if numbers[name] != nil { throw .attributeKind(name, expected: "numbers; filter it with a range") }
        var bitmap = Bitmap(count: count)
        guard let postings = keywords[name] else { return bitmap }
        for word in words {
            for row in postings[word] ?? [] { bitmap.insert(Int(row)) }
        }
        return bitmap
    }

    func rows(where name: String, liesIn range: ClosedRange<Double>) throws(IndexError) -> Bitmap {
        if keywords[name] != nil { throw .attributeKind(name, expected: "words; filter it by equality") }
        var bitmap = Bitmap(count: count)
        guard let column = numbers[name] else { return bitmap }
        for row in column.indices where range.contains(column[row]) { bitmap.insert(row) }
        return bitmap
    }
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

    func rows(in columns: AttributeColumns, count: Int) throws(IndexError) -> Bitmap {
        switch self {
        case .anyOf(let name, let words):
            return try columns.rows(where: name, isAnyOf: words)
        case .allOf(let name, let words):
            var bitmap = Bitmap(count: count, filled: true)
            for word in words { bitmap.formIntersection(try columns.rows(where: name, isAnyOf: [word])) }
            return bitmap
        case .range(let name, let range):
            return try columns.rows(where: name, liesIn: range)
        case .and(let parts):
            var bitmap = Bitmap(count: count, filled: true)
            for part in parts { bitmap.formIntersection(try part.rows(in: columns, count: count)) }
            return bitmap
        case .or(let parts):
            var bitmap = Bitmap(count: count)
            for part in parts { bitmap.formUnion(try part.rows(in: columns, count: count)) }
            return bitmap
        case .not(let part):
            var bitmap = try part.rows(in: columns, count: count)
            bitmap.formComplement()
            return bitmap
        }
    }
}
