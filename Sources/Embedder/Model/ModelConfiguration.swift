import VectorMath

// config.json: which encoder the weights belong to.

/// The shape of a BERT or MPNet encoder.
struct ModelConfiguration: Equatable, Sendable {
    enum Family: String, Sendable {
        case bert
        case mpnet
    }

    var family: Family
    var hiddenSize: Int
    var layers: Int
    var heads: Int
    var intermediateSize: Int
    var vocabularySize: Int
    /// Rows of the position table; MPNet cannot use the first `padTokenID + 1`.
    var positionRows: Int
    /// Rows of the token type table; none in MPNet.
    var tokenTypes: Int
    var padTokenID: Int
    var epsilon: Float
    var activation: DenseMath.Activation
    /// Buckets of MPNet's relative positions; 0 in BERT.
    var relativeBuckets: Int

    var headSize: Int { hiddenSize / heads }
    /// Parts that each layer is cut into (`LayerSlice`): up to four, so that a few cores share a text's work evenly. A
    /// constant of the model and not of the machine, since in 8 bits each slice has ranges of its own.
    private var slices: Int { (1...4).last { heads % $0 == 0 && $0 <= intermediateSize } ?? 1 }
    /// The heads of each slice.
    var sliceHeads: [Range<Int>] { Self.parts(of: heads, slices) }
    /// The inner numbers of each slice.
    var sliceInner: [Range<Int>] { Self.parts(of: intermediateSize, slices) }

    private static func parts(of count: Int, _ parts: Int) -> [Range<Int>] {
        (0..<parts).map { count * $0 / parts..<count * ($0 + 1) / parts }
    }

    /// Position of a text's first token.
    var firstPosition: Int { family == .mpnet ? padTokenID + 1 : 0 }
    /// Tokens that a text may have.
    var maximumTokens: Int { positionRows - firstPosition }

    /// Reads a `config.json`.
    ///
    /// - Throws: `EmbedderError.malformedFile`, or `.unsupported` for an encoder that is not built in.
    init(_ file: ModelSettings) throws(EmbedderError) {
        let kind = try file.string("model_type") ?? "none"
        guard let family = Family(rawValue: kind) else {
            throw file.unsupported("model_type", kind, supported: "bert, mpnet")
        }
        self.family = family
        hiddenSize = try Self.extent(file, "hidden_size", 16_384)
        layers = try Self.extent(file, "num_hidden_layers", 256)
        heads = try Self.extent(file, "num_attention_heads", 1024)
        intermediateSize = try Self.extent(file, "intermediate_size", 65_536)
        vocabularySize = try Self.extent(file, "vocab_size", 4_000_000)
        positionRows = try Self.extent(file, "max_position_embeddings", 131_072)
        tokenTypes = family == .bert ? try file.integer("type_vocab_size", in: 1...1024) ?? 2 : 0
        padTokenID = try file.integer("pad_token_id", in: 0...vocabularySize) ?? (family == .bert ? 0 : 1)
        epsilon = Float(try file.real("layer_norm_eps") ?? 1e-12)
        relativeBuckets =
            family == .mpnet ? try file.integer("relative_attention_num_buckets", in: 4...4096) ?? 32 : 0
        activation = try Self.activation(file)
        guard hiddenSize % heads == 0 else {
            throw file.malformed("hidden_size \(hiddenSize) is no multiple of its \(heads) attention heads")
        }
        guard epsilon.isFinite, epsilon >= 0 else { throw file.malformed("'layer_norm_eps' is no small number") }
        guard maximumTokens >= 2 else { throw file.malformed("'max_position_embeddings' leaves no positions") }
        let positions = try file.string("position_embedding_type") ?? "absolute"
        guard positions == "absolute" else {
            throw file.unsupported("position_embedding_type", positions, supported: "absolute")
        }
        guard try file.bool("is_decoder") != true else {
            throw file.unsupported("is_decoder", "true", supported: "false")
        }
    }

    private static func extent(
        _ file: ModelSettings, _ key: StaticString, _ maximum: Int
    ) throws(EmbedderError) -> Int {
        guard let extent = try file.integer(key, in: 1...maximum) else { throw file.malformed("it has no '\(key)'") }
        return extent
    }

    private static func activation(_ file: ModelSettings) throws(EmbedderError) -> DenseMath.Activation {
        let name = try file.string("hidden_act") ?? "gelu"
        switch name {
        case "gelu": return .gelu
        case "gelu_new", "gelu_pytorch_tanh": return .geluTanh
        case "relu": return .relu
        default: throw file.unsupported("hidden_act", name, supported: "gelu, gelu_new, gelu_pytorch_tanh, relu")
        }
    }
}
