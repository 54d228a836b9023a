package import Foundation

/// A reply that was given and is given again to the same request.
package struct StoredReply: Sendable, Equatable {
    /// The HTTP status.
    package let status: Int
    package let contentType: String
    package let body: [UInt8]

    package init(status: Int, contentType: String, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}

/// Requests that carry a key of their sender's, so that sending one twice does its work once.
package struct IdempotencyRepository: Sendable {
    /// What to do with a request.
    package enum Reservation: Sendable, Equatable {
        /// Do the work, giving what it makes this id: 40 bits of the clock and 88 random ones in hexadecimal, the same
        /// for every attempt.
        /// `resumed`: an earlier attempt began it and may have done it.
        case started(id: String, resumed: Bool)
        case done(StoredReply)
        /// The key was used for another request.
        case mismatch
    }

    private static let bodyColumn = "idempotent_requests.body"

    private let database: any SQLDatabase
    private let cipher: any ColumnCipher
    private let clock: @Sendable () -> Date
    private let makeID: @Sendable () -> String

    /// - Parameters:
    ///   - cipher: seals the bodies of replies.
    ///   - makeID: gives a new, unguessable id each time.
    package init(
        _ database: any SQLDatabase, cipher: any ColumnCipher = PlainColumns(),
        clock: @escaping @Sendable () -> Date = { Date() },
        makeID: @escaping @Sendable () -> String = { RandomID.make() }
    ) {
        self.database = database
        self.cipher = cipher
        self.clock = clock
        self.makeID = makeID
    }

    /// Records durably that work on a request begins, or tells what became of it before.
    ///
    /// - Parameters:
    ///   - key: the sender's.
    ///   - scope: within which keys are distinct: method and path.
    ///   - requestHash: of all that makes the request this one.
    /// - Throws: `StoreError` of code `unexpectedValue` where the record is damaged, `ColumnCipherError` where
    ///   its reply cannot be opened.
    package func reserve(key: String, scope: String, requestHash: String) async throws -> Reservation {
        let id = makeID()
        let now = clock()
        return try await database.write { [cipher] connection in
            let isNew =
                try connection.execute(
                    """
                    INSERT INTO idempotent_requests (scope, key, request_hash, effect_id, created_at)
                    VALUES (?, ?, ?, ?, ?) ON CONFLICT (scope, key) DO NOTHING
                    """,
                    [.text(scope), .text(key), .text(requestHash), .text(id), .time(now)]) == 1
            if isNew { return .started(id: id, resumed: false) }
            let found = try connection.first(
                """
                SELECT request_hash, effect_id, status, content_type, body FROM idempotent_requests
                WHERE scope = ? AND key = ?
                """, [.text(scope), .text(key)])
            guard let found else { throw StoreError(.other, "the reserved request was not found") }
            return try Self.reservation(found, requestHash: requestHash, cipher: cipher)
        }
    }

    /// Keeps the reply of a reserved request. The first reply stays, and a request that was purged is not stored.
    package func finish(key: String, scope: String, reply: StoredReply) async throws {
        let body = try cipher.seal(reply.body, column: Self.bodyColumn)
        try await database.write { connection in
            try connection.execute(
                """
                UPDATE idempotent_requests SET status = ?, content_type = ?, body = ?
                WHERE scope = ? AND key = ? AND status IS NULL
                """,
                [.int(reply.status), .text(reply.contentType), .blob(body), .text(scope), .text(key)])
        }
    }

    /// Forgets the requests that came before `date`, answered or not.
    ///
    /// - Returns: how many went.
    package func purge(olderThan date: Date) async throws -> Int {
        try await database.write { connection in
            try connection.execute("DELETE FROM idempotent_requests WHERE created_at < ?", [.time(date)])
        }
    }

    private static func reservation(
        _ row: SQLRow, requestHash: String, cipher: any ColumnCipher
    ) throws -> Reservation {
        guard try row.text("request_hash") == requestHash else { return .mismatch }
        if case .null = try row.value("status") {
            return .started(id: try row.text("effect_id"), resumed: true)
        }
        return .done(
            StoredReply(
                status: try row.int("status"), contentType: try row.text("content_type"),
                body: try cipher.open(try row.blob("body"), column: bodyColumn)))
    }
}
