/// Which documents answer which query, and how well: TREC's “qrels”.
package struct RetrievalJudgements: Sendable, Equatable {
    private let byQuery: [String: [String: Int]]
    /// Judged pairs, those with grade 0 included.
    package let count: Int

    /// - Parameter grades: by query and document; at least 0, and 0 is “judged, not relevant”.
    package init(_ grades: [String: [String: Int]]) {
        precondition(grades.values.allSatisfy { $0.values.allSatisfy { $0 >= 0 } }, "a grade is negative")
        byQuery = grades
        count = grades.values.reduce(0) { $0 + $1.count }
    }

    /// The same without some documents of some queries, as though they had not been judged.
    package func leavingOut(_ documents: [String: Set<String>]) -> RetrievalJudgements {
        RetrievalJudgements(
            Dictionary(
                uniqueKeysWithValues: byQuery.map { query, grades in
                    (query, grades.filter { documents[query]?.contains($0.key) != true })
                }))
    }

    /// The grades of a query's judged documents; a document that was not judged counts as grade 0.
    package func grades(of query: String) -> [String: Int] { byQuery[query] ?? [:] }

    /// Reads TREC's `query iteration document grade`, columns between white space; the iteration is not used.
    ///
    /// - Parameters:
    ///   - name: of the file, for what is wrong with it.
    ///   - collection: that the named queries and documents must be in.
    /// - Throws: `RetrievalError.malformed` with every bad line, `.empty`.
    package init(
        _ bytes: [UInt8], named name: String, for collection: RetrievalCollection
    ) throws(RetrievalError) {
        let queries = Set(collection.queries.map(\.id))
        let documents = Set(collection.documents.map(\.id))
        var grades: [String: [String: Int]] = [:]
        var count = 0
        var problems = RetrievalProblems(file: name)
        for line in RetrievalLines(bytes) {
            guard let text = line.text else {
                problems.add(line.number, "it is not UTF-8")
                continue
            }
            let columns = text.unicodeScalars.split(whereSeparator: \.properties.isWhitespace).map { String($0) }
            if columns.isEmpty { continue }
            guard columns.count == 4 else {
                problems.add(line.number, "it has \(columns.count) columns instead of query, 0, document and grade")
                continue
            }
            let (query, document) = (columns[0], columns[2])
            if !queries.contains(query) {
                problems.add(line.number, "there is no query “\(query)”")
            } else if !documents.contains(document) {
                problems.add(line.number, "there is no document “\(document)”")
            } else if grades[query]?[document] != nil {
                problems.add(line.number, "“\(document)” is already judged for “\(query)”")
            } else if let grade = Self.grade(columns[3]) {
                grades[query, default: [:]][document] = grade
                count += 1
            } else {
                problems.add(line.number, "the grade “\(columns[3])” is not a whole number from 0 to \(Self.greatest)")
            }
        }
        try problems.check()
        if count == 0 { throw .empty(file: name) }
        byQuery = grades
        self.count = count
    }

    /// Above this a grade is a mistake: judges tell apart a handful of steps.
    private static let greatest = 1_000_000

    private static func grade(_ text: String) -> Int? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let grade = Int(text), grade <= greatest else {
            return nil
        }
        return grade
    }
}
