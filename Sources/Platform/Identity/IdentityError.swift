/// Why somebody is not let in, or an account or key not made, in a form that callers act on and people can read.
///
/// No message holds a credential, an address or a name.
package struct IdentityError: Error, Sendable, Equatable {
    /// The bounded set of reasons; raw values serve as codes of problems and as metric labels.
    package enum Code: String, Sendable, CaseIterable {
        /// The credential is of no known form, of nobody, or wrong.
        case invalidCredential = "invalid_credential"
        case expired = "credential_expired"
        case revoked = "credential_revoked"
        /// The account was disabled; told only to who proved to be its owner.
        case disabled = "account_disabled"
        /// Too many failures; `retryAfter` says how long to wait.
        case locked = "sign_in_locked"
        /// More passwords wait to be checked than may; `retryAfter` says when to try again.
        case overloaded = "sign_in_overloaded"
        case weakPassword = "weak_password"
        case invalidEmail = "invalid_email"
        case invalidName = "invalid_name"
        case emailTaken = "email_taken"
        case invalidRole = "invalid_role"
        /// A key's label, scopes or end are not what they may be.
        case invalidKey = "invalid_key"
        /// A link that was mailed was used already, has ended, or is none.
        case invalidLink = "link_invalid"
        /// Mail was asked for too often; `retryAfter` says how long to wait.
        case askedTooOften = "asked_too_often"
        /// Mail about accounts is not set up.
        case mailUnavailable = "mail_unavailable"
        /// There is no such user or key.
        case notFound = "not_found"
        /// Secret, key set or claims' names of the settings cannot be used.
        case invalidSettings = "invalid_settings"
    }

    package let code: Code
    /// What is wrong and how to mend it.
    package let message: String
    /// How long to wait, for `locked`, `overloaded` and `askedTooOften`.
    package let retryAfter: Duration?

    package init(_ code: Code, _ message: String, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    /// Whether it is the request's credential that does not hold (401).
    package var isAboutTheCredential: Bool {
        switch code {
        case .invalidCredential, .expired, .revoked, .disabled: true
        default: false
        }
    }
}

extension IdentityError: CustomStringConvertible {
    package var description: String { message }
}
