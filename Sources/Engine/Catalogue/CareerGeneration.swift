package import VectorIndex

/// Why a reply is less than it could be.
package struct Degradation: Sendable, Hashable, Codable {
    package enum Reason: String, Sendable, Codable {
        /// No usable model: careers are ranked by abilities alone.
        case noModel = "no_model"
    }

    package let reason: Reason
    /// What is wrong and how to mend it, in words for an operator.
    package let detail: String

    package init(reason: Reason, detail: String) {
        self.reason = reason
        self.detail = detail
    }
}

/// One consistent state of the careers: what a request sees from beginning to end.
package final class CareerGeneration: Sendable {
    package let index: Generation
    package let careers: [String: Career]
    /// Every career, by name and then by id.
    package let orderedCareers: [Career]
    /// The clusters' names, in alphabetical order.
    package let clusters: [String]
    package let frame: AbilityFrame
    /// Nil where there is no model.
    package let space: TextSpace?
    package let calibration: Calibration
    package let degradation: Degradation?
    /// Mean row over all careers: (layout.rowCount). What an average career would score a query by.
    let meanRow: [Float]
    /// For each view the mean phrase of the quiz, which is taken off every phrase and free text of a quiz.
    let quizCentres: [[Float]]
    /// Vectors of the quiz's phrases, by text.
    let phraseVectors: [String: [Float]]
    let bands: BandTable

    init(
        index: Generation, careers: [String: Career], frame: AbilityFrame, space: TextSpace?, calibration: Calibration,
        degradation: Degradation?, quizCentres: [[Float]], phraseVectors: [String: [Float]]
    ) {
        self.index = index
        self.careers = careers
        orderedCareers = careers.values.sorted { ($0.name, $0.id) < ($1.name, $1.id) }
        clusters = Set(careers.values.map(\.cluster)).sorted()
        self.frame = frame
        self.space = space
        self.calibration = calibration
        self.degradation = degradation
        self.quizCentres = quizCentres
        self.phraseVectors = phraseVectors
        meanRow = Self.meanRow(of: index)
        bands = BandTable(calibration)
    }

    /// A career's unit vector in each view, or nil where it has none.
    func viewVectors(of id: String) -> [[Float]]? {
        guard let space, let slot = index.slot(of: ItemID(id)) else { return nil }
        let row = index.row(at: slot)
        return space.views.enumerated().map { v, view in
            let scale = 1 / view.weight.squareRoot()
            return row[v * space.dimension..<(v + 1) * space.dimension].map { $0 * scale }
        }
    }

    private static func meanRow(of index: Generation) -> [Float] {
        var sum = [Double](repeating: 0, count: index.layout.rowCount)
        for id in index.ids {
            guard let slot = index.slot(of: id) else { continue }
            for (i, value) in index.row(at: slot).enumerated() { sum[i] += Double(value) }
        }
        return sum.map { Float($0 / Double(max(index.count, 1))) }
    }
}
