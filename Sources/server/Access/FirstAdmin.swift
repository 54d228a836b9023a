internal import Logging
internal import Platform

/// How somebody who starts the service on their own machine becomes its administrator.
enum FirstAdmin {
    /// Prints a link that signs the first administrator in, once, where there is none and only this machine reaches the
    /// service. On standard error as it is and not in the log: logs are kept, shipped and read by others.
    static func offerLink(_ access: AccessControl, settings: ServiceSettings, port: Int, logger: Logger) async {
        guard !access.isExposed else { return }
        do {
            guard let token = try await access.identity.makeAdminLink() else { return }
            let host =
                settings.host.contains(":") && !settings.host.hasPrefix("[") ? "[\(settings.host)]" : settings.host
            Terminal.error(
                "There is no administrator yet. This link signs you in as one, once, within the hour:\n"
                    + "http://\(host):\(port)/sign-in/link?token=\(token)")
        } catch {
            // Nothing that serves anybody depends on it.
            logger.warning("no link for an administrator could be made", metadata: ["error": "\(error)"])
        }
    }
}
