package import Store
package import VectorIndex

/// Why a reply is less than it could be.
package struct Degradation: Sendable, Hashable, Codable {
    /// A stable word. Besides those named here, what a provider outside gave for a reason (`VectorsUnavailable`).
    package struct Reason: RawRepresentable, Sendable, Hashable, Codable {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// No usable model: careers are ranked by abilities alone.
        package static let noModel = Reason(rawValue: "no_model")
        /// The careers' vectors are of a model outside that the settings do not name, so that nobody's words are sent to it.
        package static let modelNotNamed = Reason(rawValue: "model_not_named")

        /// Whether somebody has to act before texts are read; otherwise a provider is waited for.
        var isLasting: Bool { self == .noModel || self == .modelNotNamed }
    }

    package let reason: Reason
    /// What is wrong and how to mend it, in words for an operator.
    package let detail: String

    package init(reason: Reason, detail: String) {
        self.reason = reason
        self.detail = detail
    }
}

/// How far the vectors of a generation are those of its careers' present texts.
package struct EmbeddingState: Sendable, Equatable, Codable {
    /// Vectors that fit the texts.
    package var current = 0
    /// Careers served with the vector of an earlier text.
    package var stale = 0
    /// Careers that are not served yet for want of a vector.
    package var pending = 0
    /// The stored generation that the vectors come from.
    package var generation: Int64?

    package init() {}

    /// Counts a career whose row was made from texts of the hash `found`, nil where it has no row.
    mutating func count(_ found: String?, wanted: String) {
        if found == wanted {
            current += 1
        } else if found != nil {
            stale += 1
        } else {
            pending += 1
        }
    }
}

/// Why a career that the store has is not served.
package enum CareerAbsence: String, Sendable {
    /// It was active once.
    case retired
    /// It is active and waits for its vector.
    case pending
}

/// One consistent state of the careers: what a request sees from beginning to end.
package final class CareerGeneration: Sendable {
    /// Counts up with every change of the careers or their vectors, over restarts too.
    package let number: UInt64
    package let index: Generation
    package let careers: [String: Career]
    /// The careers that the store has besides, by id: who names one of them is not mistaken.
    package let absent: [String: CareerAbsence]
    /// Every career, by name and then by id.
    package let orderedCareers: [Career]
    /// The clusters' names, in alphabetical order.
    package let clusters: [String]
    /// The clusters' names by their lower case, as people give them.
    package let clustersByLowerCase: [String: String]
    /// The names of the attributes that the operator gave careers, and whether each holds numbers.
    package let ownAttributes: [String: Bool]
    package let frame: AbilityFrame
    /// Nil where there is no model.
    package let space: TextSpace?
    package let calibration: Calibration
    package let degradation: Degradation?
    /// Who described careers, by name.
    package let sources: [String: CareerSource]
    /// Careers whose text has changed since their vector was made, and those that wait for their first one.
    package let embedding: EmbeddingState
    /// Mean row over all careers: (layout.rowCount). What an average career would score a query by.
    let meanRow: [Float]
    /// For each view the mean phrase of the quiz, which is taken off every phrase and free text of a quiz.
    let quizCentres: [[Float]]
    /// Vectors of the quiz's phrases, by text.
    let phraseVectors: [String: [Float]]
    let bands: BandTable

    init(
        number: UInt64, index: Generation, careers: [String: Career], absent: [String: CareerAbsence],
        frame: AbilityFrame, space: TextSpace?, calibration: Calibration, degradation: Degradation?,
        sources: [String: CareerSource], embedding: EmbeddingState, quizCentres: [[Float]],
        phraseVectors: [String: [Float]]
    ) {
        self.number = number
        self.index = index
        self.careers = careers
        self.absent = absent
        orderedCareers = careers.values.sorted { ($0.name, $0.id) < ($1.name, $1.id) }
        clusters = Set(careers.values.map(\.cluster)).sorted()
        clustersByLowerCase = Dictionary(
            clusters.map { ($0.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
        ownAttributes = CareerAttributes.own(of: careers.values)
        self.frame = frame
        self.space = space
        self.calibration = calibration
        self.degradation = degradation
        self.sources = sources
        self.embedding = embedding
        self.quizCentres = quizCentres
        self.phraseVectors = phraseVectors
        meanRow = Self.meanRow(of: index)
        bands = BandTable(calibration)
    }

    /// The same state with another word on why there is no model.
    package init(_ same: CareerGeneration, degradation: Degradation) {
        number = same.number
        index = same.index
        careers = same.careers
        absent = same.absent
        orderedCareers = same.orderedCareers
        clusters = same.clusters
        clustersByLowerCase = same.clustersByLowerCase
        ownAttributes = same.ownAttributes
        frame = same.frame
        space = same.space
        calibration = same.calibration
        self.degradation = degradation
        sources = same.sources
        embedding = same.embedding
        meanRow = same.meanRow
        quizCentres = same.quizCentres
        phraseVectors = same.phraseVectors
        bands = same.bands
    }

    /// The sources of some careers, each once, in alphabetical order.
    package func sources(of careers: [Career]) -> [CareerSource] {
        Set(careers.compactMap(\.source)).sorted().compactMap { sources[$0] }
    }

    /// An id as the catalogue writes it; one that it does not serve as it is.
    ///
    /// “ä” may be one scalar or two. To Swift both are the same text, the index and the store compare bytes.
    package func storedID(_ id: String) -> String { careers[id]?.id ?? id }

    /// A career's unit vector in each view, or nil where it has none.
    func viewVectors(of id: String) -> [[Float]]? {
        guard let space, let slot = index.slot(of: ItemID(storedID(id))) else { return nil }
        let row = index.row(at: slot)
        return space.views.enumerated().map { v, view in
            let scale = 1 / view.weight.squareRoot()
            return row[v * space.dimension..<(v + 1) * space.dimension].map { $0 * scale }
        }
    }

    /// Rows that stand for all in the average career: of a million, reading every one would take longer than the start.
    private static let averagedRows = 65_536

    private static func meanRow(of index: Generation) -> [Float] {
        var sum = [Double](repeating: 0, count: index.layout.rowCount)
        let slots = index.slots(spread: averagedRows)
        for slot in slots {
            for (i, value) in index.row(at: slot).enumerated() { sum[i] += Double(value) }
        }
        return sum.map { Float($0 / Double(max(slots.count, 1))) }
    }
}
