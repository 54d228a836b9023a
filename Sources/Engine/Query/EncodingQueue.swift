internal import Dispatch

/// Runs a vectorizer on a thread of its own, one call at a time: the encoder's matrix products use every core
/// already, and the cooperative pool stays free for requests.
package final class EncodingQueue: Sendable {
    package let vectorizer: any TextVectorizer
    private let queue = DispatchQueue(label: "pathlight.encoding", qos: .userInitiated)

    package init(_ vectorizer: any TextVectorizer) { self.vectorizer = vectorizer }

    package var space: TextSpace { vectorizer.space }

    package func vectors(of texts: [String], role: TextRole) async throws -> [[Float]] {
        if texts.isEmpty { return [] }
        if let known = vectorizer.cachedVectors(of: texts, role: role) { return known }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { [vectorizer] in
                continuation.resume(with: Result { try vectorizer.vectors(of: texts, role: role) })
            }
        }
    }
}
