internal import CoreFoundation
internal import Foundation
internal import Glibc
internal import Platform
internal import Store

/// What `pathlight doctor` looks at where mail goes out.
enum MailChecks {
    /// - Parameter isOnline: whether the mail server is asked, up to user and password.
    static func all(_ settings: ServiceSettings, isOnline: Bool) async -> [DoctorFinding] {
        do throws(SettingsError) {
            let plan = try settings.makeMail().plan
            switch plan.route {
            case .folder(let path): return [withLinks(folder(path), settings)]
            case .server(let server):
                let found = await self.server(server, warning: plan.warning, isOnline: isOnline)
                return [withLinks(found, settings)]
            }
        } catch {
            return [finding(.broken, "\(error)")]
        }
    }

    /// What the start says where mail is set up and its links would lead nowhere.
    private static func withLinks(_ found: DoctorFinding, _ settings: ServiceSettings) -> DoctorFinding {
        let address = PublicAddress(
            publicURL: settings.publicURL, loopbackHost: settings.isExposed ? nil : settings.host, port: settings.port)
        guard found.state <= .warning, settings.mail.isSet, !address.isKnown else { return found }
        return finding(
            .warning,
            "\(found.detail); but nobody gets mail about their account: set `public_url`, the address that its links lead to"
        )
    }

    private static func folder(_ path: String) -> DoctorFinding {
        // The folder is made with the first message: until then the one above it counts.
        let place = FolderChecks.nearest(to: path)
        var isFolder: ObjCBool = false
        // SAFETY: the flag is written during the call alone.
        let isThere = unsafe FileManager.default.fileExists(atPath: place, isDirectory: &isFolder)
        let refusal = FileAccess.refusal(of: place, W_OK | X_OK)
        if refusal == .readOnlyFileSystem {
            return finding(
                .degraded, "\(path) \(FileAccess.readOnly), so that mail waits. \(FileAccess.readOnlyMend)")
        }
        guard isThere, isFolder.boolValue, refusal == nil else {
            return finding(
                .degraded, "\(path) cannot be written, so that mail waits; change its owner or rights, or `mail.folder`"
            )
        }
        return finding(.good, "no server is set; messages are left in \(path)")
    }

    private static func server(_ server: SMTPSettings, warning: String?, isOnline: Bool) async -> DoctorFinding {
        let name = "\(server.host):\(server.port), \(server.security.rawValue)"
        if let file = server.authorities, !FileManager.default.isReadableFile(atPath: file) {
            return finding(.degraded, "\(file), which `mail.smtp.ca_file` names, cannot be read, so that mail waits")
        }
        guard isOnline else {
            if let warning { return finding(.warning, "\(name): \(warning)") }
            return finding(.good, "\(name); not asked, `--online` does")
        }
        do throws(MailTransportError) {
            let transport = try SMTPTransport(server)
            defer { transport.close() }
            try await transport.probe()
            let login = server.user == nil ? "" : " and takes user and password"
            return finding(.good, "\(name), answers\(login)")
        } catch {
            guard case .deferred(let failure) = SMTPMailer.outcome(of: error) else {
                return finding(.degraded, "\(name): \(error)")
            }
            let words = failure.serverWords.map { ": it says “\($0)”" } ?? ""
            return finding(
                .degraded, "\(name): \(failure.message)\(words)" + (failure.mend.map { ". \($0)" } ?? ""))
        }
    }

    private static func finding(_ state: DoctorFinding.State, _ detail: String) -> DoctorFinding {
        DoctorFinding(subject: "mail", state: state, detail: detail)
    }
}
