internal import ArgumentParser
internal import Foundation
internal import Platform

/// `pathlight mail`: what an operator needs to know of mail.
struct MailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mail", abstract: "Tests that mail goes out, and tells to whom none goes.",
        subcommands: [Test.self, MailBouncesCommand.self, MailSuppressedCommand.self, MailLiftCommand.self])

    /// `pathlight mail test --to ADDRESS`
    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sends one message with the present settings, and says what failed and how to mend it.")

        @Option(help: "Whom to send it to: name@example.org.")
        var to: String

        @OptionGroup var common: CommonOptions

        func validate() throws {
            do {
                _ = try MailAddress(parsing: to)
            } catch {
                throw ValidationError("--to: \(error)")
            }
        }

        func run() async throws {
            let (settings, _) = try common.settings()
            let (plan, mailer) = try settings.makeMail()
            let message = try Self.message(from: plan.from, to: try MailAddress(parsing: to))
            switch await mailer.send(message) {
            case .sent(let receipt):
                try Terminal.data(
                    receipt.answer.map { "sent: \(receipt.place) took the message on (\($0))" }
                        ?? "no mail server is set; the message lies in \(receipt.place)")
            case .deferred(let failure):
                throw StartProblem("not sent: \(Self.words(of: failure)) (by \(mailer.place))")
            case .refused(let failure):
                throw StartProblem("refused for good: \(Self.words(of: failure)) (by \(mailer.place))")
            }
        }

        private static func words(of failure: MailFailure) -> String {
            let server = failure.serverWords.map { ": it says “\($0)”" } ?? ""
            return failure.message + server + (failure.mend.map { ". \($0)" } ?? "")
        }

        /// Beyond ASCII on purpose: what arrives shows that nothing on the way broke it.
        private static func message(from: MailAddress, to: MailAddress) throws(MailError) -> MailMessage {
            let moment = Date()
            return try MailMessage(
                from: from, to: to, subject: HeaderText("Pathlight’s test message ✓"),
                text: """
                    This message was sent by “pathlight mail test”. Mail goes out as it should.

                    Grüße · Здравствуйте · שלום · こんにちは · 🧭

                    Nobody needs to answer it.
                    """,
                html: """
                    <!doctype html>
                    <html lang="en-GB"><head><meta charset="utf-8"><title>Pathlight’s test message</title></head><body>
                    <p>This message was sent by <code>pathlight mail test</code>. Mail goes out as it should.</p>
                    <p>Grüße · Здравствуйте · שלום · こんにちは · 🧭</p>
                    <p>Nobody needs to answer it.</p>
                    </body></html>
                    """,
                id: MailMessageID(key: "test \(UUID().uuidString)", sender: from), date: moment)
        }
    }
}
