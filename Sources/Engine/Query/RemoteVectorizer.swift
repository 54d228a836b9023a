package import Embedder
internal import Synchronization

/// Turns texts into vectors of one space by asking a provider outside: within a short time where somebody waits, with
/// patience where nobody does, and not at all where it has answered the same before.
///
/// A reference text goes along with every question, so that vectors of another model are neither compared nor kept.
package final class RemoteVectorizer: Sendable {
    /// How long is waited for whom.
    package struct Limits: Sendable, Equatable {
        /// For all texts of a request that somebody waits for.
        package var query = Duration.milliseconds(1_500)
        /// For one portion of a catalogue's texts.
        package var document = Duration.seconds(60)
        /// From the first attempt at such a portion to the last.
        package var patience = Duration.seconds(60)
        /// Between two looks whether the model is still the same.
        package var check = Duration.seconds(600)
        /// Texts whose vectors are kept.
        package var cacheEntries = 10_000

        package init() {}
    }

    /// The clock, so that tests give their own.
    package struct Time: Sendable {
        package var now: @Sendable () -> ContinuousClock.Instant
        /// Throws where the task is cancelled.
        package var pause: @Sendable (Duration) async throws -> Void

        package init(
            now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
            pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
        ) {
            self.now = now
            self.pause = pause
        }
    }

    /// Calls side by side, for one request or, where nobody says how many, for a catalogue: as many as may be at once,
    /// but one for others.
    static let lanes = 4
    /// Texts and bytes of one portion; what providers take at a time.
    static let portion = (texts: 100, bytes: 100_000)
    /// Calls for a portion of which a text is refused: one of a hundred is found in fourteen.
    private static let maximumAttempts = 32
    /// Between two looks at a provider that refuses texts: whoever sends what is refused is not to make it dear.
    private static let longestDoubt = Duration.seconds(30)

    package let space: TextSpace
    /// Nil where those of the space are lost: then nothing tells whether the model is still the same.
    let references: ReferenceVectors?
    private let source: any TextVectorSource
    private let limits: Limits
    private let time: Time
    private let cache: EmbeddingCache
    private let state = Mutex(State())

    private struct State {
        /// When all reference texts were last found to have the vectors that they had.
        var checked: ContinuousClock.Instant?
        /// That another model answers by now. Of its own: no other failure says that it has changed back.
        var change: VectorsUnavailable?
        /// Changes that were found: what was sent before the last one says nothing of the model since.
        var changes = 0
        /// What else failed last.
        var trouble: VectorsUnavailable?
        /// Texts were refused and none was read: only one of nobody's tells whether that is for what they say.
        var isDoubted = false
        /// Texts of the product's own that were refused for what they say: refused again they would only cost. They
        /// are few, and people send none of them.
        var refused: [[Int32]: VectorsUnavailable] = [:]
    }

    /// A text that is to be asked for, and its key in the cache.
    private struct Wanted: Sendable {
        let key: [Int32]
        let text: String
    }

    /// What became of some texts.
    private struct Answers: Sendable {
        var vectors: [[Int32]: [Float]] = [:]
        /// Why others have none. What fails for all says more than what fails for one.
        var failure: VectorsUnavailable?

        mutating func add(_ other: Answers) {
            vectors.merge(other.vectors) { first, _ in first }
            failure = VectorsUnavailable.graver(failure, other.failure)
        }
    }

    init(
        space: TextSpace, references: ReferenceVectors?, source: any TextVectorSource, limits: Limits, time: Time,
        isChecked: Bool
    ) {
        self.space = space
        self.references = references
        self.source = source
        self.limits = limits
        self.time = time
        cache = EmbeddingCache(capacity: limits.cacheEntries)
        if isChecked { state.withLock { $0.checked = time.now() } }
    }

    /// Why people's texts are not read at present; nil where they are, as far as is known.
    package var trouble: VectorsUnavailable? { state.withLock { $0.change ?? $0.trouble } }

    /// Why nothing tells whether the model is still the same; nil where something does.
    package var weakness: String? {
        guard references == nil else { return nil }
        let model = space.modelID
        return "the reference vectors of the space \(space.id) cannot be read, so that nothing tells whether \(model) "
            + "is still the same model; “pathlight reembed --model \(model)” makes its vectors anew"
    }

    /// Of texts that people sent.
    package var statistics: EmbeddingStatistics { cache.statistics }

    /// Whether it is time to look after the provider: it failed at last, or nobody knows whether its model is the same.
    package var wantsCheck: Bool {
        let (isTroubled, isDoubted) = state.withLock { ($0.change != nil || $0.trouble != nil, $0.isDoubted) }
        return isTroubled || isCheckDue || isDoubted && isUnchecked(for: Self.longestDoubt)
    }

    // MARK: Somebody waits

    /// The vectors of texts that somebody waits for, in their order.
    ///
    /// - Throws: `VectorsUnavailable` where one is not there within the limit for queries, `CancellationError`.
    package func vectors(of texts: [String], role: TextRole) async throws -> [[Float]] {
        try await reading(of: texts, role: role).whole()
    }

    /// Those vectors of texts that somebody waits for that are there within the limit for queries.
    ///
    /// - Throws: `CancellationError`.
    package func reading(of texts: [String], role: TextRole) async throws -> TextReading {
        let keys = texts.map { Self.key($0, role) }
        var vectors = cache.vectors(of: keys)
        var places: [[Int32]: [Int]] = [:]
        var missing: [Wanted] = []
        for (place, key) in keys.enumerated() where vectors[place] == nil {
            if places[key] == nil { missing.append(Wanted(key: key, text: texts[place])) }
            places[key, default: []].append(place)
        }
        var failure: VectorsUnavailable?
        if !missing.isEmpty {
            let answers = try await ask(missing, role)
            failure = answers.failure
            for (key, vector) in answers.vectors {
                for place in places[key] ?? [] { vectors[place] = vector }
            }
        }
        cache.count(hits: texts.count - missing.count, misses: missing.count, tokens: 0)
        return TextReading(vectors: vectors, failure: failure)
    }

    /// Asks for the reference texts alone: whether the provider answers, and with the same model.
    ///
    /// - Throws: `VectorsUnavailable`, `CancellationError`.
    package func check() async throws {
        do {
            _ = try await send([], .query, within: limits.query)
            remember(nil)
        } catch let error as VectorsUnavailable {
            remember(error)
            throw error
        }
    }

    /// Asks once for each text, in portions side by side, and remembers whether that went well.
    private func ask(_ wanted: [Wanted], _ role: TextRole) async throws -> Answers {
        // What a changed model is told is of no use; the watcher looks whether it has changed back.
        if let change = state.withLock({ $0.change }) { return Answers(failure: change) }
        let end = time.now() + limits.query
        let portions = Self.portions(of: wanted)
        let answers = try await withThrowingTaskGroup(of: Answers.self) { group in
            var all = Answers()
            var started = min(Self.lanes, portions.count)
            for portion in portions[..<started] {
                group.addTask { try await self.answers(to: portion, role, before: end) }
            }
            while let answers = try await group.next() {
                all.add(answers)
                // Where all are refused or late, so would the next be.
                guard started < portions.count, all.failure?.isAboutTexts ?? true else { continue }
                let portion = portions[started]
                started += 1
                group.addTask { try await self.answers(to: portion, role, before: end) }
            }
            return all
        }
        if let failure = answers.failure, failure.isAboutTexts {
            if answers.vectors.isEmpty { state.withLock { $0.isDoubted = true } } else { remember(nil) }
        } else {
            remember(answers.failure)
        }
        return answers
    }

    private func answers(
        to portion: ArraySlice<Wanted>, _ role: TextRole, before end: ContinuousClock.Instant
    ) async throws -> Answers {
        var attempts = Self.maximumAttempts
        return try await answers(to: portion, role, before: end, attempts: &attempts)
    }

    /// Asks for a portion; of one that is refused for a text of it, for each half. What comes is kept at once, so that it
    /// is paid for once, whatever becomes of the rest.
    private func answers(
        to portion: ArraySlice<Wanted>, _ role: TextRole, before end: ContinuousClock.Instant, attempts: inout Int
    ) async throws -> Answers {
        attempts -= 1
        do {
            let left = end - time.now()
            guard left > .zero else {
                throw VectorsUnavailable(
                    reason: "timed_out", description: "\(space.modelID) did not answer in time", isTransient: true)
            }
            let made = zip(portion, try await send(portion.map(\.text), role, within: left))
            cache.insert(made.map { ($0.key, $1) })
            return Answers(vectors: Dictionary(made.map { ($0.key, $1) }) { first, _ in first })
        } catch let error as VectorsUnavailable {
            guard error.isAboutTexts, portion.count > 1, attempts > 0 else { return Answers(failure: error) }
            let middle = portion.startIndex + portion.count / 2
            var all = try await answers(to: portion[..<middle], role, before: end, attempts: &attempts)
            let goesOn = (all.failure?.isAboutTexts ?? true) && attempts > 0
            if goesOn { all.add(try await answers(to: portion[middle...], role, before: end, attempts: &attempts)) }
            // What a text took of the others' time is no fault of the provider.
            if !goesOn || all.failure != nil { all.failure = error }
            return all
        }
    }

    /// As many texts and bytes as providers take, the reference texts included.
    private static func portions(of wanted: [Wanted]) -> [ArraySlice<Wanted>] {
        let most = portion.texts - ReferenceVectors.texts.count
        var portions: [ArraySlice<Wanted>] = []
        var (start, bytes) = (0, 0)
        for (position, entry) in wanted.enumerated() {
            let size = min(entry.text.utf8.count, maximumTextBytes)
            if position > start, position - start == most || bytes + size > portion.bytes {
                portions.append(wanted[start..<position])
                (start, bytes) = (position, 0)
            }
            bytes += size
        }
        if start < wanted.count { portions.append(wanted[start...]) }
        return portions
    }

    /// Keeps in mind how the last attempt ended; nil for well.
    private func remember(_ failure: VectorsUnavailable?) {
        state.withLock { state in
            guard let failure else {
                state.trouble = nil
                return
            }
            // That nobody is asked for a while says less than why.
            if !failure.isChange, failure.retryAfter == nil || state.trouble == nil { state.trouble = failure }
        }
    }

    // MARK: Nobody waits

    /// The vectors of the product's own texts, in their order. A provider that fails for a while is asked again, so that
    /// what was made before is not lost.
    ///
    /// Texts that are refused are found, and are not asked for again; a failure for one of them names it.
    ///
    /// - Throws: `CancellationError`.
    func patientReading(of texts: [String], role: TextRole) async throws -> TextReading {
        let wanted = texts.map { Wanted(key: Self.key($0, role), text: $0) }
        let refused = state.withLock { $0.refused }
        var answers = Answers(failure: wanted.lazy.compactMap { refused[$0.key] }.first)
        let open = wanted.filter { refused[$0.key] == nil }
        if !open.isEmpty { answers.add(try await patientAnswers(to: open, role)) }
        return TextReading(vectors: wanted.map { answers.vectors[$0.key] }, failure: answers.failure)
    }

    /// Why one of the product's own texts was refused before; nil where none was.
    func refusal(of texts: [String], role: TextRole) -> VectorsUnavailable? {
        let refused = state.withLock { $0.refused }
        guard !refused.isEmpty else { return nil }
        return texts.lazy.compactMap { refused[Self.key($0, role)] }.first
    }

    private func patientAnswers(to wanted: [Wanted], _ role: TextRole) async throws -> Answers {
        let answers: Answers
        do {
            // With questions the reference texts go along.
            if role == .document, isCheckDue { try await askForReferences() }
            answers = try await patientAttempt(wanted[...], role)
            guard answers.failure?.isAboutTexts ?? false else { return answers }
            // Some answer so to a wrong key as well, and a text is not to be given up for that; of one alone below.
            if wanted.count > 1 { try await askForReferences() }
        } catch let error as VectorsUnavailable {
            return Answers(failure: error.ofAllTexts)
        }
        return try await afterRefusal(of: wanted[...], answers, role)
    }

    private func askForReferences() async throws {
        _ = try await patiently { try await self.send([], .query, within: $0) }
    }

    /// Asks for texts together.
    private func patientAttempt(_ wanted: ArraySlice<Wanted>, _ role: TextRole) async throws -> Answers {
        do {
            let vectors = try await patiently { try await self.send(wanted.map(\.text), role, within: $0) }
            return Answers(vectors: Dictionary(zip(wanted.map(\.key), vectors)) { first, _ in first })
        } catch let error as VectorsUnavailable {
            return Answers(failure: error)
        }
    }

    /// Asks for each half of texts that were refused together, down to those that are refused alone, which it remembers.
    private func afterRefusal(
        of wanted: ArraySlice<Wanted>, _ answers: Answers, _ role: TextRole
    ) async throws -> Answers {
        guard let failure = answers.failure, failure.isAboutTexts, let first = wanted.first else { return answers }
        guard wanted.count > 1 else {
            do {
                // By now the key may have been revoked, or the quota be at its end, which may look the same.
                try await askForReferences()
            } catch let error as VectorsUnavailable {
                return Answers(failure: error.ofAllTexts)
            }
            let named = failure.naming(first.text)
            state.withLock { $0.refused[first.key] = named }
            return Answers(failure: named)
        }
        let middle = wanted.startIndex + wanted.count / 2
        var all = Answers()
        for half in [wanted[..<middle], wanted[middle...]] {
            // What fails for all would fail for the other half too.
            guard all.failure?.isAboutTexts ?? true else { break }
            all.add(try await afterRefusal(of: half, try await patientAttempt(half, role), role))
        }
        return all
    }

    private func patiently(_ attempt: (Duration) async throws -> [[Float]]) async throws -> [[Float]] {
        try await Self.patiently(limits, time, attempt)
    }

    /// Attempts until one succeeds, or has failed for as long as is waited.
    static func patiently<Value>(
        _ limits: Limits, _ time: Time, _ attempt: (Duration) async throws -> Value
    ) async throws -> Value {
        let start = time.now()
        var pause = Duration.seconds(1)
        while true {
            do {
                return try await attempt(limits.document)
            } catch let error as VectorsUnavailable where error.isTransient {
                let wait = max(error.retryAfter ?? .zero, pause)
                guard time.now() - start + wait <= limits.patience else { throw error }
                try await time.pause(wait)
                pause = min(pause * 2, .seconds(30))
            }
        }
    }

    // MARK: One exchange

    /// Never where there is nothing to compare with.
    private var isCheckDue: Bool { references != nil && isUnchecked(for: limits.check) }

    private func isUnchecked(for interval: Duration) -> Bool {
        guard let checked = state.withLock({ $0.checked }) else { return true }
        return time.now() - checked >= interval
    }

    /// The reference texts that go along: all of them where there is nothing else, or it is time, and otherwise one,
    /// which costs a few tokens. Vectors of documents may be others than those of questions, and are compared with none.
    private func company(of texts: [String], _ role: TextRole) -> [String] {
        if texts.isEmpty { return ReferenceVectors.texts }
        guard references != nil, role == .query else { return [] }
        return isCheckDue ? ReferenceVectors.texts : Array(ReferenceVectors.texts.prefix(1))
    }

    private func send(_ texts: [String], _ role: TextRole, within limit: Duration) async throws -> [[Float]] {
        let references = company(of: texts, role)
        let changes = state.withLock { $0.changes }
        let sent = texts.map(Self.cut) + references
        let vectors = try await source.vectors(of: sent, role: role, within: limit)
        guard vectors.count == sent.count, vectors.allSatisfy({ $0.count == space.dimension }) else {
            throw VectorsUnavailable(
                reason: "bad_reply", description: "\(space.modelID) gave other vectors than were asked for",
                isTransient: false)
        }
        if !references.isEmpty {
            let isWhole = references.count == ReferenceVectors.texts.count
            try compare(Array(vectors[texts.count...]), since: changes, isWhole: isWhole)
        }
        return Array(vectors.prefix(texts.count))
    }

    /// Holds vectors of reference texts against those of the space.
    ///
    /// - Parameters:
    ///   - changes: how many had been found when they were asked for.
    ///   - isWhole: whether they are those of all reference texts.
    private func compare(_ vectors: [[Float]], since changes: Int, isWhole: Bool) throws {
        let cosine = references?.cosine(with: vectors) ?? 1
        guard cosine >= ReferenceVectors.leastCosine else {
            let change = VectorsUnavailable.changed(space.modelID, cosine: cosine)
            state.withLock { state in
                state.change = change
                state.changes += 1
                state.checked = nil
            }
            throw change
        }
        state.withLock { state in
            guard isWhole, state.changes == changes else { return }
            state.change = nil
            state.checked = time.now()
            state.isDoubted = false
        }
    }
}
