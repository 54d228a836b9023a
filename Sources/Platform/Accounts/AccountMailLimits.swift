internal import Foundation
internal import Store

/// How often mail about accounts can be asked for: by the address that it goes to, so that nobody's mailbox is filled, and
/// by the network that asks. Whether there is an account with the address is not looked at, so that having to wait tells
/// nobody.
struct AccountMailLimits: Sendable {
    private let attempts: SignInAttemptRepository
    private let cipher: any ColumnCipher
    private let clock: @Sendable () -> Date

    init(_ database: any SQLDatabase, cipher: any ColumnCipher, clock: @escaping @Sendable () -> Date) {
        attempts = SignInAttemptRepository(database, clock: clock)
        self.cipher = cipher
        self.clock = clock
    }

    /// Counts a message.
    ///
    /// - Parameters:
    ///   - email: the address of mail; the text of an `EmailAddress`.
    ///   - network: the client's address; nil where there is none.
    /// - Throws: `IdentityError` of code `askedTooOften`, and then nothing was counted; `StoreError`.
    func count(_ message: AccountMessageKind, to email: String, network: String?) async throws {
        var limits = [LockOut.ofMailbox.limit(of: subject(message, "mailbox", email))]
        if let network {
            let subject = subject(message, "network", SignIn.network(of: network))
            limits.append(LockOut.ofMailByAddress.limit(of: subject))
        }
        guard let until = try await attempts.count(limits) else { return }
        let seconds = max(1, Int(until.timeIntervalSince(clock()).rounded(.up)))
        throw IdentityError(
            .askedTooOften, "this was asked for too often; look into your mail, or try again in \(seconds) s",
            retryAfter: .seconds(seconds))
    }

    private func subject(_ message: AccountMessageKind, _ of: String, _ text: String) -> String {
        "\(message.rawValue)-\(of):" + cipher.index(text, column: "sign_in_attempts.subject")
    }
}
