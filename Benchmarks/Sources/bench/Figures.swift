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
    var tokens: Int
    var time: Measurement
    var tokensPerSecond: Double
    /// The matrix products of the encoder's dense layers alone.
    var plainProducts: Measurement
    var timesPlainProducts: Double
}

/// The recommend route as a client saw it.
struct RouteRow: Codable {
    var name: String
    var client: String
    var connections: Int
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
