/// Why the queue takes no more texts.
package enum EmbeddingQueueError: Error, Equatable, CustomStringConvertible {
    /// There is no room now.
    case full(retryAfterSeconds: Int)
    /// There is no room even when nothing waits.
    case neverFits(texts: Int, tokens: Int, limits: EmbeddingQueue.Limits)

    package var description: String {
        switch self {
        case .full(let seconds):
            "as many texts wait to be embedded as may; try again in \(seconds) s"
        case .neverFits(let texts, let tokens, let limits):
            "\(texts) texts with \(tokens) tokens are more than the \(limits.texts) texts and \(limits.tokens) tokens "
                + "that may wait at a time; send them in parts"
        }
    }
}
