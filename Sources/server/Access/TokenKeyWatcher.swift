internal import Logging
internal import Platform
internal import ServiceLifecycle

/// Looks at the file of an identity provider's keys while no token comes, and says in the log when it cannot be used: a
/// key that was to be taken back would hold on otherwise, and nobody would know.
struct TokenKeyWatcher: Service {
    private static let interval = Duration.seconds(15)

    /// Nil where no tokens are accepted.
    let tokens: TokenVerifier?
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var news = TokenKeyNews()
            while (try? await Task.sleep(for: Self.interval)) != nil {
                guard let statistics = await tokens?.refresh() else { continue }
                for item in news.note(statistics) { tell(item) }
            }
        }
    }

    private func tell(_ item: TokenKeyNews.Item) {
        switch item {
        case .unusable(let problem):
            logger.error("the keys of tokens cannot be read anew", metadata: ["problem": "\(problem)"])
        case .usable: logger.notice("the keys of tokens are read again")
        case .withoutKeys: logger.warning("the key set is empty; no token that is signed by a key holds")
        case .withKeys(let count): logger.notice("the key set has keys again", metadata: ["keys": "\(count)"])
        }
    }
}
