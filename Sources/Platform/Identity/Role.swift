/// What somebody may do at most (design §7).
package enum Role: String, Sendable, CaseIterable, Codable {
    /// Somebody without a credential: quiz, careers, recommendations, pages.
    case anonymous
    /// The same, and what is their own.
    case user
    /// The same, and reads the learners assigned to them.
    case educator
    /// An integrator's backend: any user's data, no administration.
    case service
    /// Everything.
    case admin

    /// What an account may be: a service is a program and has a key, not a password.
    package static let ofAccounts: [Role] = [.user, .educator, .admin]

    /// What a key may be for.
    package static let ofKeys: [Role] = [.user, .educator, .service, .admin]

    /// Whether a credential of the role reaches what one user may, and so has to say whom it is for.
    package var isOfOneUser: Bool { self == .user || self == .educator }

    /// What the account of a key of this role is: one that may as much itself. A change of role revokes the others.
    var ofOwners: [Role] { Role.ofAccounts.filter { !$0.above.contains(self) } }

    /// The roles that see more than this one.
    var above: [Role] {
        let order = Role.allCases
        return order.firstIndex(of: self).map { Array(order[($0 + 1)...]) } ?? []
    }
}
