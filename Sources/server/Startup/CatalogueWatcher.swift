internal import Engine
internal import Logging
internal import ServiceLifecycle

/// Looks every second whether the catalogue has changed, and has missing vectors made in the background.
struct CatalogueWatcher: Service {
    let catalogue: ServedCatalogue
    let logger: Logger

    private static let interval = Duration.seconds(1)
    /// Between two attempts to embed while another process does: it may be killed, and leave the rest to this one.
    private static let longestTurn = Duration.seconds(10)
    /// Between two looks whether a model outside that failed is well again; one look is three short texts.
    private static let longestSilence = Duration.seconds(30)

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await keep(.following, problem: "not all that the store has is served") {
                        try await catalogue.follow()
                    }
                }
                group.addTask {
                    try await keep(.embedding, problem: "careers cannot be re-embedded") {
                        try await catalogue.complete()
                    }
                }
                group.addTask {
                    try await keep(
                        .asking, problem: "people's texts are not read", longest: Self.longestSilence
                    ) { try await catalogue.checkModel() }
                }
                try await group.waitForAll()
            }
        }
    }

    /// Takes a step every second, and more and more seldom where it fails; each problem is logged once.
    private func keep(
        _ step: StandingProblems.Step, problem: String, longest: Duration = RetrySchedule.longest,
        _ work: @Sendable () async throws -> Void
    ) async throws {
        var retry = RetrySchedule()
        while true {
            try await Task.sleep(for: Self.interval)
            let revision = try? await catalogue.storedRevision()
            guard retry.isDue(at: .now, revision: revision) else { continue }
            do {
                try await work()
                retry.succeeded()
                if let past = catalogue.mended(step) { logger.notice("mended", metadata: ["problem": "\(past)"]) }
            } catch is CancellationError {
                return
            } catch ReembedError.busy, ReembedError.otherModel {
                // Another process does it already, or this one has yet to follow it.
                retry.failed(at: .now, revision: revision, longest: Self.longestTurn)
            } catch {
                retry.failed(at: .now, revision: revision, longest: longest)
                let words = StandingProblems.words(for: error, of: catalogue.location)
                if catalogue.note("\(problem): \(words)", in: step) {
                    logger.error("what was served before is served on", metadata: ["problem": "\(problem): \(error)"])
                }
            }
        }
    }
}
