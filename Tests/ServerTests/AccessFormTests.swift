import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Platform
import Testing
import server

/// The forms that sign somebody in can be used by a browser in which somebody is signed in already.
struct AccessFormTests {
    /// The hidden fields of a page's form, as a browser sends them.
    private static func hidden(_ page: TestResponse) throws -> String {
        let pattern = try NSRegularExpression(pattern: #"<input type="hidden" name="([^"]*)" value="([^"]*)">"#)
        let text = String(buffer: page.body)
        let fields = pattern.matches(in: text, range: NSRange(text.startIndex..., in: text)).map { match in
            (1...2).compactMap { Range(match.range(at: $0), in: text).map { String(text[$0]) } }.joined(separator: "=")
        }
        return fields.joined(separator: "&")
    }

    @Test func `an account is made while somebody is signed in`() async throws {
        try await AccessTestService().run { client, identity in
            let browser = try await TestBrowser.signedIn(client, identity)
            let page = try await client.send(.get, "/sign-up", nil, browser.bare)
            let typed = "email=new%40example.org&password=correct+horse+battery"
            let made = try await client.form("/sign-up", "\(try Self.hidden(page))&\(typed)", browser.bare)
            #expect(made.status == .seeOther && made.cookie != browser.cookie)
            // A form with a mistake comes back as it was.
            let again = try await client.form(
                "/sign-up", "\(try Self.hidden(page))&email=x&password=correct+horse+battery", browser.bare)
            #expect(again.status == .unprocessableContent)
            #expect(try Self.hidden(again) == Self.hidden(page))
            #expect(
                try HTTPTestProblem(try await client.form("/sign-up", typed, browser.bare)).code == "csrf_token_invalid"
            )
        }
    }

    @Test func `the administrator's link signs in while somebody is signed in`() async throws {
        try await AccessTestService(isExposed: false).run { client, identity in
            let browser = try await TestBrowser.signedIn(client, identity)
            let link = try #require(try await identity.makeAdminLink())
            let page = try await client.send(.get, "/sign-in/link?token=\(link)", nil, browser.bare)
            let reply = try await client.form("/sign-in/link", try Self.hidden(page), browser.bare)
            #expect(reply.status == .seeOther && reply.cookie != browser.cookie)
            let keys = try await client.send(.get, "/api/admin/keys", nil, [.cookie: reply.cookie])
            #expect(keys.status == .ok)
        }
    }
}
