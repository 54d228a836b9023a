import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Platform
import Testing
import server

/// One's own account: another password, and the browsers that are signed in; and who sees whom.
struct AccountRouteTests {
    private static let next = "four other words"

    private static func change(_ from: String?, to new: String) -> String {
        let current = from.map { #""current_password":"\#($0)","# } ?? ""
        return #"{\#(current)"new_password":"\#(new)"}"#
    }

    private static func sessions(_ reply: TestResponse) throws -> [JSONObject] {
        guard case .object(let object) = try JSONParser.parse(Array(reply.body.readableBytesView)),
            case .array(let items)? = object["items"]
        else {
            Issue.record("no list: \(String(buffer: reply.body))")
            return []
        }
        return items.compactMap { if case .object(let object) = $0 { object } else { nil } }
    }

    private static func text(_ object: JSONObject, _ name: String) -> String? {
        if case .string(let text)? = object[name] { text } else { nil }
    }

    // MARK: The password

    @Test func `one's own password is changed with the old one, and other browsers are signed out`() async throws {
        try await AccessTestService().run { client, identity in
            let ada = try await TestBrowser.signedIn(client, identity)
            let other = try await ada.another(client, identity)
            func change(_ body: String) async throws -> TestResponse {
                try await client.send(.post, "/api/auth/password/", body, ada.fields)
            }
            for (body, field) in [
                (Self.change("wrong horse", to: Self.next), "current_password"),
                (Self.change(nil, to: Self.next), "current_password"),
                (Self.change(TestBrowser.password, to: "short"), "new_password"),
                (#"{"current_password":"x"}"#, "new_password"),
            ] {
                let problem = try HTTPTestProblem(try await change(body))
                #expect(problem.code == "invalid_fields" && problem.status == 422)
                #expect("\(problem.members)".contains(field), "\(body)")
            }
            #expect(try await client.send(.get, "/api/careers", nil, other.bare).status == .ok)
            #expect(try await change(Self.change(TestBrowser.password, to: Self.next)).status == .noContent)
            #expect(try await client.send(.get, "/api/careers", nil, ada.bare).status == .ok)
            #expect(try await client.send(.get, "/api/careers", nil, other.bare).status == .unauthorized)
            let old = #"{"email":"\#(ada.email)","password":"\#(TestBrowser.password)"}"#
            #expect(try await client.send(.post, "/api/auth/sign-in", old).status == .unauthorized)
        }
    }

    @Test func `guessing the old password locks as guessing at the sign-in does`() async throws {
        try await AccessTestService().run { client, identity in
            let ada = try await TestBrowser.signedIn(client, identity)
            func guess() async throws -> TestResponse {
                try await client.send(
                    .post, "/api/auth/password", Self.change("wrong horse", to: Self.next), ada.fields)
            }
            for _ in 0..<5 { #expect(try await guess().status == .unprocessableContent) }
            // The first wait is short, and on a busy machine over before the next guess; each further one is longer.
            var reply = try await guess()
            for _ in 0..<10 where reply.status == .unprocessableContent { reply = try await guess() }
            #expect(try HTTPTestProblem(reply).code == "sign_in_locked")
            #expect(reply.headers[.retryAfter] != nil)
        }
    }

    @Test func `nothing of an account is changed without the session's token, or from another site`() async throws {
        try await AccessTestService().run { client, identity in
            let ada = try await TestBrowser.signedIn(client, identity)
            let eve = try await TestBrowser.signedIn(client, identity, name: "eve")
            let writes: [(HTTPRequest.Method, String)] = [
                (.post, "/api/auth/password"), (.post, "/api/auth/verification"), (.delete, "/api/auth/sessions"),
                (.delete, "/api/auth/sessions/x"), (.post, "/account/password"), (.post, "/account/sessions"),
                (.post, "/account/verification"),
            ]
            for (method, path) in writes {
                for token in [nil, "x", eve.token] {
                    var fields = ada.bare
                    fields[.csrfToken] = token
                    let reply = try await client.send(method, path, method == .post ? "{}" : nil, fields)
                    #expect(try HTTPTestProblem(reply).code == "csrf_token_invalid", "\(path)")
                }
                var fields = ada.fields
                fields[.secFetchSite] = "cross-site"
                let reply = try await client.send(method, path, method == .post ? "{}" : nil, fields)
                #expect(try HTTPTestProblem(reply).code == "cross_site_request", "\(path)")
            }
            // Nor does anybody's form ask for mail, or use up a link, from another site.
            for path in ["/forgot-password", "/reset-password", "/verify-address"] {
                let reply = try await client.form(path, "email=ada%40example.org", [.secFetchSite: "cross-site"])
                #expect(try HTTPTestProblem(reply).code == "cross_site_request", "\(path)")
            }
        }
    }

    // MARK: Sessions

    @Test func `sessions are listed, and end one by one or all but the one in use`() async throws {
        try await AccessTestService().run { client, identity in
            let ada = try await TestBrowser.signedIn(client, identity)
            var others: [TestBrowser] = []
            for _ in 0..<2 { others.append(try await ada.another(client, identity)) }
            func list(_ browser: TestBrowser) async throws -> [JSONObject] {
                try Self.sessions(try await client.send(.get, "/api/auth/sessions/", nil, browser.bare))
            }
            let listed = try await list(ada)
            #expect(listed.count == 3 && listed.filter { $0["current"] == .bool(true) }.count == 1)
            #expect(listed.allSatisfy { Self.text($0, "id")?.utf8.count == 32 })
            let own = try #require(listed.first { $0["current"] == .bool(true) })
            let theirs = try #require(try await list(others[0]).first { $0["current"] == .bool(true) })
            let id = try #require(Self.text(theirs, "id"))
            #expect(id != Self.text(own, "id"))
            let ended = try await client.send(.delete, "/api/auth/sessions/\(id)/", nil, ada.fields)
            #expect(ended.status == .noContent && ended.headers[.setCookie] == nil)
            #expect(try await client.send(.get, "/api/careers", nil, others[0].bare).status == .unauthorized)
            let all = try await client.send(.delete, "/api/auth/sessions/", nil, ada.fields)
            #expect(all.status == .ok && String(buffer: all.body).contains("\"ended\":1"))
            #expect(try await list(ada).count == 1)
            // The one that asks is signed out, and the browser told.
            let last = try await client.send(
                .delete, "/api/auth/sessions/\(try #require(Self.text(own, "id")))", nil, ada.fields)
            #expect(last.status == .noContent && last.headers[.setCookie]?.contains("Max-Age=0") == true)
            #expect(try await client.send(.get, "/api/careers", nil, ada.bare).status == .unauthorized)
        }
    }

    @Test func `another's session is as if it were not there`() async throws {
        try await AccessTestService().run { client, identity in
            let ada = try await TestBrowser.signedIn(client, identity)
            let eve = try await TestBrowser.signedIn(client, identity, name: "eve", role: .admin)
            let listed = try Self.sessions(try await client.send(.get, "/api/auth/sessions", nil, ada.bare))
            let id = try #require(listed.first.flatMap { Self.text($0, "id") })
            let taken = try await client.send(.delete, "/api/auth/sessions/\(id)", nil, eve.fields)
            let unknown = try await client.send(
                .delete, "/api/auth/sessions/\(String(repeating: "0", count: 32))", nil, eve.fields)
            for reply in [taken, unknown] { #expect(try HTTPTestProblem(reply).code == "web_session_not_found") }
            let form = try await client.form("/account/sessions", "session=\(id)&csrf_token=\(eve.token)", eve.bare)
            #expect(form.status == .notFound && String(buffer: form.body).contains("role=\"alert\""))
            #expect(try await client.send(.get, "/api/careers", nil, ada.bare).status == .ok)
        }
    }

    // MARK: Pages

    @Test func `the account's page shows who one is and what went wrong beside its field`() async throws {
        try await AccessTestService().run { client, identity in
            let anonymous = try await client.send(.get, "/account")
            #expect(anonymous.status == .seeOther && anonymous.headers[.location] == "/sign-in?next=%2Faccount")
            let ada = try await TestBrowser.signedIn(client, identity)
            let page = String(buffer: try await client.send(.get, "/account/", nil, ada.bare).body)
            #expect(page.contains(ada.email) && page.contains("not confirmed") && page.contains("This browser"))
            #expect(page.contains("value=\"\(ada.token)\"") && !page.contains("<script"))
            #expect(!page.contains(ada.cookie.drop { $0 != "=" }.dropFirst()))
            let form = "current_password=wrong+horse&new_password=four+other+words&csrf_token=\(ada.token)"
            let wrong = try await client.form("/account/password", form, ada.bare)
            let body = String(buffer: wrong.body)
            #expect(wrong.status == .unprocessableContent && body.contains("id=\"current-error\""))
            #expect(body.contains("aria-describedby=\"current-error\"") && body.contains("<title>Error: "))
            #expect(!body.contains("wrong horse") && !body.contains("four other words"))
            let right = form.replacing("wrong+horse", with: "correct+horse+battery")
            let done = try await client.form("/account/password", right, ada.bare)
            #expect(done.status == .seeOther && done.headers[.location] == "/account?done=password")
            let after = String(buffer: try await client.send(.get, "/account?done=password", nil, ada.bare).body)
            #expect(after.contains("Your password is changed"))
        }
    }

    @Test func `pages lead to the account once somebody is signed in`() async throws {
        try await AccessTestService().run { client, identity in
            let ada = try await TestBrowser.signedIn(client, identity)
            for path in ["/", "/sign-in", "/sign-up", "/forgot-password"] {
                let anonymous = String(buffer: try await client.send(.get, path).body)
                #expect(
                    anonymous.contains("<a href=\"/sign-in\"") && !anonymous.contains("<li><a href=\"/account\""),
                    "\(path)")
                let signedIn = String(buffer: try await client.send(.get, path, nil, ada.bare).body)
                #expect(
                    signedIn.contains("<li><a href=\"/account\"") && !signedIn.contains("<li><a href=\"/sign-in\""),
                    "\(path)")
            }
            let home = try await client.send(.get, "/")
            #expect(home.headers[.vary] == "Cookie")
        }
    }

    @Test func `a form of somebody whose session has ended leads to the sign-in`() async throws {
        try await AccessTestService().run { client, identity in
            let ada = try await TestBrowser.signedIn(client, identity)
            _ = try await identity.signOutEverywhere(userID: ada.id)
            var fields = ada.bare
            fields[.accept] = "text/html"
            let reply = try await client.form("/account/sessions", "csrf_token=\(ada.token)", fields)
            #expect(reply.status == .seeOther && reply.headers[.location] == "/sign-in")
            #expect(reply.headers[.setCookie]?.contains("Max-Age=0") == true)
        }
    }

    // MARK: Administrators

    @Test func `no administrator shuts themselves out`() async throws {
        try await AccessTestService().run { client, identity in
            let admin = try await TestBrowser.signedIn(client, identity, role: .admin)
            let other = try await TestBrowser.signedIn(client, identity, name: "grace", role: .admin)
            func change(_ id: String, _ body: String) async throws -> TestResponse {
                try await client.send(.patch, "/api/admin/users/\(id)/", body, admin.fields)
            }
            let shuttingOut = [#"{"state":"disabled"}"#, #"{"role":"user"}"#, #"{"state":"active","role":"educator"}"#]
            for body in shuttingOut {
                let refused = try await change(admin.id, body)
                #expect(refused.status == .conflict)
                #expect(try HTTPTestProblem(refused).code == "conflict")
                #expect(try await client.send(.get, "/api/admin/users/", nil, admin.bare).status == .ok, "\(body)")
            }
            #expect(try await change(admin.id, #"{"state":"active","role":"admin"}"#).status == .ok)
            // Another one's they may.
            #expect(try await change(other.id, shuttingOut[0]).status == .ok)
            #expect(try await client.send(.get, "/api/admin/users/", nil, other.bare).status != .ok)
        }
    }

    // MARK: Learners

    @Test func `an administrator assigns learners to educators`() async throws {
        try await AccessTestService().run { client, identity in
            let (admin, _) = try await identity.bearer(.admin)
            let educator = try #require(try await identity.bearer(.educator).user)
            let learner = try #require(try await identity.bearer(.user).user)
            let list = "/api/admin/users/\(educator)/learners/"
            func send(_ method: HTTPRequest.Method, _ path: String) async throws -> TestResponse {
                try await client.send(method, path, nil, admin)
            }
            for _ in 0..<2 { #expect(try await send(.put, list + learner + "/").status == .noContent) }
            let listed = try await send(.get, list)
            #expect(listed.status == .ok && String(buffer: listed.body).contains(learner))
            #expect(try Self.sessions(listed).count == 1)
            #expect(try await identity.isAssigned(learner: learner, to: educator))
            #expect(try await send(.delete, list + learner).status == .noContent)
            #expect(try HTTPTestProblem(try await send(.delete, list + learner)).code == "learner_not_found")
            #expect(try await !identity.isAssigned(learner: learner, to: educator))
            let other = "/api/admin/users/\(learner)/learners/"
            #expect(try HTTPTestProblem(try await send(.put, other + educator)).code == "conflict")
            #expect(try HTTPTestProblem(try await send(.put, list + educator)).code == "conflict")
            for path in [list + "unknown", "/api/admin/users/unknown/learners/" + learner] {
                let problem = try HTTPTestProblem(try await send(.put, path))
                #expect(problem.code == "user_not_found" && "\(problem.members)".contains("unknown"))
            }
            #expect(try await send(.get, "/api/admin/users/unknown/learners").status == .notFound)
            #expect(try Self.sessions(try await send(.get, other)).isEmpty)
        }
    }
}
