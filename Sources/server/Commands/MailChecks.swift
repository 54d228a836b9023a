internal import CoreFoundation
internal import Foundation
internal import Glibc
internal import Platform

/// What `pathlight doctor` looks at where mail goes out.
enum MailChecks {
    /// - Parameter isOnline: whether the mail server is asked, up to user and password.
    static func all(_ settings: ServiceSettings, isOnline: Bool) async -> [DoctorFinding] {
        do throws(SettingsError) {
            let plan = try settings.makeMail().plan
            switch plan.route {
            case .folder(let path): return [folder(path)]
            case .server(let server): return [await self.server(server, isOnline: isOnline)]
            }
        } catch {
            return [finding(.broken, "\(error)")]
        }
    }

    private static func folder(_ path: String) -> DoctorFinding {
        // The folder is made with the first message: until then the one above it counts.
        var place = URL(fileURLWithPath: path, isDirectory: true)
        var isFolder: ObjCBool = false
        // SAFETY: the flag is written during the call alone.
        while unsafe !FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder), place.path != "/" {
            place.deleteLastPathComponent()
        }
        // SAFETY: the path is read as a C string for the time of the call.
        guard isFolder.boolValue, unsafe Glibc.access(place.path, W_OK | X_OK) == 0 else {
            return finding(
                .degraded, "\(path) cannot be written, so that mail waits; change its owner or rights, or `mail.folder`"
            )
        }
        return finding(.good, "no server is set; messages are left in \(path)")
    }

    private static func server(_ server: SMTPSettings, isOnline: Bool) async -> DoctorFinding {
        let name = "\(server.host):\(server.port), \(server.security.rawValue)"
        if let file = server.authorities, !FileManager.default.isReadableFile(atPath: file) {
            return finding(.degraded, "\(file), which `mail.smtp.ca_file` names, cannot be read, so that mail waits")
        }
        guard isOnline else { return finding(.good, "\(name); not asked, `--online` does") }
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
