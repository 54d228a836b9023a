/// Who makes a request, and how that is known.
package struct Principal: Sendable, Equatable {
    /// What said who it is; nothing in it opens anything.
    package enum Credential: Sendable, Equatable {
        case none
        /// An API key, by its public id.
        case key(id: String)
        /// A JWT of an identity provider.
        case token
        /// A web session, by the hash of its token.
        case webSession(id: String)
    }

    package let role: Role
    /// The user whose data is their own; nil for a program and for somebody anonymous.
    package let userID: String?
    /// What the credential is limited to; empty where it is not, and all that the role may is allowed.
    package let scopes: Set<String>
    package let credential: Credential

    package init(role: Role, userID: String? = nil, scopes: Set<String> = [], credential: Credential) {
        self.role = role
        self.userID = userID
        self.scopes = scopes
        self.credential = credential
    }

    package static let anonymous = Principal(role: .anonymous, credential: .none)
}
