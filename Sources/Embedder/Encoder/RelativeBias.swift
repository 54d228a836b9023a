import Foundation
import VectorMath

// MPNet's relative attention bias: T5's buckets (Raffel et al. 2020, section 2.1), shared by all layers.

/// What is added to an attention score for the distance between its two tokens; empty for an encoder without.
struct RelativeBias: ~Copyable, Sendable {
    /// Distances beyond this share the last bucket of their side; fixed in the reference model.
    private static let maximumDistance: Float = 128

    /// Tokens of a text at most.
    private let maximum: Int
    /// (heads × 2 · maximum − 1): for each offset from key to query, −(maximum − 1) first.
    private let biases: AlignedBuffer<Float>

    /// Spreads the stored table out to one bias per offset, so that a row of scores gets a contiguous run of them.
    ///
    /// - Parameter table: (buckets × heads), as stored; empty for an encoder without relative positions.
    init(table: Span<Float>, _ configuration: ModelConfiguration) {
        maximum = configuration.maximumTokens
        let (heads, buckets) = (configuration.heads, configuration.relativeBuckets)
        let offsets = 2 * maximum - 1
        var biases = AlignedBuffer<Float>(count: table.isEmpty ? 0 : heads * offsets, repeating: 0)
        if !table.isEmpty {
            for index in 0..<offsets {
                let bucket = Self.bucket(of: index - (maximum - 1), buckets: buckets)
                for head in 0..<heads { biases[head * offsets + index] = table[bucket * heads + head] }
            }
        }
        self.biases = biases
    }

    /// From a head's biases to those of the next.
    var stride: Int { 2 * maximum - 1 }

    /// The biases of `heads` for a text of `count` tokens: 2 · count − 1 for each head, `stride` apart; or none.
    @_lifetime(borrow self)
    func span(heads: Range<Int>, count: Int) -> Span<Float> {
        let start = heads.lowerBound * stride + maximum - count
        let end = (heads.upperBound - 1) * stride + maximum + count - 1
        return biases.span.extracting(biases.count == 0 ? 0..<0 : start..<end)
    }

    /// The bucket of a key `offset` positions after its query (before it, if negative).
    static func bucket(of offset: Int, buckets: Int) -> Int {
        // Half of the buckets for keys after the query; of each half, half are for exact distances and the rest
        // grow with the logarithm. Float32 throughout: the reference truncates a float32 logarithm.
        let half = buckets / 2
        let side = offset > 0 ? half : 0
        let distance = abs(offset)
        let exact = half / 2
        if distance < exact { return side + distance }
        let ratio = log(Float(distance) / Float(exact)) / log(maximumDistance / Float(exact))
        return side + min(exact + Int(ratio * Float(half - exact)), half - 1)
    }
}
