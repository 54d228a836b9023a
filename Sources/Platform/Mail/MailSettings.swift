/// Where mail goes and whom it is from, as it was set.
package struct MailSettings: Sendable, Equatable {
    /// Nil where there is no server, and messages are left in `folder`.
    package var host: String?
    /// Nil for the port that goes with `security`.
    package var port: Int?
    package var user: String?
    /// The file whose first line is the password.
    package var passwordFile: String?
    package var security = SMTPSettings.Security.startTLS
    /// A file of certificates to trust instead of the system's, for a server with a private authority.
    package var authorities: String?
    /// For one message, from the connection to the server's last word.
    package var timeout = Duration.seconds(60)
    /// `name@example.org` or `Name <name@example.org>`.
    package var from: String?
    /// Nil for `mail` in the data folder.
    package var folder: String?

    package init() {}

    /// Whether somebody has said where mail goes. Where not, messages are left in the data folder: good for a look, but no
    /// place for people's addresses and links that let them in.
    package var isSet: Bool { host != nil || folder != nil }

    /// Where messages lie that were left as files, now or before a server was named.
    package func messageFolder(in dataFolder: String) -> String { folder ?? "\(dataFolder)/mail" }
}

/// The settings after they were checked: what mail needs to go.
package struct MailPlan: Sendable {
    package enum Route: Sendable {
        case folder(String)
        case server(SMTPSettings)
    }

    /// The name under which mail goes where no server is set: nobody can answer it.
    private static let placeholder = "Pathlight <pathlight@localhost>"

    package let from: MailAddress
    package let route: Route

    /// - Parameters:
    ///   - dataFolder: the folder for messages lies in it unless another is named.
    ///   - readFile: gives a file's text.
    /// - Throws: `MailError` (`invalidSettings`, `invalidAddress`), which names the setting.
    package init(
        _ settings: MailSettings, dataFolder: String,
        readFile: (String) throws(MailError) -> String = MailPlan.readPassword
    ) throws(MailError) {
        guard let host = settings.host else {
            for (name, isSet) in [
                ("port", settings.port != nil), ("user", settings.user != nil),
                ("password_file", settings.passwordFile != nil),
            ] where isSet {
                throw Self.objection("`mail.smtp.\(name)` is set and `mail.smtp.host` is not; set both or neither")
            }
            from = try Self.address(settings.from ?? Self.placeholder)
            route = .folder(settings.messageFolder(in: dataFolder))
            return
        }
        guard settings.folder == nil else {
            throw Self.objection("`mail.smtp.host` and `mail.folder` are both set; mail goes to one of them")
        }
        guard let from = settings.from else {
            throw Self.objection(
                "`mail.smtp.host` is set and `mail.from` is not; name the address that mail comes from")
        }
        self.from = try Self.address(from)
        let credentials = try Self.credentials(settings, host: host, readFile: readFile)
        route = .server(
            SMTPSettings(
                host: host, port: settings.port ?? settings.security.defaultPort, security: settings.security,
                user: credentials?.user, password: credentials?.password, authorities: settings.authorities,
                timeout: settings.timeout))
    }

    /// What keeps mail from going, as far as the settings tell; nil where they tell nothing of the kind.
    ///
    /// No mistake: a name may be one of this machine's own.
    package var warning: String? {
        guard case .server(let server) = route, server.security == .plain, !Self.isLoopback(server.host) else {
            return nil
        }
        return "`mail.smtp.security` is `plain`, which reaches this machine alone; use `starttls` or `tls`, unless "
            + "\(server.host) is a name of this machine"
    }

    /// Sends by the route that was set.
    ///
    /// - Throws: `MailError` (`invalidSettings`) where the server's settings cannot be meant.
    package func makeMailer() throws(MailError) -> any Mailer {
        switch route {
        case .folder(let path): return FolderMailer(folder: path)
        case .server(let settings):
            do throws(MailTransportError) {
                return SMTPMailer(try SMTPTransport(settings), server: "\(settings.host):\(settings.port)")
            } catch {
                throw Self.objection("`mail.smtp`: \(error)")
            }
        }
    }

    private static func credentials(
        _ settings: MailSettings, host: String, readFile: (String) throws(MailError) -> String
    ) throws(MailError) -> (user: String, password: OutboundSecret)? {
        switch (settings.user, settings.passwordFile) {
        case (nil, nil): return nil
        case (let user?, let file?):
            guard settings.security != .plain || isLoopback(host) else {
                throw objection(
                    "`mail.smtp.security` is `plain`, which would send the password to \(host) for all to read; "
                        + "use `starttls` or `tls`")
            }
            // A line's end in either would end the command that carries it.
            guard !user.isEmpty, user.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
                throw objection("`mail.smtp.user` holds a control character or nothing")
            }
            let password = try readFile(file).prefix { $0 != "\n" && $0 != "\r\n" && $0 != "\r" }
            guard !password.isEmpty, password.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
                throw objection(
                    "the first line of \(file), which `mail.smtp.password_file` names, is no password: it is empty or "
                        + "holds a control character")
            }
            return (user, OutboundSecret(String(password)))
        case (_?, nil):
            throw objection("`mail.smtp.user` is set and `mail.smtp.password_file` is not; set both or neither")
        case (nil, _?):
            throw objection("`mail.smtp.password_file` is set and `mail.smtp.user` is not; set both or neither")
        }
    }

    /// The text of a password file.
    ///
    /// - Throws: `MailError` (`invalidSettings`) for what is no small file of text, or one that others may read.
    package static func readPassword(_ path: String) throws(MailError) -> String {
        let bytes: [UInt8]
        do throws(SecretFile.Problem) {
            bytes = try SecretFile.read(path)
        } catch {
            throw objection("\(path), which `mail.smtp.password_file` names, \(error.reason)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw objection("\(path), which `mail.smtp.password_file` names, is not UTF-8")
        }
        return text
    }

    static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1"
            || (host.hasPrefix("127.")
                && host.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") })
    }

    private static func address(_ text: String) throws(MailError) -> MailAddress {
        do {
            return try MailAddress(parsing: text)
        } catch {
            throw objection("`mail.from`: \(error.message)")
        }
    }

    private static func objection(_ message: String) -> MailError { MailError(.invalidSettings, message) }
}

extension SMTPSettings.Security {
    /// RFC 8314's ports for submission; 25 for a server on this machine.
    package var defaultPort: Int {
        switch self {
        case .startTLS: 587
        case .tls: 465
        case .plain: 25
        }
    }
}
