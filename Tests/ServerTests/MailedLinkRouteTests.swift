import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Platform
import Store
import Testing
import server

/// Links that are mailed: asking for them, and the pages that they open.
struct MailedLinkRouteTests {
    /// A service that leaves mail in a folder and knows where people reach it.
    private static func mailing() async throws -> AccessTestService {
        try await AccessTestService { settings in
            settings.publicURL = "https://careers.example.org"
            settings.mail.folder = settings.dataDirectory + "/post"
        }
    }

    @Test func `a link opens a page, works by its button and once`() async throws {
        try await Self.mailing().run { client, identity in
            let ada = try await TestBrowser.signedIn(client, identity)
            let link = try await identity.makeLink(.passwordReset, for: ada.id)
            for _ in 0..<2 {
                let page = try await client.send(.get, "/reset-password?token=\(link)")
                #expect(page.status == .ok && String(buffer: page.body).contains("value=\"\(link)\""))
                #expect(page.headers[.referrerPolicy] == "strict-origin" && page.headers[.cacheControl] == "no-store")
            }
            let weak = try await client.form("/reset-password", "token=\(link)&password=short")
            #expect(weak.status == .unprocessableContent)
            #expect(String(buffer: weak.body).contains("id=\"password-error\""))
            #expect(String(buffer: weak.body).contains("value=\"\(link)\""))
            let none = try await client.form("/reset-password", "token=\(link)")
            #expect(none.status == .unprocessableContent)
            let done = try await client.form("/reset-password", "token=\(link)&password=four+other+words")
            #expect(done.status == .seeOther && done.headers[.location] == "/sign-in?done=password")
            #expect(done.headers[.setCookie] == nil, "signing in is left to its owner")
            #expect(try await client.send(.get, "/api/careers", nil, ada.bare).status == .unauthorized)
            for body in [
                "token=\(link)&password=four+other+words", "token=x&password=y", "password=y", "token=\(link)",
            ] {
                let again = try await client.form("/reset-password", body)
                #expect(again.status == .notFound && String(buffer: again.body).contains("does not hold"), "\(body)")
            }
            let page = try await client.send(.get, "/reset-password?token=\(link)")
            #expect(page.status == .notFound)
        }
    }

    @Test func `an address is confirmed by the button of its page`() async throws {
        try await Self.mailing().run { client, identity in
            let ada = try await TestBrowser.signedIn(client, identity)
            let link = try await identity.makeLink(.addressVerification, for: ada.id)
            let reset = try await identity.makeLink(.passwordReset, for: ada.id)
            #expect(try await client.send(.get, "/verify-address?token=\(link)").status == .ok)
            #expect(try await client.send(.get, "/verify-address?token=\(reset)").status == .notFound)
            #expect(try await client.form("/verify-address", "token=\(reset)").status == .notFound)
            #expect(try await identity.user(id: ada.id)?.isEmailVerified == false)
            let done = try await client.form("/verify-address", "token=\(link)")
            #expect(done.status == .seeOther && done.headers[.location] == "/sign-in?done=address")
            #expect(try await identity.user(id: ada.id)?.isEmailVerified == true)
            #expect(try await client.form("/verify-address", "token=\(link)").status == .notFound)
            let me = try await client.send(.get, "/api/auth/me", nil, ada.bare)
            #expect(String(buffer: me.body).contains("\"email_verified\":true"))
        }
    }

    @Test(arguments: ["utm_source=mail&utm_medium=e%20mail", "x=%FF&%FF=1&x", "a=1&a=2"])
    func `what a mail program appends to a link does no harm`(appended: String) async throws {
        try await Self.mailing().run { client, identity in
            let ada = try await TestBrowser.signedIn(client, identity)
            let reset = try await identity.makeLink(.passwordReset, for: ada.id)
            let verify = try await identity.makeLink(.addressVerification, for: ada.id)
            let links = [("/reset-password", reset), ("/verify-address", verify), ("/sign-in/link", reset)]
            for (path, link) in links {
                for query in ["token=\(link)&\(appended)", "\(appended)&token=\(link)"] {
                    let page = try await client.send(.get, "\(path)?\(query)")
                    #expect(page.status == .ok, "\(path)?\(query)")
                    #expect(String(buffer: page.body).contains("value=\"\(link)\""), "\(path)?\(query)")
                }
                let twice = try await client.send(.get, "\(path)?token=\(link)&token=\(link)")
                #expect(try HTTPTestProblem(twice).code == "invalid_fields", "\(path)")
            }
            let forgotten = try await client.send(.get, "/forgot-password?\(appended)")
            #expect(forgotten.status == .ok && String(buffer: forgotten.body).contains("name=\"email\""))
        }
    }

    @Test func `a browser that tells its origin alone can use a link`() async throws {
        try await Self.mailing().run { client, identity in
            let ada = try await TestBrowser.signedIn(client, identity)
            let link = try await identity.makeLink(.passwordReset, for: ada.id)
            let body = "token=\(link)&password=four+other+words"
            // As from a page without referrers, and from another's.
            for origin in ["null", "https://elsewhere.example"] {
                let refused = try await client.form("/reset-password", body, [.origin: origin])
                #expect(try HTTPTestProblem(refused).code == "cross_site_request")
            }
            let page = try await client.send(.get, "/reset-password?token=\(link)")
            #expect(page.headers[.referrerPolicy] == "strict-origin", "with which the browser tells it")
            let done = try await client.form("/reset-password", body, [.origin: "https://localhost"])
            #expect(done.status == .seeOther && done.headers[.location] == "/sign-in?done=password")
        }
    }

    @Test func `asking for a link is answered alike for every address`() async throws {
        try await Self.mailing().run { client, identity in
            _ = try await TestBrowser.signedIn(client, identity)
            var replies: [(TestResponse, TestResponse)] = []
            for name in ["ada-user", "nobody"] {
                let body = #"{"email":"\#(name)@example.org"}"#
                replies.append(
                    (
                        try await client.send(.post, "/api/auth/password-reset/", body),
                        try await client.form("/forgot-password", "email=\(name)%40example.org")
                    ))
            }
            func shown(_ reply: TestResponse) -> String {
                var headers = reply.headers
                headers[.requestID] = nil
                headers[.date] = nil
                return "\(reply.status) \(headers) \(String(buffer: reply.body))"
            }
            #expect(shown(replies[0].0) == shown(replies[1].0) && shown(replies[0].1) == shown(replies[1].1))
            #expect(replies[0].0.status == .accepted && replies[0].0.body.readableBytes == 0)
            #expect(replies[0].1.headers[.location] == "/forgot-password?sent=true")
            // The wait comes for both alike.
            for name in ["ada-user", "nobody"] {
                let body = #"{"email":"\#(name)@example.org"}"#
                #expect(try await client.send(.post, "/api/auth/password-reset", body).status == .accepted)
                let limited = try await client.send(.post, "/api/auth/password-reset", body)
                #expect(try HTTPTestProblem(limited).code == "too_many_requests")
                // Five minutes, less what this test takes.
                let wait = try #require(limited.headers[.retryAfter].flatMap { Int($0) })
                #expect((1...300).contains(wait))
                let form = try await client.form("/forgot-password", "email=\(name)%40example.org")
                #expect(form.status == .tooManyRequests && String(buffer: form.body).contains("role=\"alert\""))
            }
        }
    }

    @Test func `where no mail is sent the pages say whom to ask`() async throws {
        // A folder alone is no address for links, where other machines reach the service.
        for isConfigured in [false, true] {
            try await AccessTestService { settings in
                if isConfigured { settings.mail.folder = settings.dataDirectory + "/post" }
            }.run { client, identity in
                let body = #"{"email":"ada@example.org"}"#
                let refused = try await client.send(.post, "/api/auth/password-reset", body)
                #expect(try HTTPTestProblem(refused).code == "mail_unavailable")
                let form = try await client.form("/forgot-password", "email=ada%40example.org")
                #expect(form.status == .forbidden && String(buffer: form.body).contains("ask the administrator"))
                let signIn = String(buffer: try await client.send(.get, "/sign-in").body)
                #expect(!signIn.contains("/forgot-password"))
                let made = try await client.send(
                    .post, "/api/auth/sign-up", #"{"email":"a@example.org","password":"\#(TestBrowser.password)"}"#)
                #expect(made.status == .created, "an account needs no mail")
            }
        }
    }
}
