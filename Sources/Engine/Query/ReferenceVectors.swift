internal import Store
internal import VectorMath

/// Vectors of a few fixed texts, by which a model is told that runs where nobody sees its weights.
///
/// They are kept with the space that they were the first of. A model that gives them again is the same model, wherever its
/// server stands by now; one that does not is another, whatever it is called.
struct ReferenceVectors: Sendable, Equatable {
    static let texts = [
        "A nurse who looks after children in a hospital at night.", "welds steel frames for bridges and ships",
        "Ich rechne gern und möchte einmal ein Geschäft führen.",
    ]
    /// Servers round otherwise from call to call and from machine to machine, which costs less than a thousandth of a
    /// cosine; vectors of two models are about at right angles.
    static let leastCosine = 0.99
    private static let kind = "reference"

    /// Unit vectors, one of each text.
    let vectors: [[Float]]

    /// - Parameter vectors: unit vectors of `texts`; nil where their number is another.
    init?(_ vectors: [[Float]]) {
        guard vectors.count == Self.texts.count else { return nil }
        self.vectors = vectors
    }

    /// SHA-256 of the numbers: names the space whose first they are, and cannot be had again from rounded ones.
    var fingerprint: String {
        SHA256.hash(
            vectors.flatMap { $0 }.flatMap { number in
                (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> ($0 * 8)) }
            })
    }

    /// The least cosine of a text's vector here with its vector there.
    ///
    /// - Parameter others: of as many of the first texts as there are; -1 where there are none.
    func cosine(with others: [[Float]]) -> Double {
        guard others.count <= vectors.count else { return -1 }
        return zip(vectors, others).map { Self.product($0, $1) }.min() ?? -1
    }

    /// The cosine of two unit vectors; -1 where one is longer than the other.
    static func product(_ a: [Float], _ b: [Float]) -> Double {
        guard a.count == b.count else { return -1 }
        return zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    /// Those of a space; nil where it has none of these texts, or they are damaged.
    static func read(of space: String, from repository: VectorRepository) async throws -> ReferenceVectors? {
        let stored = try await repository.vectors(of: space, kind: kind).vectors
        let byHash = Dictionary(stored.map { ($0.textHash, $0.vector) }) { first, _ in first }
        return ReferenceVectors(texts.compactMap { byHash[hash(of: $0)] })
    }

    /// Keeps them with a registered space.
    func write(to repository: VectorRepository, of space: String) async throws {
        try await repository.put(
            zip(Self.texts, vectors).map { text, vector in
                let hash = Self.hash(of: text)
                return VectorRecord(
                    key: VectorKey(itemKind: Self.kind, itemID: hash, view: "text"), textHash: hash, vector: vector)
            }, in: space)
    }

    private static func hash(of text: String) -> String {
        var hash = ContentHash()
        hash.update(text)
        return hash.text
    }
}
