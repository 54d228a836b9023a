/// A query or a document of a collection.
package struct RetrievalText: Sendable, Hashable {
    package let id: String
    package let text: String

    package init(id: String, text: String) {
        self.id = id
        self.text = text
    }
}

/// Queries and the documents to find with them.
package struct RetrievalCollection: Sendable, Equatable {
    /// In the order of their file.
    package let queries: [RetrievalText]
    /// In the order of their file.
    package let documents: [RetrievalText]

    package init(queries: [RetrievalText], documents: [RetrievalText]) {
        self.queries = queries
        self.documents = documents
    }

    /// Reads `id<TAB>text` lines: UTF-8, with or without a byte order mark, LF or CRLF, blank lines skipped.
    ///
    /// An id is free of white space, since judgements are columns between white space. What follows the first tab is
    /// the text, further tabs included.
    /// - Parameter name: of the file, for what is wrong with it.
    /// - Throws: `RetrievalError.malformed` with every bad line, `.empty`.
    package static func texts(_ bytes: [UInt8], named name: String) throws(RetrievalError) -> [RetrievalText] {
        var texts: [RetrievalText] = []
        var lines: [String: Int] = [:]
        var problems = RetrievalProblems(file: name)
        for line in RetrievalLines(bytes) {
            guard let content = line.text else {
                problems.add(line.number, "it is not UTF-8")
                continue
            }
            // On scalars: a tab that a combining mark follows is one Character, and still ends the id.
            let scalars = content.unicodeScalars
            guard let tab = scalars.firstIndex(of: "\t") else {
                problems.add(line.number, "there is no tab between an id and a text")
                continue
            }
            let id = String(scalars[..<tab])
            let text = String(scalars[scalars.index(after: tab)...])
            if id.isEmpty {
                problems.add(line.number, "the id is empty")
            } else if id.unicodeScalars.contains(where: \.properties.isWhitespace) {
                problems.add(line.number, "the id “\(id)” has white space in it")
            } else if text.unicodeScalars.allSatisfy(\.properties.isWhitespace) {
                problems.add(line.number, "“\(id)” has no text")
            } else if let first = lines.updateValue(line.number, forKey: id) {
                lines[id] = first
                problems.add(line.number, "the id “\(id)” is already on line \(first)")
            } else {
                texts.append(RetrievalText(id: id, text: text))
            }
        }
        try problems.check()
        if texts.isEmpty { throw .empty(file: name) }
        return texts
    }

    /// For each query the documents that are the query itself: the same text, and not judged relevant to it.
    ///
    /// A collection that asks for what is like a document uses that document as the query; left in, it would stand
    /// first in every ranking and displace one place of each figure.
    package func ownDocuments(_ judgements: RetrievalJudgements) -> [String: Set<String>] {
        var byText: [String: [String]] = [:]
        for document in documents { byText[document.text, default: []].append(document.id) }
        var own: [String: Set<String>] = [:]
        for query in queries {
            let grades = judgements.grades(of: query.id)
            let same = (byText[query.text] ?? []).filter { grades[$0, default: 0] == 0 }
            if !same.isEmpty { own[query.id] = Set(same) }
        }
        return own
    }

    /// For each query the documents that say the same, whatever their case and whether or not they are judged relevant.
    package func equalDocuments() -> [String: Set<String>] {
        var byText: [String: [String]] = [:]
        for document in documents { byText[OccupationTitles.folded(document.text), default: []].append(document.id) }
        var equal: [String: Set<String>] = [:]
        for query in queries {
            if let same = byText[OccupationTitles.folded(query.text)] { equal[query.id] = Set(same) }
        }
        return equal
    }
}
