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

    var isEmpty: Bool { vectors.allSatisfy(\.isEmpty) }

    /// - Parameters:
    ///   - parts: what was said.
    ///   - vectors: the vector of every text of the parts, and of every example career under `key(career:view:)`.
    ///   - centres: for each view what is taken off every vector, or nil.
    init(
        parts: [QueryPart], space: TextSpace, vectors: [String: [Float]], examples: [String: [[Float]]],
        centres: [[Float]]?
    ) {
        var shares: [[Share]] = []
        for (v, view) in space.views.enumerated() {
            var weighted: [(part: Int, weight: Float, vector: [Float])] = []
            for (p, part) in parts.enumerated() {
                if case .example(let career, _, _) = part.origin {
                    if let rows = examples[career], v < rows.count { weighted.append((p, part.weight, rows[v])) }
                    continue
                }
                for text in part.texts(for: view.content) {
                    guard let vector = vectors[text] else { continue }
                    weighted.append((p, part.weight, centres.map { Self.subtract($0[v], from: vector) } ?? vector))
                }
            }
            shares.append(Self.normalised(weighted, dimension: space.dimension))
        }
        // A view that nothing was said of takes the other's vector: both describe the same person.
        if let filled = shares.first(where: { !$0.isEmpty }) {
            shares = shares.map { $0.isEmpty ? filled : $0 }
        }
        self.shares = shares
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

    private static func normalised(_ weighted: [(part: Int, weight: Float, vector: [Float])], dimension: Int) -> [Share]
    {
        var sum = [Double](repeating: 0, count: dimension)
        for entry in weighted {
            for i in sum.indices { sum[i] += Double(entry.weight * entry.vector[i]) }
        }
        let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
        // What was said cancels out, up to rounding: no direction is left.
        guard norm > 1e-6 else { return [] }
        return weighted.map { entry in
            Share(part: entry.part, vector: entry.vector.map { Float(Double(entry.weight * $0) / norm) })
        }
    }

    private static func subtract(_ a: [Float], from b: [Float]) -> [Float] {
        zip(b, a).map { $0 - $1 }
    }
}
