/// What came of asking for the vectors of texts: a model in this process gives all or throws, a provider outside gives what
/// it read in time.
package struct TextReading: Sendable {
    /// In the order of the texts; nil for one that was not read.
    package let vectors: [[Float]?]
    /// Why some were not. What fails for all says more than what fails for one.
    package let failure: VectorsUnavailable?

    init(vectors: [[Float]?], failure: VectorsUnavailable? = nil) {
        self.vectors = vectors
        self.failure = failure
    }

    /// - Throws: `VectorsUnavailable` where one was not read.
    func whole() throws -> [[Float]] {
        if let failure { throw failure }
        return vectors.map { $0 ?? [] }
    }
}

/// The same of a catalogue's texts, by text.
struct DocumentReading: Sendable {
    private(set) var vectors: [String: [Float]] = [:]
    private(set) var failure: VectorsUnavailable?

    init() {}

    mutating func add(_ reading: TextReading, of texts: [String]) {
        for case (let text, let vector?) in zip(texts, reading.vectors) { vectors[text] = vector }
        failure = VectorsUnavailable.graver(failure, reading.failure)
    }

    mutating func add(_ other: DocumentReading) {
        vectors.merge(other.vectors) { first, _ in first }
        failure = VectorsUnavailable.graver(failure, other.failure)
    }

    /// Whether it is of no use to ask for more: what failed fails for every text.
    var isOver: Bool { failure.map { !$0.isAboutTexts } ?? false }

    /// Whether all of these were read.
    func has(_ texts: [String]) -> Bool { texts.allSatisfy { vectors[$0] != nil } }
}
