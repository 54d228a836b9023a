import Embedder
import Foundation

/// One search of the table: so many rows, so many queries at a time.
struct SearchRow: Codable {
    var rows: Int
    var queries: Int
    var limit: Int
    /// nil for no cap.
    var maxPerCluster: Int?
    var time: Measurement
    /// Rows met by a query, over all queries of the batch.
    var rowsPerSecond: Double
    /// Bytes of the rows over the time: what comes from memory, where a batch reads its rows once.
    var gigabytesPerSecond: Double
    /// Reading the same number of bytes and doing nothing with them.
    var plainRead: Measurement
    /// The search's time over that of the plain read.
    var timesPlainRead: Double
    /// For a batch: one `sgemm` of the same shape, tile by tile, nothing selected.
    var plainProduct: Measurement?
    var timesPlainProduct: Double?
    /// The share of the naive scan's hits that the search has at the same place with the same score.
    var recall: Double
}

/// One text of a length, computed.
struct EmbeddingRow: Codable {
    var model: String
    /// Nil in figures of float32 that were kept before there was a choice.
    var precision: EncoderPrecision?
    var tokens: Int
    var time: Measurement
    var tokensPerSecond: Double
    /// The matrix products of the encoder's dense layers alone, in float32 whatever the precision.
    var plainProducts: Measurement
    var timesPlainProducts: Double
}

/// The recommend route as a client saw it, or the empty route beside it.
struct RouteRow: Codable {
    /// What the load generator asked for.
    enum Kind: String, Codable {
        case new
        case known
        /// A route that does nothing: what HTTP itself costs here.
        case empty
    }

    var name: String
    /// Nil of other clients.
    var kind: Kind?
    var client: String
    var connections: Int
    /// Where it was measured several times, how often; times and rate are then medians, `maxMs` is the slowest of all,
    /// requests and errors are those of all turns.
    var turns: Int?
    var time: Measurement
    var requestsPerSecond: Double
    /// Requests without a good answer.
    var errors: Int
}

/// Everything that was measured.
struct Figures: Codable {
    var search: [SearchRow] = []
    var embedding: [EmbeddingRow] = []
    var routes: [RouteRow] = []
    /// Nil where it was not measured.
    var shareOfEmptyRoute: EmptyRouteShare?
    /// What a reader of the figures should know.
    var notes: [String] = []

    static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }()

    static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()

    /// Prints a value as a command's answer: one JSON document.
    static func say(_ value: some Encodable) throws {
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    func encoded() throws -> Data { try Self.encoder.encode(self) }

    static func decoded(_ data: Data) throws -> Figures { try decoder.decode(Figures.self, from: data) }
}
