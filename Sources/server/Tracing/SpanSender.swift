package import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Brings recorded spans to the collector, beside the server: every five seconds, or as soon as a batch is full.
///
/// A batch that is not taken is tried once more and then counted and forgotten. Requests wait for none of this.
package final class SpanSender: Service {
    package static let interval = Duration.seconds(5)
    /// Of one attempt.
    package static let timeout = Duration.seconds(5)
    /// Between the two attempts for a batch: a collector that is started anew is back after it.
    package static let pause = Duration.seconds(1)
    /// Of what is left at the end, at most.
    private static let longestFlush = Duration.seconds(2)

    private struct State {
        /// Why batches were not taken since one was; each is told once.
        var problems: Set<String> = []
        /// How many spans were lost by it.
        var lost = 0
    }

    package let recorder: TraceRecorder
    private let collector: TraceCollector
    private let version: String
    private let flushTime: Duration
    private let logger: Logger
    private let sleep: @Sendable (Duration) async throws -> Void
    private let state = Mutex(State())
    private let isEnding = Atomic(false)

    /// - Parameters:
    ///   - version: of the service, for the collector.
    ///   - shutdown: the time for the end of the whole service, of which this takes half at most.
    ///   - sleep: waits between two attempts.
    package init(
        _ recorder: TraceRecorder, to collector: TraceCollector, version: String, shutdown: Duration, logger: Logger,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.recorder = recorder
        self.collector = collector
        self.version = version
        self.logger = logger
        self.sleep = sleep
        flushTime = min(Self.longestFlush, shutdown / 2)
    }

    /// To be run as the first of its group: it ends after the server, when no request can leave more spans.
    package func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [recorder] in
                while (try? await Task.sleep(for: Self.interval)) != nil { recorder.wake() }
            }
            group.addTask { [self] in
                for await _ in recorder.wakes { await sendAll() }
                await flush()
            }
            group.addTask { [self] in
                // What is under way may end: a batch that is broken off and sent again may arrive twice.
                try? await gracefulShutdown()
                isEnding.store(true, ordering: .releasing)
                recorder.endWakes()
                try? await Task.sleep(for: flushTime)
            }
            // All is sent, or there is no more time. The clock above never ends by itself.
            await group.next()
            group.cancelAll()
        }
        drop(recorder.buffer.take(.max).count)
    }

    /// Sends what waits, batch by batch.
    package func sendAll() async {
        while !isEnding.load(ordering: .acquiring) {
            let batch = recorder.buffer.take(TraceRecorder.batch)
            guard !batch.isEmpty else { return }
            var outcome = await post(batch)
            if case .refused(let refusal) = outcome, refusal.mayPass, (try? await sleep(Self.pause)) != nil {
                outcome = await post(batch)
            }
            settle(batch.count, outcome)
        }
    }

    /// Sends what is left, each batch once, and gives up the rest where one is not taken.
    package func flush() async {
        while true {
            let batch = recorder.buffer.take(TraceRecorder.batch)
            guard !batch.isEmpty else { return }
            let outcome = await post(batch)
            settle(batch.count, outcome)
            // What one batch met, the next would.
            if case .refused = outcome { return drop(recorder.buffer.take(.max).count) }
        }
    }

    private func post(_ batch: [TraceSpan]) async -> TraceCollector.Outcome {
        await collector.send(
            OTLPTraces.body(of: batch, service: Self.service, version: version), timeout: Self.timeout)
    }

    package static let service = "pathlight"

    // MARK: What came of it

    private func settle(_ count: Int, _ outcome: TraceCollector.Outcome) {
        switch outcome {
        case .taken(let rejected, let reason):
            let rejected = min(rejected, count)
            recorder.metrics.sent(count - rejected)
            if rejected > 0 {
                lose(rejected, "rejected", "it did not take some spans: \(reason ?? "it does not say why")")
            } else {
                mend()
            }
        // Broken off by the end of the service, which says nothing of the collector.
        case .refused where Task.isCancelled: drop(count)
        case .refused(let refusal): lose(count, refusal.name, refusal.detail)
        }
    }

    private func drop(_ count: Int) {
        if count > 0 { recorder.metrics.dropped(count, .unsent) }
    }

    private func lose(_ count: Int, _ problem: String, _ detail: String) {
        drop(count)
        let isNews = state.withLock { state in
            state.lost += count
            return state.problems.insert(problem).inserted
        }
        guard isNews else { return }
        logger.warning(
            "the trace collector does not take spans, which are lost until it does",
            metadata: ["collector": "\(collector.url)", "problem": "\(detail)"])
    }

    private func mend() {
        let lost = state.withLock { state in
            defer { (state.problems, state.lost) = ([], 0) }
            return state.problems.isEmpty ? nil : state.lost
        }
        guard let lost else { return }
        logger.notice(
            "the trace collector takes spans again", metadata: ["collector": "\(collector.url)", "lost": "\(lost)"])
    }
}
