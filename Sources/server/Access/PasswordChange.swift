internal import Hummingbird
internal import Platform
internal import Store

/// Changing one's own password, for the page and for programs in a browser alike.
struct PasswordChange {
    static let currentField = "current_password"
    static let newField = "new_password"

    let access: AccessControl
    let mail: AccountMail

    /// - Throws: `HTTPProblem`: `invalid_fields`, which names the field, `conflict` for an account without an address,
    ///   `sign_in_locked`, `sign_in_overloaded`.
    func perform(
        of user: UserRecord, current: String?, new: String, _ request: Request, _ scope: RequestScope
    ) async throws {
        guard current != nil || user.passwordHash == nil else {
            throw Self.problem(Self.currentField, "is required")
        }
        scope.giveUpPlaceForPassword()
        do {
            try await access.identity.changePassword(
                userID: user.id, current: current, new: new, address: access.addressText(of: request, scope),
                keeping: try access.cookie.token(in: request.headers))
        } catch let error as IdentityError {
            throw Self.problem(for: error) ?? error
        }
        await mail.tellOfChangedPassword(user.id)
    }

    /// Whoever mistypes the old password stays signed in, so that it is no matter of the credential.
    private static func problem(for error: IdentityError) -> (any Error)? {
        switch error.code {
        case .invalidCredential: problem(currentField, "is not the password of this account")
        case .weakPassword: problem(newField, error.message)
        case .invalidEmail: HTTPProblem(.conflict, "This account has no address to sign in with by a password.")
        default: AccessProblems.problem(for: error)
        }
    }

    private static func problem(_ field: String, _ message: String) -> HTTPProblem {
        HTTPProblem(.invalidFields, "\(field): \(message)", errors: [FieldError(path: field, message: message)])
    }
}

extension RequestScope {
    /// Gives this request's place to another before a password's hash is computed or waited for: that takes half a second,
    /// on threads of its own, and its queue has a bound of its own.
    func giveUpPlaceForPassword() { giveUpPlace() }
}
