/// Numbers of an embedding queue; but for the first two, since it was made.
package struct EmbeddingQueueStatistics: Equatable, Sendable {
    /// Texts that people wait for and that are not being computed yet.
    package var waitingTexts = 0
    /// Their tokens.
    package var waitingTokens = 0
    package var batches = 0
    package var batchedTexts = 0
    /// Requests that found no room.
    package var rejected = 0
    /// Texts that nobody wanted any more before they were computed.
    package var dropped = 0
    /// Texts that were asked for while they waited or were being computed already.
    package var joined = 0

    package static func + (one: Self, other: Self) -> Self {
        var sum = one
        sum.waitingTexts += other.waitingTexts
        sum.waitingTokens += other.waitingTokens
        sum.batches += other.batches
        sum.batchedTexts += other.batchedTexts
        sum.rejected += other.rejected
        sum.dropped += other.dropped
        sum.joined += other.joined
        return sum
    }
}
