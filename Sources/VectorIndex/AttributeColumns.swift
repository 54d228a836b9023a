/// The attributes of one segment's rows, turned on their side: by name, then by value.
///
/// Nothing is kept row by row: a million dictionaries would take longer to make at a start than all rows to read.
struct AttributeColumns: Sendable, Equatable {
    /// One name's words, each with its ascending rows.
    struct Words: Sendable, Equatable {
        var postings: [String: [UInt32]] = [:]
        /// Rows that have the name and no word.
        var wordless: [UInt32] = []

        var isEmpty: Bool { postings.isEmpty && wordless.isEmpty }

        /// Adds what later rows have.
        mutating func append(_ later: Words) {
            wordless += later.wordless
            for (word, rows) in later.postings { postings[word, default: []] += rows }
        }
    }

    private(set) var words: [String: Words] = [:]
    /// One number a row, NaN where there is none.
    private(set) var numbers: [String: [Double]] = [:]
    let count: Int

    /// - Throws: `IndexError.attributeKind` where one name holds words for one item and a number for another.
    init(rows: [[String: AttributeValue]]) throws(IndexError) {
        count = rows.count
        for (row, attributes) in rows.enumerated() {
            for (name, value) in attributes {
                switch value {
                case .keywords(let keywords):
                    if numbers[name] != nil { throw .attributeKind(name, expected: "numbers") }
                    if keywords.isEmpty { words[name, default: Words()].wordless.append(UInt32(row)) }
                    for word in Set(keywords) {
                        words[name, default: Words()].postings[word, default: []].append(UInt32(row))
                    }
                case .number(let number):
                    if words[name] != nil { throw .attributeKind(name, expected: "words") }
                    numbers[name, default: Array(repeating: .nan, count: rows.count)][row] = number
                }
            }
        }
    }

    /// The rows of `sources` that are not in their dead sets, in order.
    ///
    /// - Throws: `IndexError.attributeKind` where one name holds words for one of these rows and a number for another.
    init(merging sources: [(columns: AttributeColumns, dead: Bitmap)]) throws(IndexError) {
        count = sources.reduce(0) { $0 + $1.columns.count - $1.dead.population }
        var start = 0
        for (columns, dead) in sources {
            let live = columns.count - dead.population
            defer { start += live }
            guard !columns.words.isEmpty || !columns.numbers.isEmpty else { continue }
            // The new number of every live row.
            var places = [UInt32](repeating: .max, count: columns.count)
            var next = UInt32(start)
            dead.forEachRunOutside { run in
                for row in run {
                    places[row] = next
                    next += 1
                }
            }
            func moved(_ rows: [UInt32]) -> [UInt32] { rows.map { places[Int($0)] }.filter { $0 != .max } }
            // What only dead rows hold is in nobody's way: the kind may be another by now.
            for (name, column) in columns.words {
                var living = Words(wordless: moved(column.wordless))
                for (word, rows) in column.postings {
                    let rows = moved(rows)
                    if !rows.isEmpty { living.postings[word] = rows }
                }
                if living.isEmpty { continue }
                if numbers[name] != nil { throw .attributeKind(name, expected: "numbers") }
                words[name, default: Words()].append(living)
            }
            for (name, column) in columns.numbers {
                let living = column.indices.filter { places[$0] != .max && !column[$0].isNaN }
                if living.isEmpty { continue }
                if words[name] != nil { throw .attributeKind(name, expected: "words") }
                var target = numbers[name] ?? Array(repeating: .nan, count: count)
                for row in living { target[Int(places[row])] = column[row] }
                numbers[name] = target
            }
        }
    }

    /// Columns that were read from a file.
    ///
    /// - Returns: nil where they do not fit each other.
    init?(words: [String: Words], numbers: [String: [Double]], count: Int) {
        let lists = words.values.flatMap { [$0.wordless] + $0.postings.values }
        guard numbers.values.allSatisfy({ $0.count == count }), words.keys.allSatisfy({ numbers[$0] == nil }),
            lists.allSatisfy({ $0.allSatisfy { $0 < count } })
        else { return nil }
        self.words = words
        self.numbers = numbers
        self.count = count
    }

    /// - Throws: `IndexError.attributeKind` where a name holds words here and a number for a row of `others` outside `dead`,
    ///   or the other way round.
    func requireKinds(of others: AttributeColumns, dead: Bitmap) throws(IndexError) {
        for name in words.keys where others.hasNumber(name, outside: dead) {
            throw .attributeKind(name, expected: "numbers")
        }
        for name in numbers.keys where others.hasWords(name, outside: dead) {
            throw .attributeKind(name, expected: "words")
        }
    }

    private func hasNumber(_ name: String, outside dead: Bitmap) -> Bool {
        guard let column = numbers[name] else { return false }
        return column.indices.contains { !column[$0].isNaN && !dead.contains($0) }
    }

    private func hasWords(_ name: String, outside dead: Bitmap) -> Bool {
        guard let column = words[name] else { return false }
        return ([column.wordless] + column.postings.values).contains { $0.contains { !dead.contains(Int($0)) } }
    }

    var names: Set<String> { Set(words.keys).union(numbers.keys) }

    /// Bytes of the columns' numbers, their words aside.
    var byteCount: Int {
        words.values.reduce(numbers.count * count * 8) { sum, column in
            column.postings.values.reduce(sum + column.wordless.count * 4) { $0 + $1.count * 4 }
        }
    }

    /// - Parameter dead: rows whose attributes count no more, whatever their kind.
    func rows(where name: String, isAnyOf wanted: Set<String>, dead: Bitmap) throws(IndexError) -> Bitmap {
        if hasNumber(name, outside: dead) { throw .attributeKind(name, expected: "numbers; filter it with a range") }
        var bitmap = Bitmap(count: count)
        guard let postings = words[name]?.postings else { return bitmap }
        for word in wanted {
            for row in postings[word] ?? [] { bitmap.insert(Int(row)) }
        }
        return bitmap
    }

    /// - Parameter dead: rows whose attributes count no more, whatever their kind.
    func rows(where name: String, liesIn range: ClosedRange<Double>, dead: Bitmap) throws(IndexError) -> Bitmap {
        if hasWords(name, outside: dead) { throw .attributeKind(name, expected: "words; filter it by equality") }
        var bitmap = Bitmap(count: count)
        guard let column = numbers[name] else { return bitmap }
        for row in column.indices where range.contains(column[row]) { bitmap.insert(row) }
        return bitmap
    }
}
