import Platform
import Testing

/// Talking to a mail server without a mail.
@Suite(.timeLimit(.minutes(2)))
struct SMTPProbeTests {
    private static func server(_ other: [String: [LoopbackServer.Step]] = [:]) throws -> LoopbackServer {
        try LoopbackServer { _ in
            [
                .send("220 fake ESMTP\r\n"),
                .answerLines { line in
                    let verb = String(line.prefix(4))
                    if let steps = other[verb] { return steps }
                    switch verb {
                    case "EHLO": return [.send("250-fake\r\n250 AUTH PLAIN\r\n")]
                    case "AUTH": return [.send("334 \r\n"), .readLine, .send("235 2.7.0 welcome\r\n")]
                    case "QUIT": return [.send("221 bye\r\n")]
                    default: return [.send("250 ok\r\n")]
                    }
                },
            ]
        }
    }

    private func failure(_ server: LoopbackServer, user: String? = nil) async throws -> MailTransportError? {
        let transport = try SMTPTransport(
            SMTPSettings(
                host: "127.0.0.1", port: server.port, security: .plain, user: user,
                password: user.map { _ in OutboundSecret("word") }, clientName: "client.example.org",
                timeout: .seconds(5)))
        defer { transport.close() }
        do throws(MailTransportError) {
            try await transport.probe()
            return nil
        } catch {
            return error
        }
    }

    @Test func `a server is asked up to user and password, and gets no mail`() async throws {
        let server = try Self.server()
        #expect(try await failure(server, user: "me") == nil)
        await server.wait(for: .closed(connection: 0))
        let got = try #require(server.connections.first?.text)
        #expect(got.contains("EHLO client.example.org\r\n") && got.contains("AUTH PLAIN\r\n"))
        #expect(got.contains("NOOP\r\n") && got.hasSuffix("QUIT\r\n"))
        #expect(!got.contains("MAIL") && !got.contains("RCPT") && !got.contains("DATA"))
    }

    @Test func `what the server does not take is told as for a mail`() async throws {
        let wrong = try await failure(try Self.server(["AUTH": [.send("535 5.7.8 wrong password\r\n")]]), user: "me")
        #expect(wrong?.code == .permanent && wrong?.reply?.code == 535)
        guard let wrong, case .deferred(let told) = SMTPMailer.outcome(of: wrong) else {
            Issue.record("\(String(describing: wrong))")
            return
        }
        #expect(told.cause == .authentication)
        let busy = try await failure(
            try Self.server(["EHLO": [.send("421 busy\r\n")], "HELO": [.send("421 busy\r\n")]]))
        #expect(busy?.code == .transient)
        let server = try Self.server()
        server.stop()
        #expect(try await failure(server)?.code == .connection)
    }
}
