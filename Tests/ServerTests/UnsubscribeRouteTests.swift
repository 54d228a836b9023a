import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Platform
import Store
import Testing
import server

struct UnsubscribeRouteTests {
    private static let form: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
    private static let oneClick = "List-Unsubscribe=One-Click"

    /// Runs `body` on a service that has these routes alone, with a token for `ada@example.org` and `digest`.
    private func withService(
        _ body: @Sendable (any TestClientProtocol, String, MailSuppressionRepository) async throws -> Void
    ) async throws {
        let database = try await SQLiteDatabase.temporary()
        _ = try await SchemaMigrator().migrate(database)
        let suppressions = MailSuppressionRepository(database, cipher: PlainColumns())
        let unsubscriber = Unsubscriber(
            key: Array(repeating: 7, count: 32), publicURL: "https://careers.example.org", suppressions: suppressions)
        let token = unsubscriber.token(list: try MailList("digest"), address: try MailAddress("ada@example.org"))
        let service = HTTPService(
            settings: ServiceSettings(), registry: MetricsRegistry(), problems: ProblemTable(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try UnsubscribeRoutes(unsubscriber).add(to: service.routes)
        try await service.application().test(.router) { client in try await body(client, token, suppressions) }
        try await database.close()
    }

    @Test func `looking at the page unsubscribes nobody`() async throws {
        try await withService { client, token, suppressions in
            for method in [HTTPRequest.Method.get, .head] {
                for path in ["/unsubscribe/\(token)", "/unsubscribe/\(token)/"] {
                    let response = try await client.execute(uri: path, method: method)
                    #expect(response.status == .ok)
                    #expect(response.headers[.contentType] == "text/html; charset=utf-8")
                    #expect(response.headers[.cacheControl] == "no-store")
                    guard method == .get else { continue }
                    let page = String(buffer: response.body)
                    #expect(page.contains("<form method=\"post\">") && page.contains("“digest”"))
                    #expect(page.contains("name=\"List-Unsubscribe\" value=\"One-Click\""))
                    #expect(!page.contains("ada"))
                }
            }
            #expect(try await suppressions.counts().isEmpty)
        }
    }

    @Test func `the button and a mail program's one click do it, as often as they come`() async throws {
        let multipart =
            "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"
        let bodies: [(HTTPFields, String)] = [
            (Self.form, Self.oneClick), (Self.form, Self.oneClick),
            (Self.multipart, multipart),
        ]
        try await withService { client, token, suppressions in
            for (headers, body) in bodies {
                let response = try await client.execute(
                    uri: "/unsubscribe/\(token)", method: .post, headers: headers, body: ByteBuffer(string: body))
                #expect(response.status == .ok)
                #expect(String(buffer: response.body).contains("no more mail of the list “digest”"))
            }
            let found = try await suppressions.suppressions(of: "ada@example.org")
            #expect(found.map(\.reason) == [.unsubscribed] && found.map(\.list) == ["digest"])
        }
    }

    private static let multipart: HTTPFields = [.contentType: "multipart/form-data; boundary=b"]
    private static let otherBodies: [(HTTPFields, String, HTTPResponse.Status)] = [
        (form, "", .badRequest), (form, "List-Unsubscribe=No", .badRequest), (form, "a=%FF", .badRequest),
        ([:], oneClick, .unsupportedMediaType), ([.contentType: "application/json"], "{}", .unsupportedMediaType),
        (multipart, "--b\r\n\r\nOne-Click\r\n--b--\r\n", .badRequest), (multipart, "", .badRequest),
        (form, oneClick + "&x=" + String(repeating: "y", count: 20_000), .contentTooLarge),
    ]

    @Test(arguments: otherBodies)
    func `a body that is not the one click does nothing`(
        headers: HTTPFields, body: String, status: HTTPResponse.Status
    ) async throws {
        try await withService { client, token, suppressions in
            let response = try await client.execute(
                uri: "/unsubscribe/\(token)", method: .post, headers: headers, body: ByteBuffer(string: body))
            #expect(response.status == status)
            #expect(try await suppressions.counts().isEmpty)
        }
    }

    @Test func `a link that does not hold is told so and does nothing`() async throws {
        try await withService { client, token, suppressions in
            for wrong in [String(token.dropLast()), "x", token.uppercased(), "%3Cscript%3E", "%00", "%FF"] {
                let page = try await client.execute(uri: "/unsubscribe/\(wrong)", method: .get)
                #expect(page.status == .notFound && String(buffer: page.body).contains("does not hold"))
                let done = try await client.execute(
                    uri: "/unsubscribe/\(wrong)", method: .post, headers: Self.form,
                    body: ByteBuffer(string: Self.oneClick))
                #expect(done.status == .notFound)
            }
            #expect(try await suppressions.counts().isEmpty)
        }
    }
}
