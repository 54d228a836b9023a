/// The text side of a query: for each view a unit vector, and what each part gave to it.
///
/// A view's vector is the weighted mean of its parts' vectors, scaled to unit length. Cosines are linear in the
/// parts, so a part's share in a score is exact, not an estimate.
struct TextQuery: Sendable {
    /// A part's vector in one view, as it enters the sum: weight · (vector − centre) / ‖sum‖.
    struct Share: Sendable {
        let part: Int
        let vector: [Float]
    }

    /// For each view of the space: unit, or empty where nothing was said.
    let vectors: [[Float]]
    /// For each view, the shares whose sum is its vector.
    let shares: [[Share]]

    /// Whether nothing was said, and only what the person did before is left.
    let isHistoryAlone: Bool

    var isEmpty: Bool { vectors.allSatisfy(\.isEmpty) }

    /// - Parameters:
    ///   - parts: what was said.
    ///   - vectors: the vector of every text of the parts, and of every example career under `key(career:view:)`.
    ///   - centres: for each view what is taken off every vector, or nil.
    init(
        parts: [QueryPart], space: TextSpace, vectors: [String: [Float]], examples: [String: [[Float]]],
        centres: [[Float]]?
    ) {
        var saidShares: [[Share]] = []
        var histories: [[Weighted]] = []
        for (v, view) in space.views.enumerated() {
            var said: [Weighted] = []
            var history: [Weighted] = []
            for (p, part) in parts.enumerated() {
                if let career = part.exampleCareer {
                    guard let rows = examples[career], v < rows.count else { continue }
                    let weighted = Weighted(part: p, weight: part.weight, vector: rows[v])
                    if part.isHistory { history.append(weighted) } else { said.append(weighted) }
                    continue
                }
                for text in part.texts(for: view.content) {
                    guard let vector = vectors[text].map(view.slice), !vector.isEmpty else { continue }
                    said.append(
                        Weighted(
                            part: p, weight: part.weight,
                            vector: centres.map { Self.subtract($0[v], from: vector) } ?? vector))
                }
            }
            saidShares.append(Self.normalised(said, dimension: space.dimension))
            histories.append(history)
        }
        // Filled before history leans on it: history alone in a view would be more than the bound allows.
        let leaning = zip(Self.filled(saidShares, in: space), histories).map {
            Self.leaning($0, to: $1, dimension: space.dimension)
        }
        let shares = Self.filled(leaning, in: space)
        self.shares = shares
        isHistoryAlone = shares.allSatisfy { $0.allSatisfy { parts[$0.part].isHistory } }
        self.vectors = shares.map { shares in
            guard var sum = shares.first?.vector else { return [] }
            for share in shares.dropFirst() { for i in sum.indices { sum[i] += share.vector[i] } }
            return sum
        }
    }

    /// The embedding part of a row: (views · dimension), each view's vector scaled by √weight; empty for none.
    func row(in space: TextSpace) -> [Float] {
        isEmpty ? [] : Self.row(vectors, in: space)
    }

    static func row(_ vectors: [[Float]], in space: TextSpace) -> [Float] {
        zip(vectors, space.views).flatMap { vector, view in
            let scale = view.weight.squareRoot()
            return vector.map { $0 * scale }
        }
    }

    private struct Weighted {
        let part: Int
        let weight: Float
        let vector: [Float]
    }

    /// A view that nothing was said of takes the other's vector: both describe the same person.
    ///
    /// Not where the views' numbers mean different things: there both are of the same texts, and one is empty alone only
    /// where what was said cancels out in it. Then nothing is left to go on.
    private static func filled(_ shares: [[Share]], in space: TextSpace) -> [[Share]] {
        guard let filling = shares.first(where: { !$0.isEmpty }) else { return shares }
        if space.hasParts { return shares.contains(where: \.isEmpty) ? shares.map { _ in [] } : shares }
        return shares.map { $0.isEmpty ? filling : $0 }
    }

    /// The weighted sum as shares of a unit vector; none where the parts cancel out.
    private static func normalised(_ weighted: [Weighted], dimension: Int) -> [Share] {
        let norm = norm(of: weighted.map { ($0.weight, $0.vector) }, dimension: dimension)
        // What was said cancels out, up to rounding: no direction is left.
        guard norm > 1e-6 else { return [] }
        return weighted.map { entry in
            Share(part: entry.part, vector: entry.vector.map { Float(Double(entry.weight * $0) / norm) })
        }
    }

    /// How far a person's history may pull a query: the length of its share beside the unit vector of what was said.
    /// The direction turns by at most asin(0.25), 14.5 degrees, so a cosine changes by at most 0.253.
    static let historyBound = 0.25
    /// Events after which history pulls with all that the bound allows.
    private static let fullHistory = 3.0

    /// `said`, turned towards what the person did before; history alone where nothing was said.
    private static func leaning(_ said: [Share], to history: [Weighted], dimension: Int) -> [Share] {
        let pulls = normalised(history, dimension: dimension)
        guard !pulls.isEmpty else { return said }
        guard !said.isEmpty else { return pulls }
        let strength = Float(historyBound * min(1, Double(history.count) / fullHistory))
        let sum =
            said.map { (part: $0.part, scale: Float(1), vector: $0.vector) }
            + pulls.map { (part: $0.part, scale: strength, vector: $0.vector) }
        // The two directions are at most opposite and the second is shorter: the sum is never zero.
        let norm = norm(of: sum.map { ($0.scale, $0.vector) }, dimension: dimension)
        return sum.map { entry in
            Share(part: entry.part, vector: entry.vector.map { Float(Double(entry.scale * $0) / norm) })
        }
    }

    private static func norm(of weighted: [(weight: Float, vector: [Float])], dimension: Int) -> Double {
        var sum = [Double](repeating: 0, count: dimension)
        for entry in weighted {
            for i in sum.indices { sum[i] += Double(entry.weight * entry.vector[i]) }
        }
        return sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }

    private static func subtract(_ a: [Float], from b: [Float]) -> [Float] {
        zip(b, a).map { $0 - $1 }
    }
}
