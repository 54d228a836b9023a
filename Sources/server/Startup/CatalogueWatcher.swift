internal import Engine
internal import Logging
internal import ServiceLifecycle

/// Looks every second whether the catalogue has changed, and has missing vectors made in the background.
struct CatalogueWatcher: Service {
    let catalogue: ServedCatalogue
    let logger: Logger
    var interval = Duration.seconds(1)
    /// After a failure, so that a lasting one does not fill the log.
    var pause = Duration.seconds(30)

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await follow() }
                group.addTask { try await complete() }
                try await group.waitForAll()
            }
        }
    }

    private func follow() async throws {
        while !Task.isCancelled {
            try await Task.sleep(for: interval)
            do {
                try await catalogue.follow()
            } catch is CancellationError {
                return
            } catch {
                logger.error(
                    "the changed catalogue could not be read; the careers stay as they were",
                    metadata: ["error": "\(error)"])
                try await Task.sleep(for: pause)
            }
        }
    }

    private func complete() async throws {
        while !Task.isCancelled {
            try await Task.sleep(for: interval)
            do {
                try await catalogue.complete()
            } catch is CancellationError {
                return
            } catch ReembedError.busy, ReembedError.otherModel {
                // Another process does it already, or this one has yet to follow it.
            } catch {
                logger.error(
                    "careers could not be re-embedded; the vectors stay as they were", metadata: ["error": "\(error)"])
                try await Task.sleep(for: pause)
            }
        }
    }
}
