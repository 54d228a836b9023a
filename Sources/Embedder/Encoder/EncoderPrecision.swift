import VectorMath

/// What an encoder's dense layers compute in. Vectors of different precisions belong to different spaces.
package enum EncoderPrecision: String, Sendable, CaseIterable {
    /// The reference: what the model's own framework gives, up to rounding.
    case float32
    /// Three to four times as fast, a quarter of the memory (docs/decisions/0016-encoder.md has what it costs).
    case int8

    var dense: DensePrecision {
        switch self {
        case .float32: .float32
        case .int8: .int8
        }
    }
}
