internal import Foundation
internal import Logging
internal import Platform
internal import ServiceLifecycle

/// How somebody who starts the service on their own machine becomes its administrator: by a link that signs one in, once.
///
/// A person at a terminal reads it there. Where standard error goes to a log, which is kept, shipped and read by others,
/// the link lies in a file of the data folder instead, for as long as it holds.
struct FirstAdmin: Service {
    /// Between two looks whether the link still holds: another process may have made an administrator, or used it.
    private static let interval = Duration.seconds(2)

    private let access: AccessControl
    private let host: String
    private let isTerminal: Bool
    private let logger: Logger
    private let ports = AsyncStream.makeStream(of: Int.self)

    /// - Parameter isTerminal: whether somebody reads standard error as it is written.
    init(
        access: AccessControl, settings: ServiceSettings, isTerminal: Bool = isatty(STDERR_FILENO) == 1, logger: Logger
    ) {
        self.access = access
        let isBare = settings.host.contains(":") && !settings.host.hasPrefix("[")
        host = isBare ? "[\(settings.host)]" : settings.host
        self.isTerminal = isTerminal
        self.logger = logger
    }

    /// Has a link made where there is no administrator and only this machine reaches the service.
    func offer(at port: Int) { ports.continuation.yield(port) }

    func run() async throws {
        // Of a start that was killed.
        access.adminLink.remove()
        await cancelWhenGracefulShutdown {
            for await port in ports.stream where !access.isExposed {
                do {
                    guard let token = try await access.identity.makeAdminLink() else { continue }
                    let link = "http://\(host):\(port)/sign-in/link?token=\(token)"
                    try tell(link)
                    await watch(token, of: link)
                } catch {
                    // Nothing that serves anybody depends on it.
                    logger.warning("no link for an administrator could be made", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    private func tell(_ link: String) throws {
        if isTerminal {
            Terminal.error(
                "There is no administrator yet. This link signs you in as one, once, within the hour:\n\(link)")
            return
        }
        try access.adminLink.write(link)
        logger.notice(
            "there is no administrator yet; a link that signs one in, once, within the hour, lies in a file",
            metadata: ["file": "\(access.adminLink.path)"])
    }

    /// Waits until the link holds no longer or the service ends, and takes its file away. Of several processes on one
    /// folder the last link alone holds: what lies in the file by then may be another's, which stays, and what holds is put
    /// back where an earlier start wrote over it.
    private func watch(_ token: String, of link: String) async {
        defer { access.adminLink.remove(link) }
        while (try? await Task.sleep(for: Self.interval)) != nil {
            // A database that cannot be asked just now says nothing.
            guard let holds = try? await access.identity.holds(adminLink: token) else { continue }
            guard holds else { return }
            if !isTerminal, !access.adminLink.holds(link) { try? access.adminLink.write(link) }
        }
    }
}
