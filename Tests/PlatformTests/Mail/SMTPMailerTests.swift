import Foundation
import Platform
import Store
import TestSupport
import Testing

struct SMTPMailerTests {
    private static func outcome(
        _ answer: @escaping @Sendable (SMTPEnvelope, [UInt8]) throws(MailTransportError) -> SMTPReceipt
    ) async throws -> MailOutcome {
        let mailer = SMTPMailer(ScriptedTransport(answer: answer), server: "mail.example.org:587")
        return await mailer.send(try MailFixture.message())
    }

    @Test func `a message goes from the sender to the recipient, as it was encoded`() async throws {
        let outcome = try await Self.outcome { envelope, bytes in
            let decoded = try? MailDecoder(bytes)
            let isWhole = decoded?.texts == ["text/plain": "Hello"]
            let code =
                envelope.from == "mail@careers.example.org" && envelope.recipients == ["ada@example.org"] && isWhole
            return SMTPReceipt(recipients: [
                .init(
                    address: "ada@example.org",
                    result: .accepted(SMTPReply(code: code ? 250 : 299, text: "2.0.0 queued")))
            ])
        }
        #expect(
            outcome
                == .sent(MailReceipt(place: "the mail server mail.example.org:587", answer: "250 2.0.0 queued")))
    }

    @Test(arguments: [
        (550, "5.1.1 no such user", true), (550, "no such user here", true), (551, "user not local", true),
        (553, "mailbox name not allowed", true), (554, "5.1.1 unknown", true), (550, "5.2.1 disabled", true),
        (550, "5.0.0 no", true), (550, "5.7.1 relaying denied", false), (552, "5.2.2 mailbox full", false),
        (550, "5.2.2 mailbox full", false), (550, "5.1.8 bad sender", false), (554, "go away", false),
        (552, "too much", false), (550, "5.1 odd", true), (550, "4.1.1 odd class", true),
    ])
    func `a refused recipient is remembered only where the mailbox is missing`(
        code: Int, words: String, isMissing: Bool
    ) async throws {
        let outcome = try await Self.outcome { envelope, _ in
            SMTPReceipt(recipients: [.init(address: "", result: .refused(SMTPReply(code: code, text: words)))])
        }
        guard case .refused(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect((failure.cause == .noSuchMailbox) == isMissing)
        #expect(failure.code == code && failure.serverWords == words && !failure.isOfService)
        #expect(!failure.description.contains(words), "the server's words may hold the address")
    }

    @Test func `a message that is refused says nothing of the mailbox`() async throws {
        let outcome = try await Self.outcome { _, _ in
            SMTPReceipt(recipients: [
                .init(address: "", result: .refused(SMTPReply(code: 550, text: "looks like spam")), isOfMessage: true)
            ])
        }
        guard case .refused(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.cause == .message && failure.brief == "550")
    }

    @Test(arguments: [(450, "4.2.0 greylisted"), (421, "closing"), (452, "4.3.1 full")])
    func `a refusal for now is worth another attempt`(code: Int, words: String) async throws {
        let outcome = try await Self.outcome { _, _ in
            SMTPReceipt(recipients: [.init(address: "", result: .deferred(SMTPReply(code: code, text: words)))])
        }
        guard case .deferred(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.cause == .busy && !failure.isOfService)
    }

    @Test(arguments: [
        (
            MailTransportError(.permanent, "refused at authentication", reply: SMTPReply(code: 535, text: "5.7.8 no")),
            MailFailure.Cause.authentication
        ),
        (
            MailTransportError(
                .permanent, "refused at sender", reply: SMTPReply(code: 530, text: "5.7.0 STARTTLS first")),
            .authentication
        ),
        (MailTransportError(.permanent, "refused at sender", reply: SMTPReply(code: 550, text: "5.1.8 who?")), .sender),
        (MailTransportError(.permanent, "refused at greeting", reply: SMTPReply(code: 554, text: "go away")), .sender),
        (MailTransportError(.transient, "refused at greeting", reply: SMTPReply(code: 421, text: "busy")), .busy),
        (MailTransportError(.connection, "a", cause: OutboundError(.tls, "a", mend: "b")), .tls),
        (MailTransportError(.connection, "a", cause: OutboundError(.notConnected, "a")), .notReached),
        (
            MailTransportError(.connection, "a", cause: OutboundError(.timedOut, "a"), mayHaveBeenSent: true),
            .notReached
        ),
        (MailTransportError(.connection, "a", cause: OutboundError(.cutOff, "a")), .cutOff),
        (MailTransportError(.cancelled, "a", cause: OutboundError(.cancelled, "a")), .cancelled),
        (MailTransportError(.closed, "a"), .cancelled),
    ])
    func `what keeps a dialogue from its end leaves the message for later`(
        error: MailTransportError, cause: MailFailure.Cause
    ) async throws {
        let outcome = try await Self.outcome { _, _ throws(MailTransportError) in throw error }
        guard case .deferred(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.cause == cause)
        #expect(failure.description.contains("may have been taken on") == error.mayHaveBeenSent)
        if let mend = error.cause?.mend { #expect(failure.mend == mend) }
    }

    @Test func `what can never be sent is refused`() async throws {
        for error in [
            MailTransportError(.invalid, "a"),
            MailTransportError(.permanent, "a", reply: SMTPReply(code: 552, text: "5.3.4 too big")),
        ] {
            let outcome = try await Self.outcome { _, _ throws(MailTransportError) in throw error }
            guard case .refused(let failure) = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            #expect(failure.cause != .noSuchMailbox)
        }
    }
}

struct FolderMailerTests {
    @Test func `messages are files in the order of their moments, for the owner alone`() async throws {
        let scratch = try TemporaryDirectory("mail")
        let folder = scratch.path + "/a/mail"
        for second in [2.0, 0.5, 1.0] {
            let mailer = FolderMailer(
                folder: folder, clock: { Date(timeIntervalSince1970: 1_795_309_235 + second) }, random: { 0xAB })
            guard case .sent(let receipt) = await mailer.send(try MailFixture.message(text: "at \(second)")) else {
                Issue.record("not sent")
                return
            }
            #expect(FileManager.default.fileExists(atPath: receipt.place))
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(
            names == [
                "20261122T010035.500Z-00000000000000ab.eml", "20261122T010036.000Z-00000000000000ab.eml",
                "20261122T010037.000Z-00000000000000ab.eml",
            ])
        let texts = try names.map { name in
            try MailDecoder(Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))).texts["text/plain"]
        }
        #expect(texts == ["at 0.5", "at 1.0", "at 2.0"])
        for (path, mode) in [(folder, 0o700), ("\(folder)/\(names[0])", 0o600)] {
            let given = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(given == mode, "\(path)")
        }
    }

    @Test func `messages of one moment do not replace each other`() async throws {
        let scratch = try TemporaryDirectory("mail")
        let mailer = FolderMailer(folder: scratch.path, clock: { MailFixture.moment })
        for _ in 0..<20 { _ = await mailer.send(try MailFixture.message()) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).count == 20)
    }

    @Test func `a folder that cannot be written leaves the message for later and says why`() async throws {
        let scratch = try TemporaryDirectory("mail")
        try scratch.write("a file", to: "mail")
        let outcome = await FolderMailer(folder: scratch.path + "/mail").send(try MailFixture.message())
        guard case .deferred(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.cause == .folder && failure.description.contains(scratch.path) && failure.mend != nil)
    }
}

struct MailPlanTests {
    private static func plan(
        _ change: (inout MailSettings) -> Void, password: String = "geheim\n"
    ) throws -> MailPlan {
        var settings = MailSettings()
        change(&settings)
        return try MailPlan(settings, dataFolder: "/data", readFile: { _ throws(MailError) in password })
    }

    @Test func `without a server messages go to a folder`() throws {
        guard case .folder(let path) = try Self.plan({ _ in }).route else {
            Issue.record("not a folder")
            return
        }
        #expect(path == "/data/mail")
        guard case .folder(let other) = try Self.plan({ $0.folder = "/elsewhere" }).route else {
            Issue.record("not a folder")
            return
        }
        #expect(other == "/elsewhere")
    }

    @Test func `a server has the port of its security and a password from a file`() throws {
        for (security, port) in [(SMTPSettings.Security.startTLS, 587), (.tls, 465), (.plain, 25)] {
            let plan = try Self.plan {
                $0.host = "127.0.0.1"
                $0.from = "Pathlight <mail@example.org>"
                $0.security = security
                $0.user = "me"
                $0.passwordFile = "/secret"
            }
            guard case .server(let server) = plan.route else {
                Issue.record("not a server")
                return
            }
            #expect(server.port == port && server.user == "me" && server.password?.exposed == "geheim")
            #expect(plan.from.name?.text == "Pathlight")
            #expect(!"\(plan)".contains("geheim"))
        }
    }

    @Test func `what goes unprotected to another machine is warned of`() throws {
        for host in ["127.0.0.1", "::1", "localhost"] {
            let own = try Self.plan { ($0.host, $0.from, $0.security) = (host, "a@b.org", .plain) }
            #expect(own.warning == nil, "\(host)")
        }
        for host in ["mail.example.org", "192.0.2.2", "127.example.org"] {
            let other = try Self.plan { ($0.host, $0.from, $0.security) = (host, "a@b.org", .plain) }
            #expect(other.warning?.contains(host) == true && other.warning?.contains("`starttls`") == true, "\(host)")
            for security in [SMTPSettings.Security.startTLS, .tls] {
                let sealed = try Self.plan { ($0.host, $0.from, $0.security) = (host, "a@b.org", security) }
                #expect(sealed.warning == nil)
            }
        }
        #expect(try Self.plan({ _ in }).warning == nil)
    }

    @Test func `settings that do not go together name what is wrong`() throws {
        let cases: [(String, (inout MailSettings) -> Void)] = [
            ("mail.from", { $0.host = "a" }),
            ("mail.from", { $0.from = "no address" }),
            ("mail.smtp.host", { $0.port = 25 }),
            ("mail.smtp.host", { $0.user = "me" }),
            ("mail.folder", { ($0.host, $0.from, $0.folder) = ("a", "a@b.org", "/x") }),
            ("mail.smtp.password_file", { ($0.host, $0.from, $0.user) = ("a", "a@b.org", "me") }),
            ("mail.smtp.user", { ($0.host, $0.from, $0.passwordFile) = ("a", "a@b.org", "/x") }),
            (
                "plain",
                { settings in
                    (settings.host, settings.from, settings.user) = ("mail.example.org", "a@b.org", "me")
                    (settings.passwordFile, settings.security) = ("/x", .plain)
                }
            ),
        ]
        for (name, change) in cases {
            let error = #expect(throws: MailError.self) { try Self.plan(change) }
            #expect(error?.message.contains(name) == true, "\(name): \(error?.message ?? "")")
        }
        for password in ["", "\n", "a\u{1}b"] {
            #expect(throws: MailError.self) {
                try Self.plan(
                    {
                        ($0.host, $0.from, $0.user, $0.passwordFile) = ("127.0.0.1", "a@b.org", "me", "/x")
                    }, password: password)
            }
        }
    }

    @Test func `a password file that everybody may read is refused`() throws {
        let scratch = try TemporaryDirectory("secret")
        let file = try scratch.write("geheim\r\nsecond line\n", to: "password")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        #expect(try MailPlan.readPassword(file.path).hasPrefix("geheim"))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
        let error = #expect(throws: MailError.self) { try MailPlan.readPassword(file.path) }
        #expect(error?.message.contains("chmod") == true && error?.message.contains("geheim") == false)
        #expect(throws: MailError.self) { try MailPlan.readPassword(scratch.path) }
        #expect(throws: MailError.self) { try MailPlan.readPassword(scratch.path + "/none") }
    }
}
