import HTTPTypes

/// What a request says of who sends it, before anybody has looked whether it holds.
enum PresentedCredential {
    case none
    case bearer(String)
    case cookie(String)

    /// - Throws: `HTTPProblem`: `two_credentials`, or `unauthorised` for a scheme that is not Bearer.
    init(of fields: HTTPFields, cookie: SessionCookie) throws(HTTPProblem) {
        // The common case, without an array: most requests have neither.
        guard fields[.authorization] != nil || fields[.cookie] != nil else {
            self = .none
            return
        }
        let token = try cookie.token(in: fields)
        let authorisations = fields[values: .authorization]
        guard let authorisation = authorisations.first else {
            self = token.map { .cookie($0) } ?? .none
            return
        }
        guard authorisations.count == 1, token == nil else {
            throw HTTPProblem(
                .twoCredentials,
                "The request has more than one credential; send either one `Authorization` or the session's cookie.")
        }
        let parts = authorisation.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw AccessProblems.unauthorised("`Authorization` must be `Bearer` and a key or token.")
        }
        self = .bearer(String(parts[1]))
    }
}
