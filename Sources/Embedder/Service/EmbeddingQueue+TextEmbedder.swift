internal import VectorMath

extension EmbeddingQueue {
    /// On two cores some two milliseconds in 8 bits and seven and more in float32: less than the search of a million rows
    /// takes on the same thread.
    private static let tokensAtOnce = 64

    /// A queue in front of a model.
    package convenience init(
        _ embedder: TextEmbedder, limits: Limits = Limits(), observer: BatchObserver? = nil
    ) {
        self.init(limits: limits, tokensAtOnce: Self.tokensAtOnce, observer: observer) { texts, urgency in
            // A catalogue's texts would push out of the cache what people ask.
            try embedder.embed(tokenIDs: texts, isCached: urgency == .awaited)
        }
    }
}

extension TextEmbedder {
    /// The unit vector of each list of token ids, in order; only what the cache does not know enters the queue.
    ///
    /// - Throws: `EmbedderError.noTokens`, `.invalidTokenID` or `.tooManyTokens` before anything enters, and what the
    ///   queue throws.
    package func embed(
        tokenIDs: [[Int32]], in queue: EmbeddingQueue, urgency: EmbeddingQueue.Urgency = .awaited
    ) async throws -> [[Float]] {
        // A catalogue's texts are not kept, and looking them up would make them the newest.
        let known = urgency == .awaited ? cache.vectors(of: tokenIDs) : Array(repeating: nil, count: tokenIDs.count)
        let missing = tokenIDs.indices.filter { known[$0] == nil }
        for index in missing { try check(tokenIDs[index]) }
        if missing.count < tokenIDs.count { cache.count(hits: tokenIDs.count - missing.count, misses: 0, tokens: 0) }
        let computed = try await queue.computed(missing.map { tokenIDs[$0] }, urgency: urgency)
        var vectors = known.map { $0 ?? [] }
        for (index, vector) in zip(missing, computed) { vectors[index] = vector }
        return vectors
    }

    /// What the encoder checks as well; here, before others' texts share a batch with this one.
    private func check(_ sequence: [Int32]) throws(EmbedderError) {
        guard !sequence.isEmpty else { throw .noTokens }
        guard sequence.count <= encoder.maximumTokens else {
            throw .tooManyTokens(sequence.count, maximum: encoder.maximumTokens)
        }
        for id in sequence where id < 0 || Int(id) >= encoder.vocabularySize {
            throw .invalidTokenID(id, vocabulary: encoder.vocabularySize)
        }
    }
}
