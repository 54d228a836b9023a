internal import VectorMath

/// A direction of its own for each occupation, in fewer dimensions than there are occupations.
///
/// What a text is about is a point among a thousand occupations; a row of the index has room for 384 numbers. The
/// directions are chosen so that their inner products are, as nearly as the dimensions allow, those of a kernel K: 1 of an
/// occupation with itself, and of two that texts are about at the same time a share of how often they are. They are the
/// leading eigenvectors of K, scaled to unit length each: without that, occupations that few titles name would lose their
/// place to those that many do (measured: docs/decisions/0025-grounded-view.md).
package struct OccupationProjection: Sendable, Hashable {
    /// Floats of a grounded vector: half a row.
    package static let dimension = 384
    /// How much of what occupations have in common goes into the kernel; the rest is the identity.
    static let sharedPart = 0.3

    package let occupationCount: Int
    /// (occupations, dimension), rows of unit length.
    package let directions: [Float]

    /// - Parameter directions: (occupations, dimension).
    package init(occupationCount: Int, directions: [Float]) {
        precondition(directions.count == occupationCount * Self.dimension, "an occupation has one direction")
        self.occupationCount = occupationCount
        self.directions = directions
    }

    /// Fits the directions to what texts are about.
    ///
    /// - Parameter texts: what each of a sample of titles is about, itself left out.
    /// - Returns: nil where LAPACK's iteration does not converge.
    /// - Complexity: O(occupations³).
    package init?(occupationCount: Int, fitting texts: [OccupationShares]) {
        let count = occupationCount
        var kernel = Self.kernel(of: texts, occupationCount: count)
        for i in 0..<count { kernel[i * count + i] = 1 }
        guard let (values, vectors) = SymmetricEigen.decompose(kernel, size: count) else { return nil }
        let kept = min(count, Self.dimension)
        var directions = [Float](repeating: 0, count: count * Self.dimension)
        for i in 0..<count {
            // The greatest last: LAPACK's values ascend.
            let row = (0..<kept).map { d -> Double in
                let from = count - 1 - d
                return vectors[from * count + i] * max(values[from], 0).squareRoot()
            }
            let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard norm > 1e-9 else { continue }
            for d in 0..<kept { directions[i * Self.dimension + d] = Float(row[d] / norm) }
        }
        self.init(occupationCount: count, directions: directions)
    }

    /// `sharedPart` of the correlation of occupations over the texts, (occupations, occupations): the products of unit
    /// vectors summed, and divided by the root of both diagonals.
    private static func kernel(of texts: [OccupationShares], occupationCount count: Int) -> [Double] {
        var gram = [Double](repeating: 0, count: count * count)
        for text in texts {
            let square = text.shares.reduce(0) { $0 + Double($1.share) * Double($1.share) }
            guard square > 0 else { continue }
            for a in text.shares {
                for b in text.shares {
                    gram[a.occupation * count + b.occupation] += Double(a.share) * Double(b.share) / square
                }
            }
        }
        let roots = (0..<count).map { gram[$0 * count + $0].squareRoot() }
        for i in 0..<count {
            for j in 0..<count {
                let scale = roots[i] * roots[j]
                gram[i * count + j] = scale > 0 ? sharedPart * gram[i * count + j] / scale : 0
            }
        }
        return gram
    }

    /// The unit vector of what a text is about: (dimension); nil where nothing is left of it.
    package func vector(of text: OccupationShares) -> [Float]? {
        var sum = [Double](repeating: 0, count: Self.dimension)
        for share in text.shares {
            let row = share.occupation * Self.dimension
            for d in 0..<Self.dimension { sum[d] += Double(share.share) * Double(directions[row + d]) }
        }
        let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard norm > 1e-6 else { return nil }
        return sum.map { Float($0 / norm) }
    }
}
