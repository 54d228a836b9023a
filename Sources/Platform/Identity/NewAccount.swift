/// What an account is made of, held against the rules. None of them looks at other accounts, so that a mistake here
/// tells nobody anything.
struct NewAccount: Sendable {
    /// Nil for one that signs in by a link or is only spoken for by a service.
    let email: EmailAddress?
    /// Nil for one that signs in otherwise.
    let password: String?
    let name: String?
    let role: Role

    /// - Throws: `IdentityError` of code `invalidRole`, `invalidEmail`, `invalidName` or `weakPassword`.
    init(email: String?, password: String?, name: String?, role: Role) throws(IdentityError) {
        guard Role.ofAccounts.contains(role) else { throw Identity.noAccountRole(role) }
        self.email = try email.map { given throws(IdentityError) in try EmailAddress(given) }
        self.name = try PersonName.read(name)
        if let password {
            guard let address = self.email else { throw Identity.noAddress }
            try PasswordRules.check(password, email: address, name: self.name)
        }
        self.password = password
        self.role = role
    }
}
