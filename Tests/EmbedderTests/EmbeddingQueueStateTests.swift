import TestSupport
import Testing

@testable import Embedder

/// The order of the queue, step by step, without threads and clocks.
struct EmbeddingQueueStateTests {
    private static let origin = ContinuousClock.Instant.now

    /// What stands in for the encoder.
    private static func vector(of text: [Int32]) -> [Float] { [Float(text.count), Float(text.reduce(0, +))] }

    private static func vectors(of batch: EmbeddingQueueState.Batch) -> Result<[[Float]], any Error> {
        .success(batch.texts.map(vector))
    }

    private func state(
        tokens: Int = 10_000, texts: Int = 1_000, batchTokens: Int = 20, lanes: Int = 1
    ) -> EmbeddingQueueState {
        EmbeddingQueueState(limits: .init(tokens: tokens, texts: texts, batchTokens: batchTokens), lanes: lanes)
    }

    private func text(_ number: Int, tokens: Int = 4) -> [Int32] { Array(repeating: Int32(number), count: tokens) }

    // MARK: Anything may happen

    @Test(arguments: 0..<40)
    func `answers every request once, in its order, whatever happens`(round: Int) throws {
        var random = SeededGenerator(seed: UInt64(1_000 + round))
        let limits = EmbeddingQueue.Limits(
            tokens: Int.random(in: 50...400, using: &random), texts: Int.random(in: 5...60, using: &random),
            batchTokens: Int.random(in: 1...60, using: &random))
        let lanes = Int.random(in: 1...3, using: &random)
        var state = EmbeddingQueueState(limits: limits, lanes: lanes)
        var asked: [UInt64: [[Int32]]] = [:]
        var gone: Set<UInt64> = []
        var computing: [EmbeddingQueueState.Batch] = []
        var now = Self.origin
        var computed = 0

        func take(_ answers: [EmbeddingQueueState.Answer]) {
            for (id, result) in answers {
                let texts = asked.removeValue(forKey: id)
                #expect(texts != nil, "request \(id) is answered twice; \(random)")
                switch result {
                case .success(let vectors): #expect(vectors == texts?.map(Self.vector), "\(random)")
                case .failure(let error):
                    #expect(error is CancellationError && gone.contains(id), "request \(id): \(error); \(random)")
                }
            }
        }
        func start() {
            for batch in state.start(now: now) {
                let longest = batch.texts.map(\.count).max() ?? 0
                #expect(batch.tokens <= limits.batchTokens + longest, "\(random)")
                #expect(!batch.texts.isEmpty && batch.waited.allSatisfy { $0 >= .zero }, "\(random)")
                computing.append(batch)
            }
            for urgency in [EmbeddingQueue.Urgency.awaited, .background] {
                #expect(computing.count { $0.urgency == urgency } <= lanes, "\(random)")
            }
            let inFlight = computing.flatMap(\.texts)
            #expect(
                computing.contains { $0.urgency == .background } || Set(inFlight).count == inFlight.count, "\(random)")
        }
        func finishOne() {
            let batch = computing.remove(at: Int.random(in: 0..<computing.count, using: &random))
            computed += batch.texts.count
            take(state.finish(batch, Self.vectors(of: batch), now: now))
        }

        for id in UInt64(1)...400 {
            now += .milliseconds(Int.random(in: 0...300, using: &random))
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let texts = (0..<Int.random(in: 1...8, using: &random)).map { _ in
                    text(Int.random(in: 0..<50, using: &random), tokens: Int.random(in: 1...30, using: &random))
                }
                let urgency: EmbeddingQueue.Urgency =
                    Int.random(in: 0..<4, using: &random) == 0 ? .background : .awaited
                let before = state.statistics
                do throws(EmbeddingQueueError) {
                    try state.enter(texts, as: id, urgency: urgency, now: now)
                    asked[id] = texts
                } catch {
                    #expect(urgency == .awaited, "\(random)")
                    #expect(state.statistics.waitingTexts == before.waitingTexts, "part of \(id) is in; \(random)")
                }
                #expect(state.statistics.waitingTokens <= limits.tokens, "\(random)")
                #expect(state.statistics.waitingTexts <= limits.texts, "\(random)")
            case 5..<7:
                guard let id = asked.keys.sorted().randomElement(using: &random) else { continue }
                gone.insert(id)
                if let answer = state.abandon(id) { take([answer]) }
            default: if !computing.isEmpty { finishOne() }
            }
            start()
        }
        while !computing.isEmpty {
            finishOne()
            start()
        }
        #expect(asked.isEmpty, "requests \(asked.keys.sorted()) have no answer; \(random)")
        #expect(state.isIdle, "\(random)")
        #expect(state.statistics.waitingTexts == 0 && state.statistics.waitingTokens == 0, "\(random)")
        #expect(state.statistics.batchedTexts == computed, "\(random)")
    }

    // MARK: Order

    @Test func `starts what comes alone at once, with every core`() throws {
        var state = state(lanes: 2)
        try state.enter([text(1)], as: 1, urgency: .awaited, now: Self.origin)
        let first = state.start(now: Self.origin)
        #expect(first.map(\.texts) == [[text(1)]])
        #expect(first.map(\.isSideBySide) == [false])
        #expect(!state.isWaiting(1))
        try state.enter([text(2)], as: 2, urgency: .awaited, now: Self.origin)
        #expect(state.start(now: Self.origin).map(\.isSideBySide) == [true])
    }

    @Test func `takes what came meanwhile together, by length, a batch for each core`() throws {
        var state = state(batchTokens: 40, lanes: 2)
        let first = try (UInt64(1)...2).flatMap { id in
            try state.enter([text(Int(id))], as: id, urgency: .awaited, now: Self.origin)
            return state.start(now: Self.origin)
        }
        for id in UInt64(3)...10 {
            try state.enter(
                [text(Int(id), tokens: id.isMultiple(of: 2) ? 9 : 3)], as: id, urgency: .awaited, now: Self.origin)
        }
        #expect(state.start(now: Self.origin).isEmpty)
        _ = state.finish(first[0], Self.vectors(of: first[0]), now: Self.origin)
        let second = state.start(now: Self.origin)
        #expect(second.map { $0.texts.map(\.count) } == [[9, 9, 9]])
        _ = state.finish(first[1], Self.vectors(of: first[1]), now: Self.origin)
        #expect(state.start(now: Self.origin).map { $0.texts.map(\.count) } == [[9, 3, 3, 3, 3]])
    }

    @Test func `computes a short list as one batch where nothing else is computed, a long one on all cores`() throws {
        var state = state(batchTokens: 512, lanes: 2)
        try state.enter((0..<8).map { text($0) }, as: 1, urgency: .awaited, now: Self.origin)
        let short = state.start(now: Self.origin)
        #expect(short.map(\.texts.count) == [8])
        #expect(short.map(\.isSideBySide) == [false])
        _ = state.finish(short[0], Self.vectors(of: short[0]), now: Self.origin)
        try state.enter((0..<100).map { text($0) }, as: 2, urgency: .awaited, now: Self.origin)
        #expect(state.start(now: Self.origin).map(\.texts.count) == [50, 50])
    }

    @Test func `serves single texts in the order of their coming`() throws {
        var state = state(batchTokens: 8)
        for id in UInt64(0)...20 { try state.enter([text(Int(id))], as: id, urgency: .awaited, now: Self.origin) }
        var order: [Int32] = []
        var batches = state.start(now: Self.origin)
        while let batch = batches.first {
            order += batch.texts.map { $0[0] }
            _ = state.finish(batch, Self.vectors(of: batch), now: Self.origin)
            batches = state.start(now: Self.origin)
        }
        #expect(order == Array(0...20))
    }

    @Test func `lets one text pass a thousand of somebody else, and the thousand go on`() throws {
        var state = state(batchTokens: 40)
        try state.enter((0..<900).map { text($0) }, as: 1, urgency: .awaited, now: Self.origin)
        var batch = try #require(state.start(now: Self.origin).first)
        // Singles come without end, as many as fit: half of each batch is still the oldest request's.
        for id in UInt64(2)...100 {
            try state.enter(
                (0..<20).map { text(Int(id) * 1_000 + $0) }, as: id, urgency: .awaited, now: Self.origin)
            let answers = state.finish(batch, Self.vectors(of: batch), now: Self.origin)
            batch = try #require(state.start(now: Self.origin).first)
            #expect(batch.texts.count { $0[0] < 900 } >= 5 || answers.contains { $0.request == 1 })
            if id == 2 { #expect(batch.texts.contains { $0[0] >= 2_000 }) }
            if let answer = state.abandon(id) { #expect(throws: CancellationError.self) { try answer.result.get() } }
        }
    }

    @Test func `puts people before a re-embedding, which still goes on`() throws {
        var state = state(batchTokens: 8)
        var now = Self.origin
        try state.enter((0..<100).map { text($0) }, as: 1, urgency: .background, now: now)
        let first = try #require(state.start(now: now).first)
        #expect(first.urgency == .background && first.isSideBySide)
        // A person's text waits for no portion of a re-embedding.
        try state.enter([text(200)], as: 2, urgency: .awaited, now: now)
        var batch = try #require(state.start(now: now).first)
        #expect(batch.urgency == .awaited)
        _ = state.finish(first, Self.vectors(of: first), now: now)
        var background = 0
        var id: UInt64 = 3
        for _ in 0..<100 {
            now += .milliseconds(100)
            for _ in 0..<3 {
                try state.enter([text(Int(id) + 1_000)], as: id, urgency: .awaited, now: now)
                id += 1
            }
            _ = state.finish(batch, Self.vectors(of: batch), now: now)
            let started = state.start(now: now)
            batch = try #require(started.first { $0.urgency == .awaited })
            for portion in started where portion.urgency == .background {
                background += 1
                _ = state.finish(portion, Self.vectors(of: portion), now: now)
            }
        }
        // One a second of ten seconds.
        #expect((8...10).contains(background), "\(background)")
    }

    // MARK: Limits

    @Test func `refuses one text and many alike where there is no room, and tells what never fits`() throws {
        var state = state(tokens: 40, texts: 8, batchTokens: 8)
        try state.enter([text(0)], as: 1, urgency: .awaited, now: Self.origin)
        let batch = try #require(state.start(now: Self.origin).first)
        try state.enter((1...9).map { text($0) }.dropLast(), as: 2, urgency: .awaited, now: Self.origin)
        #expect(throws: EmbeddingQueueError.full(retryAfterSeconds: 1)) {
            try state.enter([text(50)], as: 3, urgency: .awaited, now: Self.origin)
        }
        #expect(throws: EmbeddingQueueError.full(retryAfterSeconds: 1)) {
            try state.enter([text(50), text(51)], as: 3, urgency: .awaited, now: Self.origin)
        }
        #expect(throws: EmbeddingQueueError.neverFits(texts: 11, tokens: 44, limits: state.limits)) {
            try state.enter((50...60).map { text($0) }, as: 3, urgency: .awaited, now: Self.origin)
        }
        // What waits already needs no room.
        try state.enter([text(1), text(0), text(1)], as: 3, urgency: .awaited, now: Self.origin)
        #expect(state.statistics.rejected == 2 && state.statistics.joined == 3)
        _ = state.finish(batch, Self.vectors(of: batch), now: Self.origin)
        #expect(!state.start(now: Self.origin).isEmpty)
        try state.enter([text(50)], as: 4, urgency: .awaited, now: Self.origin)
    }

    @Test func `tells to come back when what waits will be done, at the rate that was measured`() throws {
        var state = state(tokens: 1_000, batchTokens: 100)
        try state.enter([text(0, tokens: 100)], as: 1, urgency: .awaited, now: Self.origin)
        let batch = try #require(state.start(now: Self.origin).first)
        _ = state.finish(batch, Self.vectors(of: batch), now: Self.origin + .seconds(2))
        try state.enter((1...10).map { text($0, tokens: 100) }, as: 2, urgency: .awaited, now: Self.origin)
        #expect(throws: EmbeddingQueueError.full(retryAfterSeconds: 20)) {
            try state.enter([text(50)], as: 3, urgency: .awaited, now: Self.origin)
        }
    }

    @Test func `meets with an error only who asked for that text`() throws {
        struct Bad: Error {}
        var state = state(batchTokens: 100)
        try state.enter([text(0)], as: 1, urgency: .awaited, now: Self.origin)
        let first = try #require(state.start(now: Self.origin).first)
        for id in UInt64(2)...5 {
            try state.enter([text(Int(id)), text(9)], as: id, urgency: .awaited, now: Self.origin)
        }
        try state.enter([text(7)], as: 6, urgency: .awaited, now: Self.origin)
        _ = state.finish(first, Self.vectors(of: first), now: Self.origin)
        var failed: [UInt64] = []
        var answered: [UInt64] = []
        while let batch = state.start(now: Self.origin).first {
            let isBad = batch.texts.contains(text(3))
            for answer in state.finish(batch, isBad ? .failure(Bad()) : Self.vectors(of: batch), now: Self.origin) {
                if case .failure = answer.result {
                    failed.append(answer.request)
                } else {
                    answered.append(answer.request)
                }
            }
        }
        #expect(failed == [3])
        #expect(answered.sorted() == [2, 4, 5, 6])
        #expect(state.isIdle)
    }
}
