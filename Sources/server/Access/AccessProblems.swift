internal import HTTPTypes
internal import Platform

/// The problems of who may do what.
extension ProblemCode {
    static let twoCredentials = ProblemCode("two_credentials", .badRequest, "More than one credential")
    static let invalidCredential = ProblemCode(
        "invalid_credential", .unauthorized, "The credential does not hold")
    static let credentialExpired = ProblemCode("credential_expired", .unauthorized, "The credential has expired")
    static let credentialRevoked = ProblemCode("credential_revoked", .unauthorized, "The credential was revoked")
    static let accountDisabled = ProblemCode("account_disabled", .unauthorized, "The account is disabled")
    static let scopeMissing = ProblemCode("scope_missing", .forbidden, "The credential's scopes do not cover this")
    static let csrfTokenInvalid = ProblemCode("csrf_token_invalid", .forbidden, "The form's token is missing or wrong")
    static let proxyRequired = ProblemCode(
        "proxy_required", .forbidden, "The request did not come by the service's proxy")
    static let crossSiteRequest = ProblemCode("cross_site_request", .forbidden, "The request comes from another site")
    static let signUpClosed = ProblemCode("sign_up_closed", .forbidden, "Accounts are made by the administrator")
    static let signInLocked = ProblemCode("sign_in_locked", .tooManyRequests, "Too many attempts")
    static let signInOverloaded = ProblemCode(
        "sign_in_overloaded", .tooManyRequests, "Too many sign-ins at once")
    static let emailTaken = ProblemCode("email_taken", .conflict, "The address has an account")
    static let userNotFound = ProblemCode("user_not_found", .notFound, "There is no such user")
    static let mailUnavailable = ProblemCode(
        "mail_unavailable", .forbidden, "No mail about accounts is sent here")
    static let webSessionNotFound = ProblemCode(
        "web_session_not_found", .notFound, "There is no such session of yours")
    static let learnerNotFound = ProblemCode(
        "learner_not_found", .notFound, "The user is no learner of the educator")
    static let keyNotFound = ProblemCode("key_not_found", .notFound, "There is no such key")
}

/// What refusals look like.
enum AccessProblems {
    /// 401 says how to do better (RFC 9110, section 11.6.1).
    static func unauthorised(_ detail: String) -> HTTPProblem {
        HTTPProblem(.unauthorised, detail, headers: [.wwwAuthenticate: "Bearer"])
    }

    static func tooManyRequests(_ detail: String, wait: Duration) -> HTTPProblem {
        HTTPProblem(.tooManyRequests, detail, headers: [.retryAfter: String(wait.roundedUpSeconds)])
    }

    /// A failure of identity as a client is told it; nil for one that is the service's.
    static func problem(for error: IdentityError) -> HTTPProblem? {
        switch error.code {
        case .invalidCredential: refusal(.invalidCredential, error)
        case .expired: refusal(.credentialExpired, error)
        case .revoked: refusal(.credentialRevoked, error)
        case .disabled: refusal(.accountDisabled, error)
        case .locked: waiting(.signInLocked, error)
        case .overloaded: waiting(.signInOverloaded, error)
        case .weakPassword: field("password", error)
        case .invalidEmail: field("email", error)
        case .invalidName: field("name", error)
        case .invalidRole: field("role", error)
        case .invalidKey: HTTPProblem(.invalidFields, error.message)
        case .emailTaken:
            HTTPProblem(.emailTaken, error.message, errors: [FieldError(path: "email", message: error.message)])
        case .askedTooOften: waiting(.tooManyRequests, error)
        case .mailUnavailable: HTTPProblem(.mailUnavailable, error.message)
        case .notFound, .invalidLink: HTTPProblem(.notFound, error.message)
        case .invalidSettings: nil
        }
    }

    private static func refusal(_ code: ProblemCode, _ error: IdentityError) -> HTTPProblem {
        HTTPProblem(code, error.message, headers: [.wwwAuthenticate: #"Bearer error="invalid_token""#])
    }

    private static func waiting(_ code: ProblemCode, _ error: IdentityError) -> HTTPProblem {
        let seconds = (error.retryAfter ?? .seconds(1)).roundedUpSeconds
        return HTTPProblem(code, error.message, headers: [.retryAfter: String(seconds)])
    }

    private static func field(_ path: String, _ error: IdentityError) -> HTTPProblem {
        HTTPProblem(
            .invalidFields, "\(path): \(error.message)", errors: [FieldError(path: path, message: error.message)])
    }
}

extension Duration {
    /// Whole seconds, at least 1, as `Retry-After` has them: who waits so long does not come too early.
    package var roundedUpSeconds: Int64 {
        max(1, components.seconds + (components.attoseconds > 0 ? 1 : 0))
    }
}
