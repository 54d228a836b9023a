internal import Foundation
internal import Hummingbird
internal import Platform
internal import Store

/// The API keys: `GET` and `POST /api/admin/keys/`, `DELETE /api/admin/keys/{id}/`.
struct AdminKeyRoutes {
    private struct Wanted {
        var role = Role.user
        var userID: String?
        var scopes: [String] = []
        var label: String?
        var expiresAt: Date?
    }

    private static let maximumBytes = 256

    let access: AccessControl
    var clock: @Sendable () -> Date = { Date() }

    func add(to router: GuardedRouter) {
        router.get("/api/admin/keys", .admin) { request, _ in try await list(request) }
        router.post("/api/admin/keys", .admin) { request, scope in try await create(request, scope) }
        router.delete("/api/admin/keys/{id}", .admin) { request, scope in try await revoke(request, scope) }
    }

    private func list(_ request: Request) async throws -> Response {
        let (skip, limit) = try AdminPage.read(request)
        let page = try await access.identity.listKeys(skip: skip, limit: limit)
        let now = clock()
        return AdminPage.reply(page.items, total: page.total, skip: skip, limit: limit) { json, key in
            APIKeyWriter.write(key, secret: nil, now: now, to: &json)
        }
    }

    private func create(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let now = clock()
        let wanted = try await request.readFields(in: scope) { fields in Self.read(fields, now: now) }
        let made = try await make(wanted)
        // The one time that the secret is told.
        return .json(status: .created, headers: [.cacheControl: "no-store"]) { json in
            APIKeyWriter.write(made.record, secret: made.secret, now: now, to: &json)
        }
    }

    private func make(_ wanted: Wanted) async throws -> (secret: String, record: APIKeyRecord) {
        do {
            return try await access.identity.createKey(
                role: wanted.role, userID: wanted.userID, scopes: wanted.scopes, label: wanted.label,
                expiresAt: wanted.expiresAt)
        } catch let error as IdentityError where error.code == .notFound {
            throw AdminUserRoutes.missing(wanted.userID ?? "")
        }
    }

    private static func read(_ fields: FieldReader, now: Date) -> Wanted {
        var wanted = Wanted()
        let role = fields.choice("role", of: Role.self)
        if let role, !Role.ofKeys.contains(role) {
            fields.fail("role", "must be one of \(AdminPage.list(Role.ofKeys)): who is anonymous needs no key")
        }
        if role == nil, !fields.has("role") { fields.fail("role", "is required") }
        wanted.role = role ?? .user
        wanted.userID = fields.string("user_id", maxBytes: maximumBytes, allowEmpty: false)
        if let role, role.isOfOneUser, wanted.userID == nil, !fields.has("user_id") {
            fields.fail(
                "user_id", "is required for a key of the role `\(role.rawValue)`: it says whose data the key reaches")
        }
        wanted.scopes = fields.strings("scopes", maxCount: RouteRule.Scope.all.count, maxBytes: maximumBytes) ?? []
        for (place, scope) in wanted.scopes.enumerated() where !RouteRule.Scope.all.contains(scope) {
            let all = RouteRule.Scope.all.map { "`\($0)`" }.joined(separator: ", ")
            fields.fail("scopes.\(place)", "must be one of \(all), not `\(excerpt(of: scope))`")
        }
        wanted.label = fields.string("label", maxBytes: maximumBytes, allowEmpty: false)
        if let text = fields.string("expires_at", maxBytes: 64, allowEmpty: false) {
            wanted.expiresAt = ISO8601.date(from: text)
            if let date = wanted.expiresAt {
                if date <= now { fields.fail("expires_at", "lies in the past") }
            } else {
                fields.fail("expires_at", "must be a time in ISO 8601 with its zone, such as `2027-01-31T12:00:00Z`")
            }
        }
        return wanted
    }

    private func revoke(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let id = try scope.pathID("id", missing: Self.missing)
        do {
            try await access.identity.revokeKey(id: id)
        } catch let error as IdentityError where error.code == .notFound {
            throw Self.missing(id)
        }
        return Response(status: .noContent)
    }

    private static func missing(_ id: String) -> HTTPProblem {
        HTTPProblem(.keyNotFound, "There is no key “\(excerpt(of: id))”; GET /api/admin/keys/ lists them.")
    }
}

/// A key as replies and `pathlight keys list --json` show it.
enum APIKeyWriter {
    static func write(_ key: APIKeyRecord, secret: String? = nil, now: Date, to json: inout JSONWriter) {
        json.object { json in
            json.field("id", key.id)
            if let secret { json.field("key", secret) }
            json.field("role", key.role)
            json.field("user_id", key.userID)
            json.field("scopes", key.scopes)
            json.field("label", key.label)
            json.field("active", key.isActive(at: now))
            json.field("created_at", key.createdAt)
            for (name, date) in [
                ("expires_at", key.expiresAt), ("revoked_at", key.revokedAt), ("last_used_at", key.lastUsedAt),
            ] {
                json.name(name)
                if let date { json.value(date) } else { json.null() }
            }
        }
    }
}
