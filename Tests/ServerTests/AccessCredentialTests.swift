import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Platform
import Store
import TestSupport
import Testing
import server

/// What counts as a credential, and what a browser's session is protected against.
struct AccessCredentialTests {
    private static let password = "correct horse battery"

    /// Signs somebody up, and gives what a browser has then.
    private func browser(
        _ client: any TestClientProtocol, email: String = "ada@example.org"
    ) async throws -> (cookie: HTTPFields, token: String) {
        let reply = try await client.send(
            .post, "/api/auth/sign-up", #"{"email":"\#(email)","password":"\#(Self.password)"}"#)
        #expect(reply.status == .created)
        return ([.cookie: reply.cookie], try reply.text("csrf_token"))
    }

    @Test(arguments: [
        "Bearer", "Bearer x", "Bearer plk_0123456789abcdef_" + String(repeating: "A", count: 43),
        "Basic YWRtaW46YWRtaW4=",
        "bearer a.b.c", "Bearer a b", "plk_0123456789abcdef_x", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.",
    ])
    func `a credential that does not hold is refused and nobody becomes anonymous by it`(value: String) async throws {
        try await AccessTestService().run { client, _ in
            let reply = try await client.send(.get, "/api/careers", nil, [.authorization: value])
            #expect(reply.status == .unauthorized)
            #expect(reply.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
            #expect(!String(buffer: reply.body).contains("0123456789abcdef_"))
            // Files and probes are the same for everybody.
            #expect(try await client.send(.get, "/livez", nil, [.authorization: value]).status == .ok)
        }
    }

    @Test func `more than one credential is refused, even where each would hold`() async throws {
        try await AccessTestService().run { client, identity in
            let key = try await identity.bearer(.admin).fields
            let cookie = try await browser(client).cookie
            var both = key
            both[.cookie] = cookie[.cookie]
            var twoKeys = key
            twoKeys.append(HTTPField(name: .authorization, value: key[.authorization] ?? ""))
            let twice: HTTPFields = [.cookie: "\(cookie[.cookie] ?? ""); \(cookie[.cookie] ?? "")"]
            var fields = cookie
            fields.append(HTTPField(name: .cookie, value: "__Host-pathlight=other"))
            for fields in [both, twoKeys, twice, fields] {
                let reply = try await client.send(.get, "/api/careers", nil, fields)
                #expect(try HTTPTestProblem(reply).code == "two_credentials")
            }
        }
    }

    @Test func `a token that has ended opens nothing`() async throws {
        let folder = try TemporaryDirectory("tokens")
        defer { withExtendedLifetime(folder) {} }
        let secret = try TestToken.secretFile(in: folder)
        try await AccessTestService { $0.tokens.secretFile = secret }.run { client, _ in
            func ask(_ token: String) async throws -> TestResponse {
                try await client.send(.get, "/api/careers", nil, [.authorization: "Bearer \(token)"])
            }
            #expect(try await ask(TestToken.ofGrace).status == .ok)
            let refused = try await ask(TestToken.past)
            #expect(refused.status == .unauthorized)
            #expect(try HTTPTestProblem(refused).code == "credential_expired")
        }
    }

    // That a key ends when it should, by a clock that can be moved, is for Identity's own tests.
    @Test func `a revoked key holds no longer, at once`() async throws {
        try await AccessTestService().run { client, identity in
            let key = try await identity.createKey(role: .admin)
            let fields: HTTPFields = [.authorization: "Bearer \(key.secret)"]
            #expect(try await client.send(.get, "/api/admin/keys", nil, fields).status == .ok)
            let (admin, _) = try await identity.bearer(.admin)
            #expect(try await client.send(.delete, "/api/admin/keys/\(key.record.id)", nil, admin).status == .noContent)
            let refused = try await client.send(.get, "/api/admin/keys", nil, fields)
            #expect(try HTTPTestProblem(refused).code == "credential_revoked")
        }
    }

    @Test func `the cookie is out of reach for scripts, other sites and other hosts`() async throws {
        for isExposed in [true, false] {
            try await AccessTestService(isExposed: isExposed).run { client, _ in
                let reply = try await client.send(
                    .post, "/api/auth/sign-up", #"{"email":"a@example.org","password":"\#(Self.password)"}"#)
                let parts = (reply.headers[.setCookie] ?? "").split(separator: ";").map {
                    $0.trimmingCharacters(in: .whitespaces)
                }
                #expect(parts[0].hasPrefix(isExposed ? "__Host-pathlight=" : "pathlight="))
                #expect(Set(parts.dropFirst()).isSuperset(of: ["HttpOnly", "SameSite=Lax", "Path=/"]))
                #expect(parts.contains("Secure") == isExposed)
                #expect(!parts.contains { $0.hasPrefix("Domain") })
                #expect(reply.headers[.cacheControl] == "no-store")
            }
        }
    }

    @Test func `a write by cookie needs the session's token`() async throws {
        try await AccessTestService().run { client, _ in
            let (cookie, token) = try await browser(client)
            let (_, foreign) = try await browser(client, email: "eve@example.org")
            let body = #"{"answers":{"1":"a"}}"#
            func submit(_ token: String?) async throws -> TestResponse {
                var fields = cookie
                fields[.csrfToken] = token
                return try await client.send(.post, "/api/quiz/submit", body, fields)
            }
            for wrong in [nil, "", "x", foreign, token + "x"] {
                #expect(try HTTPTestProblem(try await submit(wrong)).code == "csrf_token_invalid")
            }
            #expect(try await submit(token).status == .created)
            // Reading needs none, and a key needs none: no browser sends it by itself.
            #expect(try await client.send(.get, "/api/careers", nil, cookie).status == .ok)
        }
    }

    @Test func `a write with a session's token and no cookie is told that the sign-in has ended`() async throws {
        try await AccessTestService().run { client, identity in
            let (_, token) = try await browser(client)
            let left: HTTPFields = [.csrfToken: token]
            let body = #"{"answers":{"1":"a"}}"#
            let reply = try await client.send(.post, "/api/quiz/submit", body, left)
            #expect(reply.status == .unauthorized)
            #expect(try HTTPTestProblem(reply).code == "invalid_credential")
            #expect(try await client.send(.post, "/api/quiz/submit", body).status == .created)
            // Reading is anybody's, a key needs no token, and who signs in again is told nothing of the last time.
            #expect(try await client.send(.get, "/api/careers", nil, left).status == .ok)
            var keyed = try await identity.bearer(.service).fields
            keyed[.csrfToken] = token
            #expect(try await client.send(.post, "/api/quiz/submit", body, keyed).status == .created)
            let password = #"{"email":"ada@example.org","password":"\#(TestBrowser.password)"}"#
            #expect(try await client.send(.post, "/api/auth/sign-in", password, left).status == .ok)
        }
    }

    @Test(
        arguments: [
            ([HTTPField.Name.secFetchSite: "cross-site"], false), ([.secFetchSite: "same-site"], false),
            ([.secFetchSite: "same-origin"], true), ([.secFetchSite: "none"], true),
            ([.origin: "https://evil.example"], false), ([.origin: "null"], false),
            ([.origin: "https://localhost.evil.example"], false), ([.origin: "https://localhost/"], false),
            ([.secFetchSite: "cross-site", .origin: "https://localhost"], false), ([:], true),
        ] as [(HTTPFields, Bool)])
    func `another site's page writes nothing, even with the token`(fields: HTTPFields, isTaken: Bool) async throws {
        try await AccessTestService().run { client, _ in
            let (cookie, token) = try await browser(client)
            var all = fields
            all[.cookie] = cookie[.cookie]
            all[.csrfToken] = token
            let reply = try await client.send(.post, "/api/quiz/submit", #"{"answers":{"1":"a"}}"#, all)
            if isTaken {
                #expect(reply.status == .created)
            } else {
                #expect(try HTTPTestProblem(reply).code == "cross_site_request")
            }
        }
    }

    @Test func `nobody is signed in by another site's form`() async throws {
        try await AccessTestService().run { client, _ in
            _ = try await browser(client)
            let form = "email=ada%40example.org&password=correct+horse+battery"
            let refused = try await client.form("/sign-in", form, [.secFetchSite: "cross-site"])
            #expect(try HTTPTestProblem(refused).code == "cross_site_request")
            #expect(refused.headers[.setCookie] == nil)
            let reply = try await client.form("/sign-in", form, [.secFetchSite: "same-origin"])
            #expect(reply.status == .seeOther && reply.headers[.location] == "/")
            #expect(reply.cookie.hasPrefix("__Host-pathlight="))
        }
    }

    @Test func `a session that has ended is told to programs, and forgotten by browsers`() async throws {
        try await AccessTestService().run { client, _ in
            let (cookie, token) = try await browser(client)
            var signOut = cookie
            signOut[.csrfToken] = token
            let gone = try await client.send(.post, "/api/auth/sign-out", nil, signOut)
            #expect(gone.status == .noContent && gone.headers[.setCookie]?.contains("Max-Age=0") == true)
            let program = try await client.send(.get, "/api/careers", nil, cookie)
            #expect(program.status == .unauthorized && program.headers[.setCookie]?.contains("Max-Age=0") == true)
            var browser = cookie
            browser[.accept] = "text/html,*/*"
            let page = try await client.send(.get, "/sign-in?next=%2Fdocs", nil, browser)
            #expect(page.status == .seeOther && page.headers[.location] == "/sign-in?next=%2Fdocs")
            #expect(page.headers[.setCookie]?.contains("Max-Age=0") == true)
            // Not a way to other hosts.
            #expect(try await client.send(.get, "//evil.example/", nil, browser).status == .unauthorized)
        }
    }

    @Test func `forms show again what was typed, safely, and what is wrong beside the field`() async throws {
        try await AccessTestService().run { client, _ in
            let evil = "%22%CC%81%3E%3Cscript%3E@example.org"
            let reply = try await client.form("/sign-in", "email=\(evil)&password=")
            let page = String(buffer: reply.body)
            #expect(reply.status == .unprocessableContent)
            #expect(page.contains("id=\"password-error\"") && page.contains("aria-describedby=\"password-error\""))
            #expect(!page.utf8.contains("<script>".utf8) && page.contains("&lt;script&gt;"))
            #expect(!page.unicodeScalars.contains("\u{301}") || page.contains("&quot;\u{301}"))
            let wrong = try await client.form("/sign-in", "email=a%40example.org&password=wrong+password")
            #expect(wrong.status == .unauthorized && String(buffer: wrong.body).contains("role=\"alert\""))
            #expect(wrong.headers[.setCookie] == nil)
            let weak = try await client.form("/sign-up", "email=a%40example.org&password=short")
            #expect(weak.status == .unprocessableContent)
            #expect(String(buffer: weak.body).contains("id=\"password-error\""))
            #expect(!String(buffer: weak.body).contains("short\""))
        }
    }

    @Test(arguments: [
        ("/docs", "/docs"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil.example", "/"),
        ("docs", "/"),
        ("/a%0d%0aX: y", "/"),
    ])
    func `signing in leads to a page of this service alone`(next: String, location: String) async throws {
        try await AccessTestService().run { client, _ in
            _ = try await browser(client)
            let coded = next.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            let reply = try await client.form(
                "/sign-in", "email=ada%40example.org&password=correct+horse+battery&next=\(coded)")
            #expect(reply.headers[.location] == location)
        }
    }

    @Test func `the administrator's link works once, and only by a press of the button`() async throws {
        try await AccessTestService(isExposed: false).run { client, identity in
            let link = try #require(try await identity.makeAdminLink())
            for _ in 0..<2 {
                let page = try await client.send(.get, "/sign-in/link?token=\(link)")
                #expect(page.status == .ok && String(buffer: page.body).contains("value=\"\(link)\""))
                #expect(page.headers[.setCookie] == nil && page.headers[.referrerPolicy] == "strict-origin")
            }
            let reply = try await client.form("/sign-in/link", "token=\(link)")
            #expect(reply.status == .seeOther)
            let keys = try await client.send(.get, "/api/admin/keys", nil, [.cookie: reply.cookie])
            #expect(keys.status == .ok)
            #expect(try await client.form("/sign-in/link", "token=\(link)").status == .unauthorized)
        }
    }

    @Test func `accounts are the administrator's where signing up is closed`() async throws {
        try await AccessTestService { $0.allowsSignUp = false }.run { client, identity in
            let body = #"{"email":"a@example.org","password":"\#(Self.password)"}"#
            let refused = try await client.send(.post, "/api/auth/sign-up", body)
            #expect(try HTTPTestProblem(refused).code == "sign_up_closed")
            #expect(
                try await client.form("/sign-up", "email=a%40example.org&password=long+enough+one").status == .forbidden
            )
            let (admin, _) = try await identity.bearer(.admin)
            #expect(try await client.send(.post, "/api/admin/users", body, admin).status == .created)
            #expect(try await client.send(.post, "/api/auth/sign-in", body).status == .ok)
        }
    }
}
