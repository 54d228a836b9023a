import HTTPTypes
import HummingbirdTesting
import Platform
import Testing
import server

/// Somebody who is signed in at a browser.
struct TestBrowser {
    static let password = "correct horse battery"

    let id: String
    let email: String
    let cookie: String
    let token: String

    /// What a script of the page sends.
    var fields: HTTPFields { [.cookie: cookie, .csrfToken: token] }
    /// What the browser sends by itself.
    var bare: HTTPFields { [.cookie: cookie] }

    /// Makes an account and signs it in.
    static func signedIn(
        _ client: any TestClientProtocol, _ identity: Identity, name: String = "ada", role: Role = .user
    ) async throws -> TestBrowser {
        let email = "\(name)-\(role.rawValue)@example.org"
        _ = try await identity.createUser(email: email, password: password, name: nil, role: role)
        return try await signIn(client, identity, email)
    }

    /// Another browser of somebody's.
    func another(_ client: any TestClientProtocol, _ identity: Identity) async throws -> TestBrowser {
        try await Self.signIn(client, identity, email)
    }

    private static func signIn(
        _ client: any TestClientProtocol, _ identity: Identity, _ email: String
    ) async throws -> TestBrowser {
        let reply = try await client.send(
            .post, "/api/auth/sign-in", #"{"email":"\#(email)","password":"\#(password)"}"#)
        #expect(reply.status == .ok)
        let principal = try await identity.principal(webSession: String(reply.cookie.drop { $0 != "=" }.dropFirst()))
        return TestBrowser(
            id: try #require(principal.userID), email: email, cookie: reply.cookie, token: try reply.text("csrf_token"))
    }
}
