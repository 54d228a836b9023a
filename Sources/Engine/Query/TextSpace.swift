/// One weighted part of an embedding row, and which of an item's texts fill it.
package struct TextView: Hashable, Sendable {
    package enum Content: String, Hashable, Sendable {
        case work, takes, everything
    }

    package let content: Content
    /// Shown to people: “what the work is”.
    package let name: String
    /// Share of the cosine, summing to 1 over a space's views.
    package let weight: Float

    package init(content: Content, name: String, weight: Float) {
        self.content = content
        self.name = name
        self.weight = weight
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

/// Whether a text asks or describes; some models put different prefixes before the two.
package enum TextRole: String, Hashable, Sendable {
    case query, document
}

/// Whatever turns texts into unit vectors of one space: the encoder, and in tests a stand-in.
package protocol TextVectorizer: Sendable {
    var space: TextSpace { get }

    /// Unit vectors of `space.dimension` floats, in the order of the texts.
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
