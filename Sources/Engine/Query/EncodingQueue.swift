internal import Dispatch
internal import Embedder
internal import Synchronization
internal import VectorMath

/// Runs a vectorizer on threads of its own, so that the cooperative pool stays free for requests.
///
/// A vectorizer with a queue decides itself what is computed when. Of another one runs what people wait for on one
/// thread, one call at a time; a catalogue's texts on others, in small portions.
package final class EncodingQueue: Sendable {
    package let vectorizer: any TextVectorizer
    private let queued: (any QueuedVectorizer)?
    private let queries = DispatchQueue(label: "pathlight.encoding", qos: .userInitiated)
    private let documents = DispatchQueue(label: "pathlight.encoding.documents", qos: .utility, attributes: .concurrent)

    package init(_ vectorizer: any TextVectorizer) {
        self.vectorizer = vectorizer
        queued = vectorizer as? any QueuedVectorizer
    }

    package var space: TextSpace { vectorizer.space }

    /// The vectors of texts that somebody waits for.
    package func vectors(of texts: [String], role: TextRole) async throws -> [[Float]] {
        if texts.isEmpty { return [] }
        if let queued { return try await queued.vectors(of: texts, role: role, isAwaited: true) }
        if let known = vectorizer.cachedVectors(of: texts, role: role) { return known }
        return try await compute(texts, role, on: queries)
    }

    /// The vectors of a catalogue's texts, by text; queries overtake them.
    ///
    /// - Parameter lanes: texts that are embedded side by side, each on one core; nil for as many as there are cores.
    package func documentVectors(of texts: Set<String>, lanes: Int? = nil) async throws -> [String: [Float]] {
        let portions = Portions(texts)
        guard portions.count > 0 else { return [:] }
        let count = min(max(lanes ?? WorkerThreads.processorCount, 1), portions.count)
        // A queue says itself which of its batches keep to one core.
        if queued != nil { return try await embedAll(of: portions, lanes: count) }
        return try await EncoderThreads.sideBySide { try await embedAll(of: portions, lanes: count) }
    }

    private func embedAll(of portions: Portions, lanes: Int) async throws -> [String: [Float]] {
        try await withThrowingTaskGroup(of: [String: [Float]].self) { group in
            for _ in 0..<lanes { group.addTask { try await self.embedAll(of: portions) } }
            var all: [String: [Float]] = [:]
            for try await found in group { all.merge(found) { first, _ in first } }
            return all
        }
    }

    /// One lane: takes portions until there are none left.
    private func embedAll(of portions: Portions) async throws -> [String: [Float]] {
        var found: [String: [Float]] = [:]
        while let portion = portions.next() {
            try Task.checkCancellation()
            let vectors =
                if let queued {
                    try await queued.vectors(of: portion, role: .document, isAwaited: false)
                } else {
                    try await compute(portion, .document, on: documents)
                }
            for (text, vector) in zip(portion, vectors) { found[text] = vector }
        }
        return found
    }

    private func compute(_ texts: [String], _ role: TextRole, on queue: DispatchQueue) async throws -> [[Float]] {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [vectorizer] in
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
    private static let portionBytes = 10_000

    /// By length, so that the texts of a portion cost about the same, and in a fixed order; the long ones first, so
    /// that the lanes end at about the same time.
    init(_ texts: Set<String>) {
        var portions: [[String]] = []
        var bytes = Int.max / 2
        for text in texts.sorted(by: { ($0.utf8.count, $0) < ($1.utf8.count, $1) }) {
            if bytes + text.utf8.count > Self.portionBytes {
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
