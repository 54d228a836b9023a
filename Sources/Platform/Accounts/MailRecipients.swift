package import Store

/// Whom mail to an account goes to.
///
/// Everything that writes to somebody by the id of their account asks here for the address: people sign up with addresses
/// that are not theirs, and whoever those belong to has asked for nothing.
package struct MailRecipients: Sendable {
    /// Why somebody is written to.
    package enum Reason: Sendable, Equatable {
        /// Somebody asked for it at this service, and it is how an address is shown to be one's own: a link to set a
        /// password, a link to verify the address.
        case asked
        /// Everything else. It goes to verified addresses alone.
        case notice
    }

    private let users: UserRepository

    package init(users: UserRepository) { self.users = users }

    /// The address for mail to an account.
    ///
    /// - Returns: nil where the account is to get no such mail: it is not there, is disabled, has no address, or one that
    ///   is not verified and `reason` needs that.
    package func address(of userID: String, for reason: Reason) async throws -> MailAddress? {
        try await users.user(id: userID).flatMap { Self.address(of: $0, for: reason) }
    }

    /// The same of an account at hand.
    package static func address(of user: UserRecord, for reason: Reason) -> MailAddress? {
        guard user.state == .active, reason == .asked || user.isEmailVerified else { return nil }
        // Without the name: whoever signed up may have written anything there. What is an address for accounts is one
        // for mail, so that the second look refuses nothing.
        return user.email.flatMap { try? MailAddress($0) }
    }
}
