internal import VectorIndex

/// Why abilities cannot be held against related careers.
package enum AbilityStudyError: Error, Sendable, Equatable, CustomStringConvertible {
    /// No career of the catalogue is judged to be related to another.
    case nothingRelated
    /// A file of judgements asks for careers that are all not in the catalogue.
    case unknownCareers(file: String)
    /// One of the two halves has no career that anything is related to.
    case tooFew(careers: Int)

    package var description: String {
        switch self {
        case .nothingRelated: "no career of the catalogue is judged to be related to another"
        case .unknownCareers(let file): "\(file) asks for no career of the catalogue"
        case .tooFew(let careers):
            "\(careers) careers are too few: of each half at least one must have related careers"
        }
    }
}

/// Careers, and how strongly each is related to others.
package struct RelatedCareers: Sendable {
    /// Those that the judgements name, in ascending order of id.
    package let careers: [Career]
    /// By the id of the career that is asked for; none is judged for itself.
    package let judgements: RetrievalJudgements
    /// Abilities of the whole catalogue, since it is its mean that the engine centres on.
    let profiles: [[Double]]
    /// The greatest grade there is: what counts as related in full.
    let greatestGrade: Int

    /// As O*NET relates its occupations, all alike (grade 1).
    ///
    /// - Parameter catalogue: careers of other sources count for the mean alone.
    /// - Throws: `AbilityStudyError.nothingRelated`.
    package init(ofOnetIn catalogue: [Career]) throws(AbilityStudyError) {
        let occupations = catalogue.filter { $0.source == OnetImporter.sourceName }
        let ids = Set(occupations.map(\.id))
        var grades: [String: [String: Int]] = [:]
        for career in occupations {
            for id in career.relatedCareers where ids.contains(id) { grades[career.id, default: [:]][id] = 1 }
        }
        try self.init(grades, of: catalogue)
    }

    /// As a file of TREC's judgements says; its queries are careers' ids, with or without `q-` before them.
    ///
    /// - Parameter name: of the file, for what is wrong with it.
    /// - Throws: `AbilityStudyError`, or `RetrievalError` as for every file of judgements.
    package init(_ bytes: [UInt8], named name: String, in catalogue: [Career]) throws {
        let ids = Set(catalogue.map(\.id))
        let asked = ids.union(ids.map { Self.prefix + $0 })
        // A file for another catalogue is wrong in every line: one sentence says more than fifty.
        let lines = Array(RetrievalLines(bytes))
        let isOfCareers = lines.contains { line in Self.query(of: line).map { asked.contains($0) } ?? false }
        if !lines.isEmpty, !isOfCareers {
            throw AbilityStudyError.unknownCareers(file: name)
        }
        let judged = try RetrievalJudgements(
            bytes, named: name,
            for: RetrievalCollection(
                queries: asked.map { RetrievalText(id: $0, text: "") },
                documents: ids.map { RetrievalText(id: $0, text: "") }))
        var grades: [String: [String: Int]] = [:]
        for id in ids {
            var own = judged.grades(of: id)
            // What is a career's own id as it stands is not another's with a prefix.
            let prefixed = Self.prefix + id
            if !ids.contains(prefixed) { own.merge(judged.grades(of: prefixed)) { max($0, $1) } }
            if !own.isEmpty { grades[id] = own }
        }
        try self.init(grades, of: catalogue)
    }

    private init(_ given: [String: [String: Int]], of catalogue: [Career]) throws(AbilityStudyError) {
        var grades: [String: [String: Int]] = [:]
        for (id, own) in given { grades[id] = own.filter { $0.key != id } }
        greatestGrade = grades.values.flatMap { $0.values }.max() ?? 0
        guard greatestGrade > 0 else { throw .nothingRelated }
        let named = Set(grades.keys).union(grades.values.flatMap { $0.keys })
        careers = catalogue.filter { named.contains($0.id) }.sorted { ItemID($0.id) < ItemID($1.id) }
        judgements = RetrievalJudgements(grades)
        profiles = catalogue.map(\.abilities)
    }

    /// What the queries of some files begin with.
    private static let prefix = "q-"

    private static func query(of line: RetrievalLines.Line) -> String? {
        line.text?.unicodeScalars.split(whereSeparator: \.properties.isWhitespace).first.map { String($0) }
    }

    /// How strongly a career is related to another, 0…1.
    func strength(of id: String, for query: String) -> Double {
        Double(judgements.grades(of: query)[id] ?? 0) / Double(greatestGrade)
    }

    /// Whether anything is related to the career.
    func isAsked(_ id: String) -> Bool { judgements.grades(of: id).values.contains { $0 > 0 } }

    /// Places in `careers` of those of a half.
    func places(in half: CareerHalf) -> [Int] {
        careers.indices.filter { CareerHalf(of: careers[$0].id) == half }
    }
}
