// What waits for the encoder and what it computes, as a value: events go in, batches and answers come out, and the
// queue that owns it carries them out.

/// The order in which texts are computed, and who is answered with them.
///
/// A *request* is one caller's list of texts. Its texts enter as *entries*, one for each different list of token ids:
/// who asks for what already waits or is being computed joins that entry. Entries leave in rounds of a bounded number
/// of tokens, cut into a batch for each core.
struct EmbeddingQueueState {
    typealias Urgency = EmbeddingQueue.Urgency
    typealias Instant = ContinuousClock.Instant

    /// Texts that are computed together.
    struct Batch: Sendable {
        let id: UInt64
        /// By length, the longest first.
        let texts: [[Int32]]
        let tokens: Int
        let urgency: Urgency
        /// Whether other batches are being computed, so that this one keeps to one core.
        fileprivate(set) var isSideBySide: Bool
        /// How long each text waited.
        let waited: [Duration]
        fileprivate let entries: [Int]
    }

    /// What a request is answered with.
    typealias Answer = (request: UInt64, result: Result<[[Float]], any Error>)

    struct Entry {
        enum Stage { case waiting, chosen, computed }

        let key: [Int32]
        let urgency: Urgency
        let entered: Instant
        /// Waiting, chosen for a round but still waiting, or being computed.
        var stage = Stage.waiting
        /// Requests that want it, with the places in their lists.
        var waiters: [(request: UInt64, places: [Int])]
    }

    struct Request {
        /// Its entries in its own order, its own and those that it joined.
        let entries: [Int]
        /// Entries before this one do not wait to be chosen any more.
        var next = 0
        var missing: Int
        /// Tokens that it was served with, for turns.
        var served = 0
        var vectors: [[Float]]
    }

    /// A re-embedding gets a batch after this time although people wait.
    static let backgroundPatience = Duration.seconds(1)
    /// What `Retry-After` may say, in seconds.
    static let retryRange = 1...120

    let limits: EmbeddingQueue.Limits
    /// Batches of one urgency that are computed at a time.
    let lanes: Int

    var entries: [Int: Entry] = [:]
    var requests: [UInt64: Request] = [:]
    /// Requests that may have something to bring, in the order of their coming.
    var lines: [Urgency: [UInt64]] = [.awaited: [], .background: []]
    /// Batches that were made and wait for a core.
    private var prepared: [Urgency: [[Int]]] = [.awaited: [], .background: []]
    private var known: [Urgency: [[Int32]: Int]] = [.awaited: [:], .background: [:]]
    private var nextEntry = 0
    private var inFlight: [UInt64: Batch] = [:]
    private var nextBatch: UInt64 = 0
    private var lastBackground: Instant?
    private var rate = WorkRate()
    private(set) var statistics = EmbeddingQueueStatistics()

    init(limits: EmbeddingQueue.Limits, lanes: Int) {
        precondition(lanes > 0, "a queue needs a core")
        self.limits = limits
        self.lanes = lanes
    }

    /// Whether nothing waits and nothing is computed.
    var isIdle: Bool {
        entries.isEmpty && requests.isEmpty && inFlight.isEmpty && known.values.allSatisfy(\.isEmpty)
    }

    /// Whether batches are being computed.
    var isComputing: Bool { !inFlight.isEmpty }

    /// Whether some text of a request is not being computed yet.
    func isWaiting(_ request: UInt64) -> Bool {
        requests[request]?.entries.contains { number in
            entries[number].map { $0.stage != .computed } ?? false
        } ?? false
    }

    // MARK: Entering

    /// Takes a request in, as a whole or not at all.
    ///
    /// - Parameters:
    ///   - texts: what is to be computed, at least one text.
    ///   - id: of nobody else.
    /// - Throws: `EmbeddingQueueError` where there is no room. A re-embedding is not refused: it brings no more than it
    ///   has lanes.
    mutating func enter(
        _ texts: [[Int32]], as id: UInt64, urgency: Urgency, now: Instant
    ) throws(EmbeddingQueueError) {
        precondition(!texts.isEmpty && requests[id] == nil, "a request comes once and wants something")
        var places: [[Int32]: [Int]] = [:]
        var keys: [[Int32]] = []
        for (place, text) in texts.enumerated() {
            if places[text] == nil { keys.append(text) }
            places[text, default: []].append(place)
        }
        let fresh = keys.filter { known[urgency]?[$0] == nil }
        if urgency == .awaited { try makeSure(of: fresh) }
        statistics.joined += texts.count - fresh.count
        let own = keys.map { key in
            let waiter = (request: id, places: places[key] ?? [])
            if let number = known[urgency]?[key] {
                entries[number]?.waiters.append(waiter)
                return number
            }
            defer { nextEntry += 1 }
            entries[nextEntry] = Entry(key: key, urgency: urgency, entered: now, waiters: [waiter])
            known[urgency]?[key] = nextEntry
            count(key, by: 1, urgency)
            return nextEntry
        }
        requests[id] = Request(
            entries: own, missing: own.count, vectors: Array(repeating: [], count: texts.count))
        lines[urgency]?.append(id)
    }

    /// Makes sure that there is room; what joins an entry needs none.
    private mutating func makeSure(of fresh: [[Int32]]) throws(EmbeddingQueueError) {
        guard !fresh.isEmpty else { return }
        let tokens = fresh.reduce(0) { $0 + $1.count }
        guard tokens <= limits.tokens, fresh.count <= limits.texts else {
            throw .neverFits(texts: fresh.count, tokens: tokens, limits: limits)
        }
        guard
            statistics.waitingTokens + tokens <= limits.tokens, statistics.waitingTexts + fresh.count <= limits.texts
        else {
            statistics.rejected += 1
            throw .full(retryAfterSeconds: retryAfterSeconds)
        }
    }

    /// Seconds until all that waits and is being computed now will be done, at the rate of late.
    private var retryAfterSeconds: Int {
        let tokens = inFlight.values.reduce(statistics.waitingTokens) { $0 + $1.tokens }
        let seconds = (Double(tokens) / rate.tokensPerSecond).rounded(.up)
        return Int(min(max(seconds, Double(Self.retryRange.lowerBound)), Double(Self.retryRange.upperBound)))
    }

    private mutating func count(_ key: [Int32], by sign: Int, _ urgency: Urgency) {
        guard urgency == .awaited else { return }
        statistics.waitingTexts += sign
        statistics.waitingTokens += sign * key.count
    }

    // MARK: Leaving before the end

    /// The caller does not want an answer any more, or has gone.
    ///
    /// What waits for it alone leaves the queue. Where all that it wants is being computed already it is answered: that
    /// is soon, and half of a connection may have been closed by somebody who still reads.
    ///
    /// - Returns: the answer, if there is one now.
    mutating func abandon(_ id: UInt64) -> Answer? {
        isWaiting(id) ? remove(id, with: CancellationError()) : nil
    }

    private mutating func remove(_ id: UInt64, with error: any Error) -> Answer? {
        guard let request = requests.removeValue(forKey: id) else { return nil }
        for number in request.entries {
            entries[number]?.waiters.removeAll { $0.request == id }
            guard let entry = entries[number], entry.waiters.isEmpty, entry.stage != .computed else { continue }
            forget(number)
            statistics.dropped += 1
        }
        return (id, .failure(error))
    }

    private mutating func forget(_ number: Int) {
        guard let entry = entries.removeValue(forKey: number) else { return }
        known[entry.urgency]?[entry.key] = nil
        if entry.stage != .computed { count(entry.key, by: -1, entry.urgency) }
    }

    // MARK: Being computed

    /// The batches that are to be computed from now on.
    mutating func start(now: Instant) -> [Batch] {
        var started: [Batch] = []
        while active(.awaited) < lanes, let batch = next(.awaited, now) { started.append(batch) }
        while isTimeForBackground(now), let batch = next(.background, now) { started.append(batch) }
        // Threads are taken once for a batch: of several, none may take all cores.
        if started.count > 1 { for index in started.indices { started[index].isSideBySide = true } }
        return started
    }

    private func active(_ urgency: Urgency) -> Int {
        inFlight.values.reduce(0) { $0 + ($1.urgency == urgency ? 1 : 0) }
    }

    private mutating func next(_ urgency: Urgency, _ now: Instant) -> Batch? {
        while true {
            if prepared[urgency]?.isEmpty != false {
                prepared[urgency] = urgency == .awaited ? round() : backgroundRound()
            }
            guard let numbers = prepared[urgency]?.first else { return nil }
            prepared[urgency]?.removeFirst()
            // Somebody may have gone since the round was made.
            let live = numbers.filter { entries[$0]?.stage == .chosen }
            if !live.isEmpty { return begin(live, urgency, now) }
        }
    }

    /// People go first: a re-embedding takes cores that nobody wants, and otherwise a batch now and then.
    private mutating func isTimeForBackground(_ now: Instant) -> Bool {
        let running = active(.background)
        guard running < lanes else { return false }
        if statistics.waitingTexts == 0 { return running + active(.awaited) < lanes }
        guard running == 0, let entered = known[.background]?.values.compactMap({ entries[$0]?.entered }).min() else {
            return false
        }
        return now - max(entered, lastBackground ?? entered) >= Self.backgroundPatience
    }

    private mutating func begin(_ numbers: [Int], _ urgency: Urgency, _ now: Instant) -> Batch {
        var texts: [[Int32]] = []
        var waited: [Duration] = []
        for number in numbers {
            guard let entry = entries[number] else { continue }
            entries[number]?.stage = .computed
            count(entry.key, by: -1, urgency)
            texts.append(entry.key)
            waited.append(now - entry.entered)
        }
        let batch = Batch(
            id: nextBatch, texts: texts, tokens: texts.reduce(0) { $0 + $1.count }, urgency: urgency,
            isSideBySide: !inFlight.isEmpty || urgency == .background, waited: waited, entries: numbers)
        nextBatch += 1
        if inFlight.isEmpty { rate.begin(now) }
        inFlight[batch.id] = batch
        statistics.batches += 1
        statistics.batchedTexts += texts.count
        return batch
    }

    /// Takes in what a batch gave.
    ///
    /// A batch of several that fails is computed again text by text, so that an error reaches those alone whose text
    /// it is.
    ///
    /// - Returns: the requests that are answered by it.
    mutating func finish(_ batch: Batch, _ result: Result<[[Float]], any Error>, now: Instant) -> [Answer] {
        guard inFlight.removeValue(forKey: batch.id) != nil else { return [] }
        if batch.urgency == .background { lastBackground = now }
        rate.end(tokens: batch.tokens, now)
        switch result {
        case .success(let vectors):
            precondition(vectors.count == batch.entries.count, "the encoder gives a vector for each text")
            return zip(batch.entries, vectors).flatMap { answer($0, with: $1) }
        case .failure(let error):
            guard batch.entries.count == 1 else {
                retryOneByOne(batch)
                return []
            }
            let waiters = entries[batch.entries[0]]?.waiters ?? []
            forget(batch.entries[0])
            return waiters.compactMap { remove($0.request, with: error) }
        }
    }

    private mutating func retryOneByOne(_ batch: Batch) {
        var again: [[Int]] = []
        for number in batch.entries {
            guard let entry = entries[number] else { continue }
            entries[number]?.stage = .chosen
            count(entry.key, by: 1, batch.urgency)
            if entry.waiters.isEmpty { forget(number) } else { again.append([number]) }
        }
        prepared[batch.urgency]?.insert(contentsOf: again, at: 0)
    }

    private mutating func answer(_ number: Int, with vector: [Float]) -> [Answer] {
        let waiters = entries[number]?.waiters ?? []
        forget(number)
        return waiters.compactMap { id, places in
            for place in places { requests[id]?.vectors[place] = vector }
            requests[id]?.missing -= 1
            guard let request = requests[id], request.missing == 0 else { return nil }
            requests[id] = nil
            return (id, .success(request.vectors))
        }
    }
}
