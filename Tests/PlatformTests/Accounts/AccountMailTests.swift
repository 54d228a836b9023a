import Foundation
import Platform
import Store
import Testing

struct AccountMailTests {
    private static let notReached = MailOutcome.deferred(MailFailure(.notReached, "nobody listens"))

    @Test func `a link to set another password comes by mail and works`() async throws {
        try await AccountMailScene.run { scene in
            let user = try await scene.user("ada")
            try await scene.mail.requestPasswordReset(email: " ADA@example.org", network: "192.0.2.1")
            #expect(scene.mailer.sent.isEmpty, "asking sends nothing by itself")
            await scene.work()
            #expect(scene.mailer.sent.map { $0.to.addressSpec } == ["ada@example.org"])
            #expect(scene.mailer.sent.allSatisfy { $0.automation == .generated && $0.list == nil })
            let secret = try scene.secret(in: scene.mailer.sent.last, of: "/reset-password")
            #expect(try await scene.identity.resetPassword(link: secret, to: "four other words").id == user.id)
            #expect(try await scene.tasks().map(\.result) == [#"{"outcome":"sent"}"#])
        }
    }

    @Test func `asking leaves the same behind whether there is an account or not`() async throws {
        try await AccountMailScene.run { scene in
            try await scene.user("ada")
            for name in ["ada", "nobody"] {
                try await scene.mail.requestPasswordReset(email: "\(name)@example.org", network: nil)
            }
            let tasks = try await scene.tasks()
            #expect(tasks.count == 2)
            for task in tasks {
                #expect(task.kind == AccountMail.taskKind && task.uniqueKey == nil && task.state == .waiting)
                #expect(task.payload.utf8.count == tasks[0].payload.utf8.count)
                #expect(!task.payload.contains("example") && !task.payload.contains("ada"), "\(task.payload)")
            }
            #expect(try await scene.fixture.count("sign_in_links") == 0, "no secret lies in wait")
            await scene.work()
            #expect(scene.mailer.sent.map { $0.to.addressSpec } == ["ada@example.org"])
            #expect(
                Set(try await scene.tasks().compactMap(\.result))
                    == [#"{"outcome":"sent"}"#, #"{"outcome":"nobody"}"#])
            // Neither the link nor the address is in what administrators see.
            for task in try await scene.tasks() {
                let shown = [task.payload, task.result, task.lastError, task.progress].compactMap { $0 }.joined()
                let secret = try scene.secret(in: scene.mailer.sent.last, of: "/reset-password")
                #expect(!shown.contains(secret) && !shown.contains("example"))
            }
        }
    }

    @Test func `a mail server that is down delays the message, whose link holds from when it is sent`() async throws {
        try await AccountMailScene.run(Array(repeating: Self.notReached, count: 12)) { scene in
            try await scene.user("ada")
            try await scene.mail.requestPasswordReset(email: "ada@example.org", network: nil)
            for _ in 0..<12 {
                await scene.work()
                #expect(try await scene.tasks().map(\.state) == [.waiting])
                scene.fixture.clock.advance(by: 3_600)
            }
            await scene.work()
            #expect(try await scene.tasks().map(\.state) == [.done])
            #expect(Set(scene.mailer.sent.map(\.id)).count == 1, "one message, tried often")
            scene.fixture.clock.advance(by: 3_599)
            let links = try scene.mailer.sent.map { try scene.secret(in: $0, of: "/reset-password") }
            #expect(Set(links).count == 13, "each attempt has a secret of its own")
            let last = try #require(links.last)
            #expect(try await scene.identity.holds(link: last, for: .passwordReset))
            try await scene.identity.resetPassword(link: last, to: "four other words")
            for link in links { #expect(try await !scene.identity.holds(link: link, for: .passwordReset)) }
        }
    }

    @Test func `it can be asked for three times, then after 5, 10, 20 … minutes, whoever asks`() async throws {
        for email in ["ada@example.org", "nobody@example.org"] {
            try await AccountMailScene.run { scene in
                try await scene.user("ada")
                for number in 0..<3 {
                    try await scene.mail.requestPasswordReset(email: email, network: "192.0.2.\(number)")
                }
                for minutes in [5, 10, 20, 40, 60, 60] {
                    let error = await expectIdentityError(.askedTooOften) {
                        try await scene.mail.requestPasswordReset(email: email, network: nil)
                    }
                    #expect(error?.retryAfter == .seconds(60 * minutes), "\(email)")
                    scene.fixture.clock.advance(by: TimeInterval(60 * minutes))
                    try await scene.mail.requestPasswordReset(email: email, network: nil)
                }
                // A mailbox of its own.
                try await scene.mail.requestPasswordReset(email: "bob@example.org", network: nil)
            }
        }
    }

    @Test func `a network asks for twenty messages an hour, whomever they are to`() async throws {
        try await AccountMailScene.run { scene in
            for number in 0..<20 {
                try await scene.mail.requestPasswordReset(email: "user\(number)@example.org", network: "2001:db8::1")
            }
            await expectIdentityError(.askedTooOften) {
                try await scene.mail.requestPasswordReset(email: "ada@example.org", network: "2001:db8::ffff")
            }
            try await scene.mail.requestPasswordReset(email: "ada@example.org", network: "192.0.2.1")
            let subjects = try await scene.fixture.database.read {
                try $0.query("SELECT subject FROM sign_in_attempts").map { try $0.text("subject") }
            }
            #expect(subjects.allSatisfy { !$0.contains("example") && !$0.contains("2001") })
        }
    }

    @Test func `the address that somebody signed up with is confirmed by its link`() async throws {
        try await AccountMailScene.run { scene in
            let user = try await scene.user("ada")
            await scene.mail.welcome(user, network: "192.0.2.1")
            await scene.work()
            let message = try #require(scene.mailer.sent.last)
            // A name is what somebody typed, perhaps not the one who reads it.
            #expect(message.to.name == nil && !message.text.contains("ada") && message.html?.contains("ada") == false)
            let secret = try scene.secret(in: message, of: "/verify-address")
            #expect(message.html?.contains("token=\(secret)\"") == true)
            try await scene.identity.verifyAddress(link: secret)
            #expect(try await scene.identity.user(id: user.id)?.isEmailVerified == true)
            // Nobody is asked again.
            #expect(try await !scene.mail.requestVerification(of: user.id, network: nil))
            await scene.work()
            #expect(scene.mailer.sent.count == 1)
        }
    }

    @Test func `who was disabled or confirmed the address meanwhile gets no message`() async throws {
        try await AccountMailScene.run { scene in
            let (ada, bob) = (try await scene.user("ada"), try await scene.user("bob"))
            for user in [ada, bob] { await scene.mail.welcome(user, network: nil) }
            try await scene.mail.requestPasswordReset(email: "ada@example.org", network: nil)
            try await scene.identity.setState(.disabled, of: ada.id)
            let link = try await scene.identity.makeLink(.addressVerification, for: bob.id)
            try await scene.identity.verifyAddress(link: link)
            await scene.work()
            #expect(scene.mailer.sent.isEmpty)
            #expect(try await scene.tasks().map(\.result) == Array(repeating: #"{"outcome":"nobody"}"#, count: 3))
        }
    }

    @Test func `a changed password is told to who confirmed their address, and to nobody else`() async throws {
        try await AccountMailScene.run { scene in
            let user = try await scene.user("ada")
            await scene.mail.tellOfChangedPassword(user.id)
            await scene.work()
            #expect(scene.mailer.sent.isEmpty)
            let link = try await scene.identity.makeLink(.addressVerification, for: user.id)
            try await scene.identity.verifyAddress(link: link)
            await scene.mail.tellOfChangedPassword(user.id)
            await scene.work()
            #expect(scene.mailer.sent.count == 1)
            #expect(scene.mailer.sent.last?.text.contains("token=") == false)
            #expect(scene.mailer.sent.last?.text.contains("\(AccountMailScene.base)/forgot-password") == true)
        }
    }

    @Test func `an address that refused mail for good gets no more, and the task ends`() async throws {
        let gone = MailOutcome.refused(MailFailure(.noSuchMailbox, "no such mailbox", code: 550, status: "5.1.1"))
        try await AccountMailScene.run([gone]) { scene in
            try await scene.user("ada")
            for _ in 0..<2 {
                try await scene.mail.requestPasswordReset(email: "ada@example.org", network: nil)
                await scene.work()
                scene.fixture.clock.advance(by: 1)
            }
            #expect(scene.mailer.sent.count == 1)
            #expect(
                Set(try await scene.tasks().compactMap(\.result))
                    == [#"{"outcome":"refused"}"#, #"{"outcome":"suppressed"}"#])
        }
    }

    @Test func `without a way out nothing can be asked for, and what waits can be tried again`() async throws {
        try await AccountMailScene.run(isConfigured: false) { scene in
            let user = try await scene.user("ada")
            #expect(!scene.mail.isOn)
            for email in ["ada@example.org", "nobody@example.org", "no address"] {
                await expectIdentityError(.mailUnavailable) {
                    try await scene.mail.requestPasswordReset(email: email, network: nil)
                }
            }
            await expectIdentityError(.mailUnavailable) {
                try await scene.mail.requestVerification(of: user.id, network: nil)
            }
            await scene.mail.welcome(user, network: nil)
            #expect(try await scene.tasks().isEmpty)
            let payload = #"{"message":"password_reset","address_index":"x"}"#
            _ = try await scene.queue.enqueue(kind: AccountMail.taskKind, payload: payload)
            await scene.work()
            let task = try #require(try await scene.tasks().first)
            #expect(task.state == .dead && task.lastError?.contains("public_url") == true)
        }
    }

    @Test func `a task waits for the port that links need`() async throws {
        let address = PublicAddress(publicURL: nil, loopbackHost: "127.0.0.1", port: 0)
        try await AccountMailScene.run(address: address) { scene in
            try await scene.user("ada")
            try await scene.mail.requestPasswordReset(email: "ada@example.org", network: nil)
            await scene.work()
            #expect(scene.mailer.sent.isEmpty)
            #expect(try await scene.tasks().map(\.state) == [.waiting])
            address.listens(on: 8_123)
            scene.fixture.clock.advance(by: 2)
            await scene.work()
            #expect(scene.mailer.sent.last?.text.contains("http://127.0.0.1:8123/reset-password?token=") == true)
        }
    }

    @Test func `a mistyped address is told as one`() async throws {
        try await AccountMailScene.run { scene in
            for wrong in ["", "ada", "ada@", "ada@example", "a\r\nBcc: b@example.org"] {
                await expectIdentityError(.invalidEmail) {
                    try await scene.mail.requestPasswordReset(email: wrong, network: nil)
                }
            }
            let tasks = try await scene.tasks()
            #expect(tasks.isEmpty)
        }
    }
}

struct MailRecipientsTests {
    @Test func `what nobody asked for goes to confirmed addresses alone`() async throws {
        try await AccountMailScene.run { scene in
            let recipients = MailRecipients(
                users: UserRepository(scene.fixture.database, cipher: PlainColumns(), clock: scene.fixture.clock.read))
            let user = try await scene.user("ada")
            let bare = try await scene.identity.createUser(email: nil, password: nil, name: nil, role: .admin)
            #expect(try await recipients.address(of: user.id, for: .asked)?.addressSpec == "ada@example.org")
            #expect(try await recipients.address(of: user.id, for: .notice) == nil)
            let link = try await scene.identity.makeLink(.addressVerification, for: user.id)
            try await scene.identity.verifyAddress(link: link)
            #expect(try await recipients.address(of: user.id, for: .notice)?.addressSpec == "ada@example.org")
            for id in [bare.id, "unknown"] {
                #expect(try await recipients.address(of: id, for: .asked) == nil)
            }
            try await scene.identity.setState(.disabled, of: user.id)
            #expect(try await recipients.address(of: user.id, for: .asked) == nil)
            #expect(try await recipients.address(of: user.id, for: .notice) == nil)
        }
    }
}

struct PublicAddressTests {
    @Test(
        arguments: [
            ("https://careers.example.org", nil, 8080, "https://careers.example.org"),
            ("https://example.org/careers//", "127.0.0.1", 8080, "https://example.org/careers"),
            (nil, "127.0.0.1", 8080, "http://127.0.0.1:8080"), (nil, "::1", 81, "http://[::1]:81"),
            (nil, "[::1]", 81, "http://[::1]:81"), (nil, "localhost", 0, nil), (nil, nil, 8080, nil),
        ] as [(String?, String?, Int, String?)])
    func `the setting comes before where the service listens`(
        url: String?, host: String?, port: Int, base: String?
    ) {
        let address = PublicAddress(publicURL: url, loopbackHost: host, port: port)
        #expect(address.base == base)
        #expect(address.isKnown == (url != nil || host != nil))
    }

    @Test func `a port that is found out later counts, where nothing else was set`() {
        let free = PublicAddress(publicURL: nil, loopbackHost: "127.0.0.1", port: 0)
        let fixed = PublicAddress(publicURL: "https://careers.example.org", loopbackHost: "127.0.0.1", port: 0)
        for address in [free, fixed] { address.listens(on: 4_711) }
        #expect(free.base == "http://127.0.0.1:4711" && fixed.base == "https://careers.example.org")
    }
}
