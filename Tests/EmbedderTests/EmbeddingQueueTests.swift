import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import Embedder

/// A stand-in for the encoder that holds its first call until it is told to go on.
private final class HeldEncoder: Sendable {
    private let gate = DispatchSemaphore(value: 0)
    private let entered = DispatchSemaphore(value: 0)
    private let calls = Mutex<[[[Int32]]]>([])

    var texts: [[Int32]] { calls.withLock { $0.flatMap { $0 } } }

    func compute(_ texts: [[Int32]], _: EmbeddingQueue.Urgency) -> [[Float]] {
        let isFirst = calls.withLock { calls in
            calls.append(texts)
            return calls.count == 1
        }
        if isFirst {
            entered.signal()
            gate.wait()
        }
        return texts.map(Self.vector)
    }

    static func vector(of text: [Int32]) -> [Float] { text.map(Float.init) }

    /// Returns once the first call is under way.
    func waitForFirst() async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                self.entered.wait()
                continuation.resume()
            }
        }
    }

    func goOn() { gate.signal() }
}

// A test waits for the others' threads as well.
@Suite(.timeLimit(.minutes(15)))
struct EmbeddingQueueTests {
    private func queue(_ encoder: HeldEncoder, _ limits: EmbeddingQueue.Limits = .init()) -> EmbeddingQueue {
        EmbeddingQueue(limits: limits, lanes: 1) { encoder.compute($0, $1) }
    }

    /// Waits until so many texts wait in the queue; every task that has entered has said so by then.
    private func until(_ queue: EmbeddingQueue, _ condition: (EmbeddingQueueStatistics) -> Bool) async {
        while !condition(queue.statistics) { await Task.yield() }
    }

    @Test func `computes a text once, however many wait for it`() async throws {
        let encoder = HeldEncoder()
        let queue = queue(encoder)
        let first = Task { try await queue.computed([[1]], urgency: .awaited) }
        await encoder.waitForFirst()
        let others = (0..<10).map { _ in Task { try await queue.computed([[2, 3], [1], [2, 3]], urgency: .awaited) } }
        await until(queue) { $0.joined == 29 }
        encoder.goOn()
        #expect(try await first.value == [[1]])
        for other in others { #expect(try await other.value == [[2, 3], [1], [2, 3]]) }
        #expect(encoder.texts == [[1], [2, 3]])
        #expect(queue.isIdle)
    }

    @Test func `drops what waits for a cancelled task alone, and answers what is being computed`() async throws {
        let encoder = HeldEncoder()
        let queue = queue(encoder)
        let first = Task { try await queue.computed([[1]], urgency: .awaited) }
        await encoder.waitForFirst()
        let cancelled = Task { try await queue.computed([[2], [3]], urgency: .awaited) }
        await until(queue) { $0.waitingTexts == 2 }
        let patient = Task { try await queue.computed([[3]], urgency: .awaited) }
        await until(queue) { $0.joined == 1 }
        cancelled.cancel()
        first.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        #expect(queue.statistics.dropped == 1 && queue.statistics.waitingTexts == 1)
        encoder.goOn()
        #expect(try await first.value == [[1]])
        #expect(try await patient.value == [[3]])
        #expect(encoder.texts == [[1], [3]])
        #expect(queue.isIdle)
    }

    @Test func `drops what waits for a client that has gone`() async throws {
        let encoder = HeldEncoder()
        let queue = queue(encoder)
        let actions = Mutex<[@Sendable () -> Void]>([])
        let requester = Requester { action in actions.withLock { $0.append(action) } }
        let first = Task {
            try await Requester.$current.withValue(requester) { try await queue.computed([[1]], urgency: .awaited) }
        }
        await encoder.waitForFirst()
        #expect(actions.withLock { $0.isEmpty }, "what need not wait is not watched")
        let gone = Task {
            try await Requester.$current.withValue(requester) { try await queue.computed([[2]], urgency: .awaited) }
        }
        while actions.withLock({ $0.isEmpty }) { await Task.yield() }
        for action in actions.withLock({ $0 }) { action() }
        await #expect(throws: CancellationError.self) { try await gone.value }
        encoder.goOn()
        #expect(try await first.value == [[1]])
        #expect(encoder.texts == [[1]])
    }

    @Test func `answers as ever after it was full`() async throws {
        let encoder = HeldEncoder()
        let queue = queue(encoder, .init(tokens: 10, texts: 5))
        let first = Task { try await queue.computed([[1]], urgency: .awaited) }
        await encoder.waitForFirst()
        let waiting = Task { try await queue.computed([[2], [3], [4], [5], [6]], urgency: .awaited) }
        await until(queue) { $0.waitingTexts == 5 }
        await #expect(throws: EmbeddingQueueError.full(retryAfterSeconds: 1)) {
            try await queue.computed([[7]], urgency: .awaited)
        }
        await #expect(throws: EmbeddingQueueError.full(retryAfterSeconds: 1)) {
            try await queue.computed([[8], [9]], urgency: .awaited)
        }
        encoder.goOn()
        _ = try await (first.value, waiting.value)
        #expect(try await queue.computed([[8], [9]], urgency: .awaited) == [[8], [9]])
        #expect(queue.statistics.rejected == 2 && queue.isIdle)
    }

    @Test(arguments: 0..<8)
    func `gives everybody their own under random load and cancellations`(round: Int) async throws {
        var random = SeededGenerator(seed: UInt64(77 + round))
        let queue = EmbeddingQueue(
            limits: .init(tokens: 2_000, texts: 300, batchTokens: Int.random(in: 1...200, using: &random)),
            lanes: Int.random(in: 1...3, using: &random)
        ) { texts, _ in texts.map(HeldEncoder.vector) }
        let wanted = (0..<300).map { _ in
            (0..<Int.random(in: 1...6, using: &random)).map { _ in
                (0..<Int.random(in: 1...12, using: &random)).map { _ in Int32.random(in: 0..<3, using: &random) }
            }
        }
        let cancelled = Set((0..<300).filter { _ in Int.random(in: 0..<5, using: &random) == 0 })
        await withTaskGroup(of: Void.self) { group in
            for (number, texts) in wanted.enumerated() {
                group.addTask { [random] in
                    let task = Task {
                        try await queue.computed(texts, urgency: number % 7 == 0 ? .background : .awaited)
                    }
                    if cancelled.contains(number) { task.cancel() }
                    switch await task.result {
                    case .success(let vectors): #expect(vectors == texts.map(HeldEncoder.vector), "\(random)")
                    case .failure(let error):
                        #expect(error is EmbeddingQueueError || cancelled.contains(number), "\(error); \(random)")
                    }
                }
            }
        }
        #expect(queue.isIdle, "\(random)")
    }

    @Test func `gives the vectors that the model gives alone, and asks the cache first`() async throws {
        let folder = try TinyModel().write()
        let alone = try folder.use { try TextEmbedder(folder: $0, options: .init(cacheEntries: 0)) }
        let embedder = try folder.use { try TextEmbedder(folder: $0) }
        let queue = EmbeddingQueue(embedder, limits: .init(batchTokens: 9))
        let texts = ["unwanted running", "a", "", "low, lowest!", "a b b a", "unwanted running", "A"]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for shift in 0..<20 {
                group.addTask {
                    let mine = texts.indices.map { texts[($0 + shift) % texts.count] }
                    let vectors = try await embedder.embed(tokenIDs: mine.map { embedder.tokenIDs(of: $0) }, in: queue)
                    for (text, vector) in zip(mine, vectors) {
                        let expected = try alone.embedding(of: text)
                        #expect(zip(expected, vector).map { abs($0 - $1) }.max() ?? 1 <= 1e-5)
                    }
                }
            }
            try await group.waitForAll()
        }
        let batches = queue.statistics.batches
        _ = try await embedder.embed(tokenIDs: texts.map { embedder.tokenIDs(of: $0) }, in: queue)
        #expect(queue.statistics.batches == batches)
        await #expect(throws: EmbedderError.noTokens) { try await embedder.embed(tokenIDs: [[], [1]], in: queue) }
        await #expect(throws: EmbedderError.self) { try await embedder.embed(tokenIDs: [[-1]], in: queue) }
        #expect(queue.statistics.batches == batches)
    }
}
