internal import Foundation

/// One weighted part of an embedding row, and which of an item's texts fill it.
package struct TextView: Hashable, Sendable {
    package enum Content: String, Hashable, Sendable {
        case work, takes, everything
        /// What the work is and what it takes, each as a text of its own; an item's vector is their weighted mean.
        case both
    }

    package let content: Content
    /// Shown to people: “what the work is”.
    package let name: String
    /// Share of the cosine, summing to 1 over a space's views.
    package let weight: Float
    /// Which numbers of a text's vector are the view's; nil for all of them.
    package let part: Range<Int>?

    package init(content: Content, name: String, weight: Float, part: Range<Int>? = nil) {
        self.content = content
        self.name = name
        self.weight = weight
        self.part = part
    }

    /// What of a text's vector fills the view; nothing of one that is too short.
    func slice(_ vector: [Float]) -> [Float] {
        guard let part else { return vector }
        return part.upperBound <= vector.count ? Array(vector[part]) : []
    }
}

/// What the engine knows of an embedding space.
package struct TextSpace: Hashable, Sendable {
    package let id: String
    package let modelID: String
    package let weightsSHA256: String
    /// JSON, kept with the vectors.
    package let description: String
    package let views: [TextView]
    /// Floats of one view's vector.
    package let dimension: Int
    /// Floats of a text's vector.
    package var textDimension: Int { views.compactMap(\.part?.upperBound).max() ?? dimension }
    /// Whether a text fills views with different numbers: none can then stand in for another.
    var hasParts: Bool { views.contains { $0.part != nil } }

    package init(
        id: String, modelID: String, weightsSHA256: String, description: String, views: [TextView], dimension: Int
    ) {
        self.id = id
        self.modelID = modelID
        self.weightsSHA256 = weightsSHA256
        self.description = description
        self.views = views
        self.dimension = dimension
    }
}

extension TextSpace {
    /// A space's description as it is kept with the vectors: the same text for the same fields.
    static func description(_ fields: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        // Structs of strings and finite numbers always encode.
        return (try? encoder.encode(fields)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}

/// Whether a text asks or describes; some models put different prefixes before the two.
package enum TextRole: String, Hashable, Sendable {
    case query, document
}

/// Whatever turns texts into unit vectors of one space: the encoder, and in tests a stand-in.
package protocol TextVectorizer: Sendable {
    var space: TextSpace { get }

    /// Vectors of `space.textDimension` floats, in the order of the texts; each view's part of them is a unit vector.
    ///
    /// CPU-long: not to be called on the cooperative pool.
    func vectors(of texts: [String], role: TextRole) throws -> [[Float]]

    /// The vectors, if all of them are at hand without computing.
    func cachedVectors(of texts: [String], role: TextRole) -> [[Float]]?
}

/// A vectorizer whose texts wait their turn in a queue of its own, among those of everybody else.
package protocol QueuedVectorizer: TextVectorizer {
    /// As `vectors(of:role:)`, and computed off the cooperative pool.
    ///
    /// - Parameter isAwaited: whether somebody waits for the answer; what nobody waits for comes after.
    func vectors(of texts: [String], role: TextRole, isAwaited: Bool) async throws -> [[Float]]
}
