internal import Dispatch
internal import Embedder
internal import Synchronization
internal import VectorMath

/// Runs a vectorizer on threads of its own, so that the cooperative pool stays free for requests.
///
/// A vectorizer with a queue decides itself what is computed when. Of another one runs what people wait for on one
/// thread, one call at a time; a catalogue's texts on others, in small portions. What a provider outside embeds takes no
/// thread at all.
package final class EncodingQueue: Sendable {
    package let space: TextSpace
    /// Nil where a model outside embeds.
    private let vectorizer: (any TextVectorizer)?
    private let queued: (any QueuedVectorizer)?
    /// Nil where texts are not read by a knowledge base.
    private let grounded: GroundedVectorizer?
    /// Nil where a model in this process embeds.
    package let remote: RemoteVectorizer?
    private let queries = DispatchQueue(label: "pathlight.encoding", qos: .userInitiated)
    private let documents = DispatchQueue(label: "pathlight.encoding.documents", qos: .utility, attributes: .concurrent)

    package init(_ vectorizer: any TextVectorizer) {
        space = vectorizer.space
        self.vectorizer = vectorizer
        queued = vectorizer as? any QueuedVectorizer
        grounded = vectorizer as? GroundedVectorizer
        remote = nil
    }

    package init(_ remote: RemoteVectorizer) {
        space = remote.space
        vectorizer = nil
        queued = nil
        grounded = nil
        self.remote = remote
    }

    /// Whether texts are read by a knowledge base too.
    package var isGrounded: Bool { grounded != nil }

    /// The occupations that texts read like together, the greatest share first; none where texts are not read so.
    ///
    /// - Parameter texts: with their weights and vectors, as this queue gave them.
    func readsLike(_ texts: [(weight: Float, vector: [Float])], count: Int) -> [ReadsLike] {
        grounded?.readsLike(texts, count: count) ?? []
    }

    /// The vectors of texts that somebody waits for.
    package func vectors(of texts: [String], role: TextRole) async throws -> [[Float]] {
        if texts.isEmpty { return [] }
        if let queued { return try await queued.vectors(of: texts, role: role, isAwaited: true) }
        if let remote { return try await remote.vectors(of: texts, role: role) }
        if let known = vectorizer?.cachedVectors(of: texts, role: role) { return known }
        return try await compute(texts, role, on: queries)
    }

    /// Those vectors of texts that somebody waits for that are had: a provider outside may refuse some, or be late.
    func reading(of texts: [String], role: TextRole) async throws -> TextReading {
        if let remote, !texts.isEmpty { return try await remote.reading(of: texts, role: role) }
        return TextReading(vectors: try await vectors(of: texts, role: role))
    }

    /// The vectors of texts that are the product's own: a provider outside is waited for, and may refuse some.
    func ownReading(of texts: [String], role: TextRole) async throws -> TextReading {
        if let remote { return try await remote.patientReading(of: texts, role: role) }
        return TextReading(vectors: try await vectors(of: texts, role: role))
    }

    /// Why a provider outside has refused one of a catalogue's texts, and is not asked for it again; nil where it has not.
    func refusal(of texts: [String]) -> VectorsUnavailable? { remote?.refusal(of: texts, role: .document) }

    /// The vectors of a catalogue's texts, by text; queries overtake them.
    ///
    /// - Parameter lanes: as for `documentReading`.
    /// - Throws: `VectorsUnavailable` where a provider outside does not give all.
    package func documentVectors(of texts: Set<String>, lanes: Int? = nil) async throws -> [String: [Float]] {
        let reading = try await documentReading(of: texts, lanes: lanes)
        if let failure = reading.failure { throw failure }
        return reading.vectors
    }

    /// Those vectors of a catalogue's texts that are had, by text; queries overtake them.
    ///
    /// - Parameter lanes: texts that are embedded side by side, each on one core; nil for as many as there are cores. Of a
    ///   provider outside, calls side by side.
    func documentReading(of texts: Set<String>, lanes: Int? = nil) async throws -> DocumentReading {
        let portions = remote == nil ? Portions(texts) : Portions(texts, limits: RemoteVectorizer.portion)
        guard portions.count > 0 else { return DocumentReading() }
        let most = remote == nil ? WorkerThreads.processorCount : RemoteVectorizer.lanes
        let count = min(max(lanes ?? most, 1), portions.count)
        // A queue says itself which of its batches keep to one core, and a provider outside takes none.
        if queued != nil || remote != nil { return try await embedAll(of: portions, lanes: count) }
        return try await EncoderThreads.sideBySide { try await embedAll(of: portions, lanes: count) }
    }

    private func embedAll(of portions: Portions, lanes: Int) async throws -> DocumentReading {
        try await withThrowingTaskGroup(of: DocumentReading.self) { group in
            for _ in 0..<lanes { group.addTask { try await self.embedAll(of: portions) } }
            var all = DocumentReading()
            for try await found in group { all.add(found) }
            return all
        }
    }

    /// One lane: takes portions until there are none left, or it is of no use.
    private func embedAll(of portions: Portions) async throws -> DocumentReading {
        var found = DocumentReading()
        while !found.isOver, let portion = portions.next() {
            try Task.checkCancellation()
            let reading: TextReading
            if let queued {
                reading = TextReading(
                    vectors: try await queued.vectors(of: portion, role: .document, isAwaited: false))
            } else if let remote {
                reading = try await remote.patientReading(of: portion, role: .document)
            } else {
                reading = TextReading(vectors: try await compute(portion, .document, on: documents))
            }
            found.add(reading, of: portion)
        }
        return found
    }

    private func compute(_ texts: [String], _ role: TextRole, on queue: DispatchQueue) async throws -> [[Float]] {
        guard let vectorizer else { preconditionFailure("a provider outside computes nothing here") }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async {
                continuation.resume(with: Result { try vectorizer.vectors(of: texts, role: role) })
            }
        }
    }
}

/// Texts in portions that lanes take in turn.
private final class Portions: Sendable {
    private let portions: [[String]]
    private let position = Mutex(0)

    /// About 2,000 tokens: enough to keep the matrix products busy, a third of a second at most.
    private static let encoded = (texts: Int.max, bytes: 10_000)

    /// By length, so that the texts of a portion cost about the same, and in a fixed order; the long ones first, so
    /// that the lanes end at about the same time.
    init(_ texts: Set<String>, limits: (texts: Int, bytes: Int) = encoded) {
        var portions: [[String]] = []
        var bytes = Int.max / 2
        for text in texts.sorted(by: { ($0.utf8.count, $0) < ($1.utf8.count, $1) }) {
            if bytes + text.utf8.count > limits.bytes || portions[portions.count - 1].count >= limits.texts {
                portions.append([])
                bytes = 0
            }
            portions[portions.count - 1].append(text)
            bytes += text.utf8.count
        }
        self.portions = portions.reversed()
    }

    var count: Int { portions.count }

    func next() -> [String]? {
        position.withLock { position in
            guard position < portions.count else { return nil }
            defer { position += 1 }
            return portions[position]
        }
    }
}
