package import Foundation
import Synchronization

// A model folder as a function from texts to unit vectors.

/// Turns texts into unit vectors with one model: tokenizer, encoder, pooling, batching and a cache.
///
/// Frozen but for the cache; any number of threads may call it. A call computes on the caller's thread and on others:
/// for long lists, not one of the cooperative pool.
package final class TextEmbedder: Sendable {
    /// What may be chosen when a model is loaded.
    package struct Options: Sendable {
        /// Instead of the pooling that the model's folder names.
        package var pooling: Pooling?
        /// Tokens that are computed at a time; bounds memory and the length of one step.
        package var batchTokens: Int
        /// Vectors that the cache keeps.
        package var cacheEntries: Int
        /// How the encoder computes; another precision is another space.
        package var precision: EncoderPrecision

        package init(
            pooling: Pooling? = nil, batchTokens: Int = 4096, cacheEntries: Int = 10_000,
            precision: EncoderPrecision = .int8
        ) {
            precondition(batchTokens > 0 && cacheEntries >= 0, "a batch has tokens and a cache no negative size")
            self.pooling = pooling
            self.batchTokens = batchTokens
            self.cacheEntries = cacheEntries
            self.precision = precision
        }
    }

    /// The name of the model's folder.
    package let modelID: String
    /// The id of the model that an adapter changes; nil for a model that stands alone.
    package let baseID: String?
    package let pooling: Pooling
    /// Texts that the model wants put before queries and documents; usually empty. `embed` does not add them.
    package let queryPrefix: String
    package let documentPrefix: String

    private let tokenizer: WordPieceTokenizer
    let encoder: TransformerEncoder
    let cache: EmbeddingCache
    private let batchTokens: Int
    /// The base model's, then those of an adapter.
    private let weightFiles: [ModelFile]
    private let knownSHA256 = Mutex<String?>(nil)

    /// Loads the sentence-transformers model in `folder`, or the adapter there with its base model.
    ///
    /// - Throws: `EmbedderError` naming the file, what is wrong with it and how to mend it.
    package init(folder: URL, options: Options = Options()) throws(EmbedderError) {
        let parts = try ModelParts(folder: folder)
        let pipeline = try SentencePipeline(folder: parts.folder)
        let encoderFolder = pipeline.encoderFolder(in: parts.folder)
        let configuration = try ModelConfiguration(ModelFile(encoderFolder, "config.json").json())
        tokenizer = try WordPieceTokenizer(
            folder: encoderFolder, family: configuration.family, pipeline: pipeline,
            positions: configuration.maximumTokens)
        guard Int(tokenizer.largestID) < configuration.vocabularySize else {
            throw .vocabularyTooLarge(
                path: WordPieceTokenizer.path(in: encoderFolder), largestID: Int(tokenizer.largestID),
                rows: configuration.vocabularySize)
        }
        encoder = try TransformerEncoder(
            folder: encoderFolder, configuration: configuration, precision: options.precision, adapter: parts.adapter())
        weightFiles = parts.weightFiles(encoderFolder: encoderFolder)
        modelID = folder.lastPathComponent
        baseID = parts.adapterFolder == nil ? nil : parts.folder.lastPathComponent
        pooling = options.pooling ?? pipeline.pooling
        queryPrefix = pipeline.queryPrefix
        documentPrefix = pipeline.documentPrefix
        batchTokens = options.batchTokens
        cache = EmbeddingCache(capacity: options.cacheEntries)
    }

    /// Numbers of a vector.
    package var dimension: Int { encoder.dimension }
    /// Tokens of a text that are read, special tokens included; the rest is cut off.
    package var maximumTokens: Int { tokenizer.maximumTokens }
    package var statistics: EmbeddingStatistics { cache.statistics }

    /// The token ids that the model sees of `text`, special tokens included.
    package func tokenIDs(of text: String) -> [Int32] { tokenizer.tokenIDs(of: text) }

    /// SHA-256 of the weights, which names the model beyond doubt; with an adapter, of the sums of both. Computed at the
    /// first call.
    ///
    /// - Throws: `EmbedderError.fileMissing` or `.fileUnreadable`.
    package func weightsSHA256() throws(EmbedderError) -> String {
        if let known = knownSHA256.withLock({ $0 }) { return known }
        let hash = try ModelParts.sha256(of: weightFiles)
        knownSHA256.withLock { $0 = hash }
        return hash
    }

    /// The space of this model's vectors: two views for 384 dimensions, one for 768.
    ///
    /// - Parameters:
    ///   - weights: of the views, in order; equal if not given.
    ///   - composition: a name for how several texts make one vector.
    /// - Throws: `EmbedderError.unsupportedDimension`, `.invalidViews`, or what reading the weights throws.
    package func space(weights: [Double]? = nil, composition: String = "") throws(EmbedderError) -> EmbeddingSpace {
        try EmbeddingSpace(
            modelID: modelID, weightsSHA256: weightsSHA256(), pooling: pooling.rawValue, queryPrefix: queryPrefix,
            documentPrefix: documentPrefix, dimension: dimension, weights: weights, composition: composition,
            precision: encoder.precision)
    }

    /// The unit vector of `text`.
    ///
    /// - Throws: `EmbedderError.notFinite` if the weights are damaged.
    package func embedding(of text: String) throws(EmbedderError) -> [Float] {
        try embed([text])[0]
    }

    /// The unit vector of each text, in order.
    ///
    /// Texts that the cache does not know are computed in batches of texts of similar length.
    ///
    /// - Parameter isCached: false for texts that nobody asks for twice, such as a catalogue's: they would push out
    ///   those that people do ask.
    /// - Throws: `EmbedderError.notFinite` if the weights are damaged.
    package func embed(_ texts: [String], isCached: Bool = true) throws(EmbedderError) -> [[Float]] {
        try embed(tokenIDs: texts.map(tokenizer.tokenIDs), isCached: isCached)
    }

    /// The unit vectors of the texts if the cache has all of them; nil otherwise, and nothing is computed.
    ///
    /// - Complexity: tokenising the texts.
    package func cachedEmbeddings(of texts: [String]) -> [[Float]]? {
        let vectors = cache.vectors(of: texts.map(tokenizer.tokenIDs)).compactMap { $0 }
        guard vectors.count == texts.count else { return nil }
        cache.count(hits: texts.count, misses: 0, tokens: 0)
        return vectors
    }

    /// The unit vector of each list of token ids, in order.
    ///
    /// - Throws: `EmbedderError.noTokens`, `.invalidTokenID` or `.tooManyTokens`; `.notFinite` as above.
    package func embed(tokenIDs: [[Int32]], isCached: Bool = true) throws(EmbedderError) -> [[Float]] {
        var vectors = isCached ? cache.vectors(of: tokenIDs) : Array(repeating: nil, count: tokenIDs.count)
        // Each different list once, with every place that wants it.
        var places: [[Int32]: [Int]] = [:]
        var missing: [[Int32]] = []
        for index in tokenIDs.indices where vectors[index] == nil {
            if places[tokenIDs[index], default: []].isEmpty { missing.append(tokenIDs[index]) }
            places[tokenIDs[index], default: []].append(index)
        }
        for batch in TokenBatches(missing, budget: batchTokens) {
            let computed = try encoder.encode(batch, pooling: pooling)
            if isCached { cache.insert(zip(batch, computed).map { ($0, $1) }) }
            for (key, vector) in zip(batch, computed) {
                for place in places[key] ?? [] { vectors[place] = vector }
            }
        }
        cache.count(
            hits: tokenIDs.count - missing.count, misses: missing.count,
            tokens: missing.reduce(0) { $0 + $1.count })
        return vectors.map { $0 ?? [] }
    }
}
