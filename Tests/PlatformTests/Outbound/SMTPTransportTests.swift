import Platform
import Testing

@Suite(.timeLimit(.minutes(2)))
struct SMTPTransportTests {
    private static let mail = Array("Subject: A\r\n\r\nHello\r\n.dot\r\n..two\r\n".utf8)
    private static let envelope = SMTPEnvelope(
        from: "from@example.org", recipients: ["a@example.org", "b@example.org"])

    /// A server that follows the protocol, with other answers for lines that begin in a certain way.
    private static func server(_ other: [String: [LoopbackServer.Step]] = [:]) throws -> LoopbackServer {
        try LoopbackServer { _ in
            (other["greeting"] ?? [.send("220 fake ESMTP\r\n")]) + [
                .answerLines { line in
                    if let steps = other.first(where: { line.uppercased().hasPrefix($0.key.uppercased()) })?.value {
                        return steps
                    }
                    switch line.prefix(4) {
                    case "EHLO": return [.send("250-fake\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n")]
                    case "AUTH": return [.send("334 \r\n"), .readLine, .send("235 2.7.0 welcome\r\n")]
                    case "DATA": return [.send("354 go on\r\n"), .readMessage, .send("250 2.0.0 queued as 1\r\n")]
                    case "QUIT": return [.send("221 bye\r\n")]
                    default: return [.send("250 ok\r\n")]
                    }
                }
            ]
        }
    }

    private func transport(
        _ server: LoopbackServer, security: SMTPSettings.Security = .plain, user: String? = nil,
        password: String? = nil,
        timeout: Duration = .seconds(10)
    ) throws -> SMTPTransport {
        try SMTPTransport(
            SMTPSettings(
                host: "127.0.0.1", port: server.port, security: security, user: user,
                password: password.map { OutboundSecret($0) }, clientName: "client.example.org", timeout: timeout))
    }

    private func failure(
        _ transport: SMTPTransport, _ envelope: SMTPEnvelope = envelope, _ message: [UInt8] = mail
    ) async -> MailTransportError? {
        do throws(MailTransportError) {
            _ = try await transport.send(envelope: envelope, message: message)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a mail is handed over to all recipients`() async throws {
        let server = try Self.server()
        let receipt = try await transport(server, user: "me", password: "word").send(
            envelope: Self.envelope, message: Self.mail)
        let accepted = SMTPReceipt.Result.accepted(SMTPReply(code: 250, text: "2.0.0 queued as 1"))
        #expect(receipt.recipients.map(\.address) == ["a@example.org", "b@example.org"])
        #expect(receipt.recipients.allSatisfy { $0.result == accepted })
        await server.wait(for: .closed(connection: 0))
        let got = try #require(server.connections.first?.text)
        #expect(got.contains("EHLO client.example.org\r\n") && got.contains("\r\nMAIL FROM:<from@example.org>"))
        #expect(got.contains("\r\nRCPT TO:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"))
        // "\0me\0word" in base64.
        #expect(got.contains("\r\nAUTH PLAIN\r\nAG1lAHdvcmQ=\r\n"))
        #expect(got.contains("\r\n\r\nHello\r\n..dot\r\n...two\r\n.\r\n") && got.hasSuffix("QUIT\r\n"))
    }

    @Test func `a bounce has an empty sender`() async throws {
        let server = try Self.server()
        let envelope = SMTPEnvelope(from: "", recipients: ["a@example.org"])
        _ = try await transport(server).send(envelope: envelope, message: Self.mail)
        #expect(server.connections.first?.text.contains("\r\nMAIL FROM:<>") == true)
    }

    @Test func `each recipient has the answer that the server gave for it`() async throws {
        let server = try Self.server([
            "RCPT TO:<b@": [.send("550-5.1.1 nobody\r\n550 of that name\r\n")], "RCPT TO:<c@": [.send("451 later\r\n")],
        ])
        let envelope = SMTPEnvelope(from: "f@e.org", recipients: ["b@e.org", "a@e.org", "c@e.org"])
        let receipt = try await transport(server).send(envelope: envelope, message: Self.mail)
        #expect(
            receipt.recipients.map(\.result) == [
                .refused(SMTPReply(code: 550, text: "5.1.1 nobody of that name")),
                .accepted(SMTPReply(code: 250, text: "2.0.0 queued as 1")),
                .deferred(SMTPReply(code: 451, text: "later")),
            ])
        #expect(receipt.recipients.map(\.isOfMessage) == [false, true, false])
    }

    @Test func `where every recipient is refused no mail is sent and each has its answer`() async throws {
        let server = try Self.server(["RCPT": [.send("550 no\r\n")]])
        let receipt = try await transport(server).send(envelope: Self.envelope, message: Self.mail)
        #expect(receipt.recipients.allSatisfy { $0.result == .refused(SMTPReply(code: 550, text: "no")) })
        #expect(server.connections.first?.text.contains("DATA") == false)
    }

    @Test(
        arguments: [
            ("DATA", [LoopbackServer.Step.send("554 no mail today\r\n")], 554),
            ("DATA", [.send("354 go\r\n"), .readMessage, .send("552 too large\r\n")], 552),
            ("DATA", [.send("354 go\r\n"), .readMessage, .send("452 full\r\n")], 452),
        ] as [(String, [LoopbackServer.Step], Int)])
    func `a refused message is refused for all`(line: String, steps: [LoopbackServer.Step], code: Int) async throws {
        let server = try Self.server([line: steps])
        let receipt = try await transport(server).send(envelope: Self.envelope, message: Self.mail)
        #expect(receipt.recipients.count == 2)
        for entry in receipt.recipients {
            switch entry.result {
            case .accepted: Issue.record("accepted")
            case .refused(let reply): #expect(reply.code == code && code >= 500)
            case .deferred(let reply): #expect(reply.code == code && code < 500)
            }
        }
    }

    @Test(arguments: [
        ("greeting", "554 go away\r\n", MailTransportError.Code.permanent, 554),
        ("greeting", "421 busy\r\n", .transient, 421),
        ("MAIL", "550 5.7.1 not you\r\n", .permanent, 550), ("MAIL", "451 later\r\n", .transient, 451),
        ("AUTH", "535 5.7.8 wrong password\r\n", .permanent, 535), ("AUTH", "454 later\r\n", .transient, 454),
    ])
    func `a refusal before the recipients says for how long`(
        line: String, answer: String, code: MailTransportError.Code, reply: Int
    ) async throws {
        // After user and password, so that there is something to give away.
        let before: [LoopbackServer.Step] = line == "AUTH" ? [.send("334 \r\n"), .readLine] : []
        let server = try Self.server([line: before + [.send(answer)]])
        let error = await failure(try transport(server, user: "zebrafink", password: "quollmachine"))
        #expect(error?.code == code && error?.reply?.code == reply && error?.mayHaveBeenSent == false)
        #expect(error?.isTransient == (code == .transient))
        // As it is, and as it goes over the wire: "\0zebrafink\0quollmachine" in base64.
        let shown = "\(error.map { "\($0) \(String(reflecting: $0))" } ?? "")"
        for secret in ["quollmachine", "AHplYnJhZmluawBxdW9sbG1hY2hpbmU="] { #expect(!shown.contains(secret)) }
        let wasSent = server.connections.first?.text.contains("AHplYnJhZmluawBxdW9sbG1hY2hpbmU=")
        #expect(wasSent == (line == "AUTH" || line == "MAIL"))
    }

    @Test func `without TLS from the server nothing is sent`() async throws {
        let server = try Self.server()
        let error = await failure(try transport(server, security: .startTLS, user: "me", password: "word"))
        #expect(error?.code == .connection && error?.cause?.code == .tls && error?.isTransient == false)
        await server.wait(for: .closed(connection: 0))
        let got = try #require(server.connections.first?.text)
        #expect(!got.contains("AUTH") && !got.contains("MAIL"))
    }

    @Test func `a server that takes STARTTLS and speaks none is a TLS error`() async throws {
        let server = try LoopbackServer { _ in
            [
                .send("220 a\r\n"), .readLine, .send("250-a\r\n250 STARTTLS\r\n"), .readLine,
                .send("220 go\r\n250 fake\r\n"), .stall,
            ]
        }
        let error = await failure(try transport(server, security: .startTLS, user: "me", password: "word"))
        #expect(error?.code == .connection && error?.mayHaveBeenSent == false)
        #expect(error?.cause?.code == .tls || error?.cause?.code == .protocolViolation)
    }

    @Test func `TLS from the first byte, and a server that speaks none`() async throws {
        let server = try Self.server()
        let error = await failure(try transport(server, security: .tls))
        #expect(error?.code == .connection && error?.cause?.code == .tls)
    }

    @Test func `mail without TLS does not leave the machine`() async throws {
        let transport = try SMTPTransport(
            SMTPSettings(host: "192.0.2.1", port: 25, security: .plain, timeout: .seconds(5)))
        let error = await failure(transport)
        #expect(error?.cause?.code == .forbiddenAddress && error?.mend?.contains("starttls") == true)
    }

    @Test(arguments: [SMTPSettings.Security.tls, .startTLS])
    func `a server that falls silent where TLS begins ends at the deadline`(
        security: SMTPSettings.Security
    ) async throws {
        let before: [LoopbackServer.Step] = [
            .send("220 a\r\n"), .readLine, .send("250-a\r\n250 STARTTLS\r\n"), .readLine, .send("220 go\r\n"),
        ]
        let server = try LoopbackServer { _ in (security == .tls ? [] : before) + [.stall] }
        let transport = try transport(
            server, security: security, user: "me", password: "word", timeout: .milliseconds(500))
        let error = await failure(transport)
        #expect(error?.cause?.code == .timedOut && error?.isTransient == true && error?.mayHaveBeenSent == false)
        await server.wait(for: .closed(connection: 0))
        #expect(try #require(server.connections.first?.duration) < .seconds(2))
    }

    @Test(arguments: ["greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"])
    func `a server that falls silent ends at the deadline`(line: String) async throws {
        let server = try Self.server([line: [.stall]])
        let transport = try transport(server, user: "me", password: "word", timeout: .milliseconds(500))
        let error = await failure(transport)
        #expect(error?.cause?.code == .timedOut && error?.isTransient == true)
        await server.wait(for: .closed(connection: 0))
        #expect(try #require(server.connections.first?.duration) < .seconds(2))
    }

    @Test func `a mail whose end nobody confirmed may have been sent`() async throws {
        let silent = try Self.server(["DATA": [.send("354 go\r\n"), .readMessage, .stall]])
        let late = await failure(try transport(silent, timeout: .milliseconds(500)))
        #expect(late?.cause?.code == .timedOut && late?.mayHaveBeenSent == true)
        await silent.wait(for: .closed(connection: 0))
        #expect(try #require(silent.connections.first?.duration) < .seconds(2))
        let gone = try Self.server(["DATA": [.send("354 go\r\n"), .readMessage, .reset]])
        let cut = await failure(try transport(gone))
        #expect(cut?.code == .connection && cut?.mayHaveBeenSent == true)
    }

    @Test func `a server that never says goodbye is not waited for`() async throws {
        let server = try Self.server(["QUIT": [.stall]])
        let transport = try transport(server, timeout: .seconds(20))
        for connection in 0..<3 {
            _ = try await transport.send(envelope: Self.envelope, message: Self.mail)
            await server.wait(for: .closed(connection: connection))
            #expect(try #require(server.connections[connection].duration) < .seconds(5))
        }
    }

    @Test func `cancelling ends the wait for the server's last word`() async throws {
        let server = try Self.server(["DATA": [.send("354 go\r\n"), .readMessage, .readRequest]])
        let transport = try transport(server, timeout: .seconds(60))
        let task = Task { await failure(transport) }
        // The first line of the mail is in; what follows the dot is waited for inside curl.
        while server.connections.first?.text.hasSuffix("\r\n.\r\n") != true { await Task.yield() }
        task.cancel()
        let error = await task.value
        #expect(error?.code == .cancelled && error?.mayHaveBeenSent == true)
        await server.wait(for: .closed(connection: 0))
        #expect(try #require(server.connections.first?.duration) < .seconds(20))
    }

    @Test(arguments: [
        "", "a", "@", "a@", "@b", "a b@c", "a@b\r\nRCPT TO:<c@d>", "a@b>", "<a@b>", "a@b\0", "ü@b.org", "a@b..c",
        ".a@b",
        "a.@b", "\"a b\"@c", "a@[127.0.0.1]", "a@b SIZE=1", "a@b@c@", "a\n@b",
    ])
    func `what is no address goes into no command`(address: String) async throws {
        let server = try Self.server()
        let transport = try transport(server)
        let error = await failure(transport, SMTPEnvelope(from: "f@e.org", recipients: ["a@e.org", address]))
        #expect(error?.code == .invalid && error?.message.contains("recipient 2") == true)
        if !address.isEmpty {
            #expect(await failure(transport, SMTPEnvelope(from: address, recipients: ["a@e.org"]))?.code == .invalid)
        }
        #expect(server.connections.isEmpty)
    }

    @Test(arguments: ["", "a", "a\n", "a\r", "a\r\nb\nc\r\n", "a\rb\r\n", "a\r\n\n.\r\n", "a\0\r\n", "a\r\n.\n"])
    func `a message that could hide a second one is refused`(message: String) async throws {
        let server = try Self.server()
        #expect(await failure(try transport(server), Self.envelope, Array(message.utf8))?.code == .invalid)
        #expect(server.connections.isEmpty)
    }

    @Test func `settings that cannot be meant are refused`() {
        let secret = OutboundSecret("a")
        for settings in [
            SMTPSettings(host: "", port: 25), SMTPSettings(host: "a/b", port: 25), SMTPSettings(host: "a", port: 0),
            SMTPSettings(host: "a@b", port: 25), SMTPSettings(host: "a", port: 25, user: "a"),
            SMTPSettings(host: "a", port: 25, user: "a\r\n", password: secret),
            SMTPSettings(host: "a", port: 25, password: secret),
            SMTPSettings(host: "a", port: 25, clientName: "a\r\nb"),
            SMTPSettings(host: "a", port: 25, timeout: .zero),
        ] {
            #expect(throws: MailTransportError.self) { try SMTPTransport(settings) }
        }
    }
}
