import Foundation
import HTTPTypes
package import Hummingbird
import Logging
import NIOCore
package import Store
import VectorMath

/// Makes a write that carries an `Idempotency-Key` happen once, however often it is sent
/// (draft-ietf-httpapi-idempotency-key-header).
///
/// The key, the path and a hash of the body are reserved in the store before the handler runs, with an
/// unguessable id that names the effect: what the handler makes gets ids derived from it (`RequestScope.effectID`).
/// The reply is stored after the effect. A crash between the two leaves the reservation, and the next attempt runs
/// the handler again with the same id, which finds the effect done: no transaction has to span both.
///
/// Replies of 500 and more are not stored, so that a retry is a real one.
package struct IdempotencyMiddleware: RouterMiddleware {
    package typealias Context = RequestScope

    static let purgePeriod = Duration.seconds(3_600)
    /// Failures of one attempt and not of the request: the next may fare better.
    private static let passing: Set<HTTPResponse.Status> = [.requestTimeout, .tooManyRequests]

    private let repository: IdempotencyRepository
    private let routes: Set<String>
    private let table: ProblemTable
    /// How long a key is remembered.
    private let lifetime: Duration
    private let metrics: IdempotencyMetrics
    private let attempts = IdempotencyAttempts()

    /// - Parameters:
    ///   - routes: the patterns of the routes that write; on others the header field is ignored.
    ///   - lifetime: how long a key is remembered.
    package init(
        repository: IdempotencyRepository, routes: Set<String>, table: ProblemTable, lifetime: Duration,
        metrics: IdempotencyMetrics
    ) {
        self.repository = repository
        self.routes = routes
        self.table = table
        self.lifetime = lifetime
        self.metrics = metrics
    }

    package func handle(
        _ request: Request, context: RequestScope, next: (Request, RequestScope) async throws -> Response
    ) async throws -> Response {
        guard request.method == .post, let route = context.endpointPath, routes.contains(route),
            let given = request.headers[.idempotencyKey]
        else { return try await next(request, context) }
        guard let key = IdempotencyKey(given) else {
            throw HTTPProblem(
                .idempotencyKeyInvalid,
                "`Idempotency-Key` must be 1 to \(IdempotencyKey.maxBytes) visible ASCII characters, quoted or not.")
        }
        let body = try await request.collectBody(in: context)
        // Paths with and without their final slash are one.
        var scope = "POST /" + request.uri.path.split(separator: "/").joined(separator: "/")
        // One person's key is not another's: the kept reply is for who sent the request.
        if let caller = context.principal.caller { scope += " of " + caller }
        let attempt = IdempotencyAttempts.Attempt(scope: scope, key: key)
        guard attempts.begin(attempt) else {
            metrics.count(.inProgress)
            throw HTTPProblem(
                .idempotencyInProgress, "A request with this key is being answered; ask again in a moment.",
                headers: [.retryAfter: "1"])
        }
        defer { attempts.end(attempt) }
        await purgeIfDue(context)
        let hash = SHA256.hash(Array(body.readableBytesView))
        switch try await repository.reserve(key: key.text, scope: scope, requestHash: hash) {
        case .mismatch:
            metrics.count(.reused)
            throw HTTPProblem(
                .idempotencyKeyReused,
                "This `Idempotency-Key` came with another body before; a new request needs a new key.")
        case .done(let reply):
            metrics.count(.replayed)
            return Self.response(of: reply)
        case .started(let id, let isResumed):
            metrics.count(isResumed ? .resumed : .started)
            var inner = context
            inner.effectID = id
            var buffered = request
            buffered.body = RequestBody(buffer: body)
            let response = try await answer(buffered, inner, next)
            return await keep(response, of: attempt, context)
        }
    }

    /// The handler's reply; an error that is the client's becomes one here, since it is kept as well.
    private func answer(
        _ request: Request, _ context: RequestScope, _ next: (Request, RequestScope) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let problem = table.problem(for: error)
            guard problem.status.kind == .clientError else { throw error }
            return problem.response(from: request, context: context)
        }
    }

    /// Stores the reply. Where that fails the effect is done all the same and the client learns of it; a retry
    /// runs again under the same id.
    private func keep(
        _ response: Response, of attempt: IdempotencyAttempts.Attempt, _ context: RequestScope
    ) async -> Response {
        guard response.status.code < 500, !Self.passing.contains(response.status) else { return response }
        var response = response
        do {
            let bytes = try await response.collectBody()
            let reply = StoredReply(
                status: response.status.code, contentType: response.headers[.contentType] ?? "application/json",
                body: Array(bytes.readableBytesView))
            try await repository.finish(key: attempt.key.text, scope: attempt.scope, reply: reply)
        } catch {
            context.logger.warning("a reply could not be kept for its key", metadata: ["error": "\(error)"])
        }
        return response
    }

    private static func response(of reply: StoredReply) -> Response {
        Response(
            status: .init(code: reply.status),
            headers: [.contentType: reply.contentType, .idempotencyReplayed: "true"],
            body: .init(byteBuffer: ByteBuffer(bytes: reply.body)))
    }

    private func purgeIfDue(_ context: RequestScope) async {
        guard attempts.isPurgeDue(every: Self.purgePeriod) else { return }
        do {
            let seconds = Double(lifetime.components.seconds)
            _ = try await repository.purge(olderThan: Date(timeIntervalSinceNow: -seconds))
        } catch {
            context.logger.warning("old keys could not be removed", metadata: ["error": "\(error)"])
        }
    }
}
