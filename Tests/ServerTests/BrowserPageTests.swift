import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Platform
import Testing
import server

/// What people's browsers get: the quiz's page of somebody signed in, and pages where programs get documents.
struct BrowserPageTests {
    /// What a browser says that it takes when somebody opens an address or sends a form.
    private static let page: HTTPFields = [.accept: "text/html,application/xhtml+xml,*/*;q=0.8"]

    private static func isPage(_ reply: TestResponse) -> Bool {
        reply.headers[.contentType] == "text/html; charset=utf-8" && reply.headers[.cacheControl] == "no-store"
            && String(buffer: reply.body).contains("<h1>")
    }

    @Test func `the quiz's page has the token that its writes need, and nothing keeps it`() async throws {
        try await AccessTestService().run { client, identity in
            let ada = try await TestBrowser.signedIn(client, identity)
            let own = try await client.send(.get, "/", nil, ada.bare)
            let token = #"<meta name="csrf-token" content="\#(ada.token)">"#
            #expect(own.status == .ok && String(buffer: own.body).contains(token))
            #expect(own.headers[.cacheControl] == "no-store" && own.headers[.eTag] == nil)
            #expect(own.headers[.vary] == "Cookie")
            let anybody = try await client.send(.get, "/")
            #expect(!String(buffer: anybody.body).contains("csrf-token"))
            #expect(anybody.headers[.cacheControl] == "no-cache")
            let tag = try #require(anybody.headers[.eTag])
            // A copy from before signing in does not stand for the page with the token.
            var fields = ada.bare
            fields[.ifNoneMatch] = tag
            #expect(try await client.send(.get, "/", nil, fields).status == .ok)
        }
    }

    @Test func `signing out has the browser forget what the pages keep`() async throws {
        try await AccessTestService().run { client, identity in
            let ada = try await TestBrowser.signedIn(client, identity)
            let (second, third) = (
                try await ada.another(client, identity), try await ada.another(client, identity)
            )
            let form = try await client.form("/sign-out", "csrf_token=\(ada.token)", ada.bare)
            #expect(form.status == .seeOther && form.headers[.clearSiteData] == "\"storage\"")
            let script = try await client.send(.post, "/api/auth/sign-out/", nil, second.fields)
            #expect(script.status == .noContent && script.headers[.clearSiteData] == "\"storage\"")
            let list = String(buffer: try await client.send(.get, "/api/auth/sessions/", nil, third.bare).body)
            let id = try #require(list.firstMatch(of: /"id":"([0-9a-f]{32})"/)?.1)
            let ended = try await client.send(.delete, "/api/auth/sessions/\(id)/", nil, third.fields)
            #expect(ended.status == .noContent && ended.headers[.clearSiteData] == "\"storage\"")
            // Another site can send these, though without the cookie: it must not clear a visitor's answers.
            for path in ["/sign-out", "/api/auth/sign-out/"] {
                let nobody = try await client.send(.post, path)
                #expect(nobody.status.code < 400 && nobody.headers[.clearSiteData] == nil, "\(path)")
            }
        }
    }

    @Test func `a browser whose session has ended forgets what the pages keep`() async throws {
        try await AccessTestService().run { client, identity in
            let home = try await TestBrowser.signedIn(client, identity)
            let asked: [(HTTPRequest.Method, String, HTTPFields, HTTPResponse.Status)] = [
                (.get, "/", Self.page, .seeOther), (.post, "/sign-out", Self.page, .unauthorized),
                (.get, "/api/careers", [:], .unauthorized), (.post, "/api/quiz/submit", [:], .unauthorized),
            ]
            for (method, path, accepted, status) in asked {
                let school = try await home.another(client, identity)
                let ended = try await client.send(.delete, "/api/auth/sessions/", nil, home.fields)
                #expect(ended.status == .ok && ended.headers[.clearSiteData] == nil)
                var fields = school.bare
                fields.append(contentsOf: accepted)
                let reply = try await client.send(method, path, nil, fields)
                #expect(reply.status == status && reply.headers[.clearSiteData] == "\"storage\"", "\(path)")
                #expect(reply.headers[.setCookie]?.contains("Max-Age=0") == true, "\(path)")
            }
        }
    }

    @Test func `signing out clears whatever the cookie is worth, and another cookie clears nothing else`() async throws
    {
        try await AccessTestService().run { client, identity in
            let ada = try await TestBrowser.signedIn(client, identity)
            _ = try await identity.signOutEverywhere(userID: ada.id)
            let name = ada.cookie.prefix { $0 != "=" }
            let unknown = ["x", String(repeating: "A", count: 43)].map { "\(name)=\($0)" }
            for cookie in [ada.cookie] + unknown {
                var fields = Self.page
                fields[.cookie] = cookie
                let form = try await client.form("/sign-out", "csrf_token=\(ada.token)", fields)
                #expect(form.status == .seeOther && form.headers[.location] == "/sign-in", "\(cookie)")
                let script = try await client.send(.post, "/api/auth/sign-out/", nil, [.cookie: cookie])
                #expect(script.status == .unauthorized, "\(cookie)")
                for reply in [form, script] { #expect(reply.headers[.clearSiteData] == "\"storage\"", "\(cookie)") }
            }
            for cookie in unknown {
                var fields = Self.page
                fields[.cookie] = cookie
                for path in ["/", "/api/careers", "/sign-in"] {
                    let reply = try await client.send(.get, path, nil, fields)
                    #expect(reply.headers[.setCookie]?.contains("Max-Age=0") == true, "\(path)")
                    #expect(reply.headers[.clearSiteData] == nil, "\(path)")
                }
                // By a page of another host of the domain, which may have set the cookie as well.
                fields[.secFetchSite] = "same-site"
                let forged = try await client.form("/sign-out", "csrf_token=x", fields)
                #expect(forged.status == .seeOther && forged.headers[.clearSiteData] == nil)
            }
        }
    }

    @Test func `the way on from a problem keeps a mailed link`() async throws {
        try await AccessTestService().run { client, _ in
            var fields = Self.page
            // A problem that no page shows in itself.
            fields[.cookie] = "__Host-pathlight=a; __Host-pathlight=b"
            for path in ["/reset-password", "/verify-address", "/sign-in/link"] {
                for (query, way) in [
                    ("utm_source=mail&token=AbC-_9", "?token=AbC-_9"), ("token=AbC", "?token=AbC"),
                    ("token=%22%3E", ""), ("token=a&token=b", ""), ("", ""),
                ] {
                    let reply = try await client.send(.get, "\(path)?\(query)", nil, fields)
                    #expect(reply.status == .badRequest && Self.isPage(reply), "\(path)?\(query)")
                    #expect(String(buffer: reply.body).contains("href=\"\(path)\(way)\""), "\(path)?\(query)")
                }
            }
            let other = try await client.send(.get, "/sign-in?token=AbC", nil, fields)
            #expect(String(buffer: other.body).contains("href=\"/sign-in\""))
        }
    }

    @Test func `a browser gets a page where a program gets a document`() async throws {
        try await AccessTestService().run { client, identity in
            let ada = try await TestBrowser.signedIn(client, identity)
            let asked: [(HTTPRequest.Method, String, String?, HTTPResponse.Status, String)] = [
                (.get, "/nope", nil, .notFound, "href=\"/\""),
                (.get, "/sign-in?done=x", nil, .unprocessableContent, "href=\"/sign-in\""),
                (.get, "/reset-password/?token=%FF", nil, .unprocessableContent, "href=\"/reset-password\""),
                (.post, "/nope", "a=b", .notFound, "href=\"/\""),
                (.post, "/sign-in", "email=%FF", .badRequest, "href=\"/sign-in\""),
                (.post, "/", "a=b", .methodNotAllowed, "href=\"/\""),
            ]
            for (method, path, form, status, way) in asked {
                func send(_ fields: HTTPFields) async throws -> TestResponse {
                    var fields = fields
                    fields[.contentType] = form.map { _ in "application/x-www-form-urlencoded" }
                    return try await client.send(method, path, form, fields)
                }
                let shown = try await send(Self.page)
                #expect(shown.status == status && Self.isPage(shown), "\(path)")
                #expect(String(buffer: shown.body).contains(way), "\(path)")
                #expect(try HTTPTestProblem(try await send([:])).status == Int(status.code), "\(path)")
            }
            for path in ["/api/nope", "/v1/nope"] {
                let document = try await client.send(.get, path, nil, Self.page)
                #expect(try HTTPTestProblem(document).status == 404, "\(path)")
            }
            // A page that was opened before signing in.
            var fields = ada.bare
            fields.append(contentsOf: Self.page)
            let forms = [("/sign-in", "/sign-in"), ("/account/password", "/account"), ("/sign-out", "/sign-in")]
            for (path, page) in forms {
                let stale = try await client.form(path, "csrf_token=old", fields)
                #expect(stale.status == .forbidden && Self.isPage(stale), "\(path)")
                let text = String(buffer: stale.body)
                #expect(text.contains("out of date") && text.contains("href=\"\(page)\""), "\(path)")
            }
            fields[.secFetchSite] = "cross-site"
            let forged = try await client.form("/account/password", "csrf_token=\(ada.token)", fields)
            #expect(forged.status == .forbidden && Self.isPage(forged))
        }
    }

    @Test func `signing up tells of a wrong address and a weak password at once`() async throws {
        try await AccessTestService().run { client, _ in
            let reply = try await client.form("/sign-up", "email=x&password=short")
            let page = String(buffer: reply.body)
            #expect(reply.status == .unprocessableContent)
            #expect(page.contains("id=\"email-error\"") && page.contains("id=\"password-error\""))
            #expect(page.contains("it has no @"))
            let weak = try await client.form("/sign-up", "email=a%40example.org&password=short")
            #expect(!String(buffer: weak.body).contains("id=\"email-error\""))
        }
    }

    @Test func `what is typed into an address gets into no page unescaped`() async throws {
        try await AccessTestService().run { client, _ in
            let reply = try await client.send(.get, "/sign-in?%3Cscript%3E=1", nil, Self.page)
            let page = String(buffer: reply.body)
            #expect(reply.status == .unprocessableContent && !page.contains("<script>"))
            #expect(page.contains("&lt;script&gt;"))
        }
    }

    @Test(arguments: [
        ("/account/password", "/account"), ("/account/sessions/", "/account"), ("/account/verification", "/account"),
        ("/sign-out", "/sign-in"),
    ])
    func `the address of a form leads to its page`(path: String, page: String) async throws {
        try await AccessTestService().run { client, _ in
            let led = try await client.send(.get, path, nil, Self.page)
            #expect(led.status == .seeOther && led.headers[.location] == page)
            #expect(try HTTPTestProblem(try await client.send(.get, path)).code == "method_not_allowed")
        }
    }

    @Test(arguments: ["/reset-password", "/verify-address", "/sign-in/link", "/sign-in/link?token="])
    func `a link that was cut off is told so on its page`(path: String) async throws {
        try await AccessTestService().run { client, _ in
            let reply = try await client.send(.get, path)
            #expect(reply.status == .notFound && Self.isPage(reply))
            #expect(String(buffer: reply.body).contains("cut off") && !String(buffer: reply.body).contains("<form"))
        }
    }
}
