internal import Foundation
package import Store

/// Asks for mail about accounts. What is asked for is a task, so that a mail server that is down delays it and does not
/// lose it, and so that asking takes the same time whether there is an account or not: the task looks.
package struct AccountMail: Sendable {
    /// What a task holds. The address stands there as its index: administrators see tasks. The link's secret is made when
    /// the message is sent, and stands in the message alone.
    struct Wanted: Codable {
        let message: AccountMessageKind
        let addressIndex: String

        enum CodingKeys: String, CodingKey {
            case message
            case addressIndex = "address_index"
        }
    }

    /// The kind of its tasks.
    package static let taskKind = "account_mail"
    /// With the back-off of tasks more than a day, for a mail server that is down over night.
    static let attempts = 64
    /// Somebody waits for it.
    static let priority = 10

    private let identity: Identity
    private let queue: TaskQueue
    private let limits: AccountMailLimits
    let address: PublicAddress
    let isConfigured: Bool

    /// - Parameters:
    ///   - cipher: by whose index it is counted who asks how often.
    ///   - isConfigured: whether a mail server or a folder for messages is set.
    package init(
        identity: Identity, cipher: any ColumnCipher, queue: TaskQueue, address: PublicAddress, isConfigured: Bool
    ) {
        self.identity = identity
        self.queue = queue
        limits = AccountMailLimits(identity.database, cipher: cipher, clock: identity.clock)
        self.address = address
        self.isConfigured = isConfigured
    }

    /// Whether messages can be sent: they need a way out, and an address for their links.
    package var isOn: Bool { isConfigured && address.isKnown }

    /// Has a link to set another password mailed to an address, if it is an account's.
    ///
    /// - Parameter network: the client's address, of the network.
    /// - Throws: `IdentityError` of code `mailUnavailable`, `invalidEmail` or `askedTooOften`, none of which depends on
    ///   whether there is an account; `StoreError`.
    package func requestPasswordReset(email given: String, network: String?) async throws {
        try requireOn()
        let email = try EmailAddress(given)
        try await limits.count(.passwordReset, to: email.text, network: network)
        try await queue(.passwordReset, to: email.text)
    }

    /// Has a link mailed to an account's address by which its owner shows that it is theirs.
    ///
    /// - Returns: whether it was queued; false where the address is verified already or there is none.
    /// - Throws: `IdentityError` of code `mailUnavailable`, `notFound` or `askedTooOften`; `StoreError`.
    @discardableResult
    package func requestVerification(of userID: String, network: String?) async throws -> Bool {
        try requireOn()
        let user = try await identity.existingUser(userID)
        guard let email = user.email, !user.isEmailVerified else { return false }
        try await limits.count(.addressVerification, to: email, network: network)
        try await queue(.addressVerification, to: email)
        return true
    }

    /// The same for who has just signed up. Nobody's signing up fails by it: they can ask for the message later.
    package func welcome(_ user: UserRecord, network: String?) async {
        guard isOn else { return }
        _ = try? await requestVerification(of: user.id, network: network)
    }

    /// Tells somebody that their password was changed, where their address is verified. The change is done by then, and
    /// does not fail by it.
    package func tellOfChangedPassword(_ userID: String) async {
        guard isOn, let user = try? await identity.user(id: userID), let email = user.email, user.isEmailVerified else {
            return
        }
        try? await queue(.passwordChanged, to: email)
    }

    private func requireOn() throws(IdentityError) {
        guard isOn else {
            throw IdentityError(
                .mailUnavailable, "no mail about accounts is sent here; ask who runs the service for a new password")
        }
    }

    private func queue(_ message: AccountMessageKind, to email: String) async throws {
        let payload = try JSONEncoder().encode(
            Wanted(message: message, addressIndex: identity.users.index(of: email)))
        // Without a unique key: what waits for a mail server must not change how long the next request takes.
        try await queue.enqueue(
            kind: Self.taskKind, payload: String(decoding: payload, as: UTF8.self), priority: Self.priority,
            maximumAttempts: Self.attempts)
    }
}
