import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Platform
import Testing
import server

/// Every route × every role, where other machines reach the service.
struct AccessTests {
    private static let everyone = Set(Role.allCases)
    private static let signedIn = everyone.subtracting([.anonymous])

    /// Who gets in. A route of the program that is not here fails the test, as does a row without a route.
    private static let table: [String: Set<Role>] = [
        "GET /": everyone, "GET /docs": everyone, "GET /openapi.json": everyone, "GET /favicon.ico": everyone,
        "GET /assets/app.css": everyone, "GET /assets/favicon.svg": everyone, "GET /assets/app.js": everyone,
        "GET /assets/state.js": everyone, "GET /assets/quiz.js": everyone, "GET /assets/asking.js": everyone,
        "GET /assets/list.js": everyone, "GET /assets/career.js": everyone, "GET /assets/results.js": everyone,
        "GET /assets/docs.js": everyone,
        "GET /livez": everyone, "GET /readyz": everyone, "GET /healthz": everyone, "GET /metrics": [.admin],
        "GET /api/quiz/questions": everyone, "POST /api/quiz/submit": everyone,
        "POST /api/results/recommend": everyone, "POST /api/recommend/batch": everyone,
        "GET /api/results/{session_id}": everyone,
        "POST /api/results/save_career": everyone, "POST /api/results/view_career": everyone,
        "POST /api/results/dismiss_career": everyone, "POST /api/results/choose_career": everyone,
        "GET /api/careers": everyone, "GET /api/careers/{id}": everyone, "GET /api/careers/{id}/similar": everyone,
        "POST /v1/embeddings": signedIn,
        "POST /api/auth/sign-up": everyone, "POST /api/auth/sign-in": everyone, "POST /api/auth/sign-out": everyone,
        "GET /api/auth/me": everyone, "POST /api/auth/password-reset": everyone,
        // Of sessions alone, which no key is.
        "POST /api/auth/password": [], "POST /api/auth/verification": [], "GET /api/auth/sessions": [],
        "DELETE /api/auth/sessions": [], "DELETE /api/auth/sessions/{id}": [],
        "GET /sign-in": everyone, "POST /sign-in": everyone, "GET /sign-up": everyone, "POST /sign-up": everyone,
        "POST /sign-out": everyone, "GET /sign-in/link": everyone, "POST /sign-in/link": everyone,
        // Who is not signed in is led to where one signs in.
        "GET /account": everyone, "POST /account/password": everyone, "POST /account/sessions": everyone,
        "POST /account/verification": everyone,
        "GET /forgot-password": everyone, "POST /forgot-password": everyone,
        "GET /reset-password": everyone, "POST /reset-password": everyone,
        "GET /verify-address": everyone, "POST /verify-address": everyone,
        "GET /api/admin/keys": [.admin], "POST /api/admin/keys": [.admin], "DELETE /api/admin/keys/{id}": [.admin],
        "GET /api/admin/users": [.admin], "POST /api/admin/users": [.admin], "PATCH /api/admin/users/{id}": [.admin],
        "GET /api/admin/users/{id}/learners": [.admin], "PUT /api/admin/users/{id}/learners/{learner_id}": [.admin],
        "DELETE /api/admin/users/{id}/learners/{learner_id}": [.admin],
        "GET /api/admin/tasks": [.admin], "GET /api/admin/tasks/{id}": [.admin],
        "POST /api/admin/tasks/{id}/retry": [.admin], "POST /api/admin/tasks/{id}/cancel": [.admin],
        "GET /api/admin/schedules": [.admin], "PATCH /api/admin/schedules/{name}": [.admin],
        "POST /api/admin/schedules/{name}/run": [.admin],
        "GET /api/admin/budgets": [.admin], "PUT /api/admin/budgets": [.admin],
        "GET /api/admin/prompts": [.admin], "GET /api/admin/prompts/{id}": [.admin],
        "PUT /api/admin/prompts/{id}": [.admin], "DELETE /api/admin/prompts/{id}": [.admin],
        "POST /api/admin/prompts/{id}/try": [.admin],
        "GET /api/admin/settings": [.admin],
        "GET /api/admin/suppressions": [.admin], "DELETE /api/admin/suppressions/{id}": [.admin],
        "GET /unsubscribe/{token}": everyone, "POST /unsubscribe/{token}": everyone,
        "GET /api/monitor/status": [.service, .admin], "POST /api/monitor/run": [.admin],
        "GET /api/monitor/courses": everyone, "POST /api/monitor/students": [.service, .admin],
        // Besides, of whom the id is.
        "GET /api/monitor/students/{user_id}": [.service, .admin],
        "PUT /api/monitor/students/{user_id}": [.service, .admin],
        "DELETE /api/monitor/students/{user_id}": [.service, .admin],
    ]

    @Test func `lets in to every route who may, and nobody else`() async throws {
        let test = try await AccessTestService()
        let routes = test.service.http.router.routes.filter { $0.method != .head }
            .map { (method: $0.method, path: $0.path.description) }
        #expect(Set(routes.map { "\($0.method) \($0.path)" }) == Set(Self.table.keys))
        try await test.run { client, identity in
            for role in Role.allCases {
                let fields = role == .anonymous ? [:] : try await identity.bearer(role).fields
                for (method, pattern) in routes {
                    let path = pattern.split(separator: "/").map { $0.hasPrefix("{") ? "x" : String($0) }
                    let isReading = method == .get
                    let reply = try await client.send(
                        method, "/" + path.joined(separator: "/"), isReading ? nil : "{}", fields)
                    let place = "\(method) \(pattern) by \(role.rawValue): \(reply.status)"
                    if Self.table["\(method) \(pattern)"]?.contains(role) == true {
                        #expect(![.unauthorized, .forbidden].contains(reply.status), "\(place)")
                        #expect(reply.status.code < 500 || pattern == "/v1/embeddings", "\(place)")
                    } else {
                        #expect(reply.status == (role == .anonymous ? .unauthorized : .forbidden), "\(place)")
                        #expect(role != .anonymous || reply.headers[.wwwAuthenticate] == "Bearer", "\(place)")
                    }
                }
            }
        }
    }

    @Test func `what is one's own account's is for the account's sessions, of every role`() async throws {
        let ofSessions = Self.table.filter { $0.value.isEmpty }.keys.map { $0.split(separator: " ").map(String.init) }
        #expect(ofSessions.count == 5)
        try await AccessTestService().run { client, identity in
            for role in Role.ofAccounts {
                let browser = try await TestBrowser.signedIn(client, identity, role: role)
                for place in ofSessions {
                    let method = try #require(HTTPRequest.Method(place[0]))
                    let path = place[1].replacing("{id}", with: "x")
                    let reply = try await client.send(method, path, method == .post ? "{}" : nil, browser.fields)
                    let isMailOff = path == "/api/auth/verification"
                    #expect(
                        reply.status != .unauthorized && (reply.status == .forbidden) == isMailOff, "\(place) \(role)")
                    if isMailOff { #expect(try HTTPTestProblem(reply).code == "mail_unavailable") }
                }
            }
        }
    }

    @Test func `no route lets pages of other origins read it`() async throws {
        let test = try await AccessTestService()
        let routes = test.service.http.router.routes.filter { $0.method != .head }
            .map { (method: $0.method, path: $0.path.description) }
        try await test.run { client, identity in
            let origin = "https://evil.example"
            var fields = try await identity.bearer(.admin).fields
            fields[.origin] = origin
            for (method, pattern) in routes {
                let parts = pattern.split(separator: "/").map { $0.hasPrefix("{") ? "x" : String($0) }
                let path = "/" + parts.joined(separator: "/")
                let asked = try await client.send(method, path, method == .get ? nil : "{}", fields)
                let before: HTTPFields = [.origin: origin, .accessControlRequestMethod: method.rawValue]
                for reply in [asked, try await client.send(.options, path, nil, before)] {
                    let place = "\(method) \(pattern): \(reply.status)"
                    let names = reply.headers.map { $0.name.canonicalName }
                    #expect(!names.contains { $0.hasPrefix("access-control-") }, "\(place)")
                    #expect(reply.headers[.xContentTypeOptions] == "nosniff", "\(place)")
                    let policy = reply.headers[.contentSecurityPolicy] ?? ""
                    #expect(policy.hasPrefix("default-src 'none'"), "\(place)")
                    #expect(policy.hasSuffix("frame-ancestors 'none'"), "\(place)")
                }
            }
        }
    }

    @Test func `a HEAD is let in as a GET is`() async throws {
        try await AccessTestService().run { client, identity in
            #expect(try await client.send(.head, "/api/admin/keys").status == .unauthorized)
            let user = try await identity.bearer(.user).fields
            #expect(try await client.send(.head, "/api/admin/keys/", nil, user).status == .forbidden)
            let admin = try await identity.bearer(.admin).fields
            #expect(try await client.send(.head, "/api/admin/keys", nil, admin).status == .ok)
        }
    }

    @Test func `programs of this machine see metrics and embeddings where no other machine can ask`() async throws {
        try await AccessTestService(isExposed: false).run { client, _ in
            let metrics = try await client.send(.get, "/metrics")
            #expect(metrics.status == .ok)
            #expect(try await client.send(.post, "/v1/embeddings", "{}").status == .unprocessableContent)
            #expect(try await client.send(.get, "/api/admin/keys").status == .unauthorized)
        }
    }

    @Test func `a key with scopes gets in only where one of them does`() async throws {
        try await AccessTestService().run { client, identity in
            let metrics = try await identity.bearer(.service, scopes: ["metrics"]).fields
            #expect(try await client.send(.get, "/metrics", nil, metrics).status == .ok)
            let refused = try await client.send(.get, "/api/careers", nil, metrics)
            #expect(try HTTPTestProblem(refused).code == "scope_missing")
            let careers = try await identity.bearer(.admin, scopes: ["careers"]).fields
            #expect(try await client.send(.get, "/api/careers", nil, careers).status == .ok)
            #expect(try await client.send(.get, "/api/admin/keys", nil, careers).status == .forbidden)
            #expect(try await client.send(.get, "/metrics", nil, careers).status == .forbidden)
            #expect(try await client.send(.get, "/livez", nil, careers).status == .ok)
        }
    }

    @Test func `does not start with a route that nobody said who may call`() async throws {
        let test = try await AccessTestService()
        test.service.http.router.get("/api/forgotten") { _, _ in Response(status: .ok) }
        #expect(throws: RouteRules.Mismatch.self) { try test.service.http.application() }
        do {
            _ = try test.service.http.application()
        } catch {
            #expect("\(error)".contains("GET /api/forgotten") && "\(error)".contains("have no rule"))
        }
        try await test.service.close()
    }

    @Test func `does not start with a rule for no route`() async throws {
        let test = try await AccessTestService()
        test.service.access.rules.add(.admin, for: .put, "/api/nothing/{id}")
        do {
            _ = try test.service.http.application()
            Issue.record("started")
        } catch let error as RouteRules.Mismatch {
            #expect(error == .init(withoutRule: [], withoutRoute: ["PUT /api/nothing/{id}"]))
        }
        try await test.service.close()
    }

    @Test func `a path with a user's id is for its user, their educator's eyes, services and admins`() async throws {
        let test = try await AccessTestService()
        let own = RouteRule.own("user_id", scope: RouteRule.Scope.results)
        test.service.http.routes.get("/test/{user_id}", own) { _, _ in Response(status: .ok) }
        test.service.http.routes.put("/test/{user_id}", own) { _, _ in Response(status: .ok) }
        try await test.run { client, identity in
            let (ada, adaID) = try await identity.bearer(.user)
            let path = "/test/\(try #require(adaID))"
            func status(_ method: HTTPRequest.Method, _ fields: HTTPFields) async throws -> HTTPResponse.Status {
                try await client.send(method, path, method == .get ? nil : "{}", fields).status
            }
            let (other, _) = try await identity.bearer(.user)
            let (educator, educatorID) = try await identity.bearer(.educator)
            for method in [HTTPRequest.Method.get, .put] {
                #expect(try await status(method, ada) == .ok)
                #expect(try await status(method, other) == .forbidden)
                #expect(try await status(method, [:]) == .unauthorized)
                #expect(try await status(method, educator) == .forbidden)
                #expect(try await status(method, try await identity.bearer(.service).fields) == .ok)
                #expect(try await status(method, try await identity.bearer(.admin).fields) == .ok)
            }
            try await identity.assign(learner: try #require(adaID), to: try #require(educatorID))
            #expect(try await status(.get, educator) == .ok)
            #expect(try await status(.put, educator) == .forbidden)
            // Their own data they may change.
            let mine = "/test/\(try #require(educatorID))"
            #expect(try await client.send(.put, mine, "{}", educator).status == .ok)
            // The id counts as it is decoded, and only as a whole.
            #expect(try await client.send(.get, "/test/%" + "41", nil, ada).status == .forbidden)
            #expect(try await client.send(.get, path + "%00", nil, ada).status == .forbidden)
        }
    }
}
