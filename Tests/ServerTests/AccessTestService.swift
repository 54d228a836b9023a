import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Platform
import Store
import TestSupport
import Testing
import server

/// The whole service with every route, in a folder of its own, without a model.
struct AccessTestService {
    let service: AssembledService
    private let folder: TemporaryDirectory

    var identity: Identity { service.access.identity }

    /// - Parameters:
    ///   - isExposed: whether a proxy hands requests of other machines on.
    ///   - hasAdminKey: whether there is an administrator's key before the service starts.
    init(isExposed: Bool = true, hasAdminKey: Bool = false, _ change: (inout ServiceSettings) -> Void = { _ in })
        async throws
    {
        folder = try TemporaryDirectory("access")
        var settings = ServiceSettings()
        settings.port = 0
        settings.dataDirectory = folder.file("data").path
        settings.modelsDirectory = folder.file("models").path
        if isExposed { settings.trustedProxy = "192.0.2.1" }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        if hasAdminKey {
            let before = try await AssembledService.open(settings, registry: MetricsRegistry(), logger: logger)
            _ = try await before.access.identity.createKey(role: .admin)
            try await before.close()
        }
        change(&settings)
        service = try await AssembledService.open(settings, registry: MetricsRegistry(), logger: logger)
    }

    /// Runs `body` against the service and closes it.
    func run(
        _ setup: TestingSetup = .router,
        _ body: @escaping @Sendable (any TestClientProtocol, Identity) async throws -> Void
    ) async throws {
        let identity = identity
        do {
            try await service.http.application().test(setup) { try await body($0, identity) }
        } catch {
            try? await service.close()
            throw error
        }
        try await service.close()
    }
}

extension Identity {
    /// The header field of a new key, and the user whom it is for.
    func bearer(_ role: Role, scopes: [String] = []) async throws -> (fields: HTTPFields, user: String?) {
        let user: String? =
            switch role {
            case .user, .educator: try await createUser(email: nil, password: nil, name: "Ada", role: role).id
            case .anonymous, .service, .admin: nil
            }
        let key = try await createKey(role: role, userID: user, scopes: scopes)
        return ([.authorization: "Bearer \(key.secret)"], user)
    }
}

extension TestClientProtocol {
    /// Sends a document, or nothing where there is none.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, _ fields: HTTPFields = [:]
    ) async throws -> TestResponse {
        var fields = fields
        if body != nil, fields[.contentType] == nil { fields[.contentType] = "application/json" }
        return try await execute(uri: path, method: method, headers: fields, body: body.map { ByteBuffer(string: $0) })
    }

    /// Sends a form as a browser does.
    func form(_ path: String, _ body: String, _ fields: HTTPFields = [:]) async throws -> TestResponse {
        var fields = fields
        fields[.contentType] = "application/x-www-form-urlencoded"
        return try await send(.post, path, body, fields)
    }
}

extension TestResponse {
    /// A member of the document, where that is text.
    func text(_ name: String) throws -> String {
        guard case .object(let object) = try JSONParser.parse(Array(body.readableBytesView)),
            case .string(let text)? = object[name]
        else {
            Issue.record("no text “\(name)” in \(String(buffer: body))")
            return ""
        }
        return text
    }

    /// What a browser would send back.
    var cookie: String { String((headers[.setCookie] ?? "").prefix { $0 != ";" }) }
}
