package import Foundation

/// What a person sent and was told: an answered quiz, a recommendation. Documents are JSON.
package struct SessionRecord: Sendable, Equatable {
    package let id: String
    /// `quiz`, `recommend`, …
    package let kind: String
    /// The user it belongs to, or nil for somebody anonymous.
    package let owner: String?
    package let answers: String?
    package let request: String?
    package let reply: String?
    package let createdAt: Date
    package let updatedAt: Date

    init(_ row: SQLRow, cipher: any ColumnCipher) throws {
        id = try row.text("id")
        kind = try row.text("kind")
        owner = try row.optionalText("owner")
        answers = try cipher.open(try row.optionalText("answers"), column: "sessions.answers")
        request = try cipher.open(try row.optionalText("request"), column: "sessions.request")
        reply = try cipher.open(try row.optionalText("reply"), column: "sessions.reply")
        createdAt = try row.time("created_at")
        updatedAt = try row.time("updated_at")
    }
}

/// The sessions of the quiz and of recommendations.
package struct SessionRepository: Sendable {
    private let database: any SQLDatabase
    private let cipher: any ColumnCipher
    private let clock: @Sendable () -> Date
    private let makeID: @Sendable () -> String

    /// - Parameters:
    ///   - cipher: seals answers, requests and replies.
    ///   - makeID: gives a new id each time; who knows a session's id may read it, so ids must be unguessable.
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

    /// Stores a session, with the recommendation that was its reply, and returns its id.
    ///
    /// - Parameters:
    ///   - recommendation: what `reply` showed, stored in the same transaction.
    ///   - id: of the session, for a request that may come again; where it is there already, it is left as it is.
    ///     Nil for a new one.
    package func create(
        kind: String, owner: String? = nil, answers: String? = nil, request: String? = nil, reply: String? = nil,
        recommendation: RecommendationRecord? = nil, id given: String? = nil
    ) async throws -> String {
        let id = given ?? makeID()
        let now = SQLValue.time(clock())
        // Before the transaction, which others wait for.
        let sealed = (
            answers: try cipher.seal(answers, column: "sessions.answers"),
            request: try cipher.seal(request, column: "sessions.request"),
            reply: try cipher.seal(reply, column: "sessions.reply")
        )
        let recommendation = try recommendation.map {
            try RecommendationRepository.Sealed($0, request: request, cipher: cipher)
        }
        try await database.write { connection in
            if given != nil, try connection.first("SELECT id FROM sessions WHERE id = ?", [.text(id)]) != nil { return }
            try connection.execute(
                """
                INSERT INTO sessions (id, kind, owner, answers, request, reply, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    .text(id), .text(kind), .optionalText(owner), .optionalText(sealed.answers),
                    .optionalText(sealed.request), .optionalText(sealed.reply), now, now,
                ])
            guard let recommendation else { return }
            try RecommendationRepository.insert(recommendation, session: id, now: now, into: connection)
        }
        return id
    }

    /// Stores what was asked and replied in an existing session, with the recommendation that was the reply.
    ///
    /// - Parameters:
    ///   - recommendation: stored in the same transaction; where the session has one of that id already, the request
    ///     came again and nothing changes.
    ///   - claim: what the write was let in for.
    /// - Returns: whether there is such a session, and it is yet as `claim` has it.
    /// - Throws: `StoreError` of code `uniqueViolation` where the recommendation's id is another session's.
    package func attach(
        request: String, reply: String, recommendation: RecommendationRecord? = nil, to id: String,
        by claim: SessionOwnerRepository.Claim = .any
    ) async throws -> Bool {
        let now = SQLValue.time(clock())
        let sealedRequest = try cipher.seal(request, column: "sessions.request")
        let sealedReply = try cipher.seal(reply, column: "sessions.reply")
        let recommendation = try recommendation.map {
            try RecommendationRepository.Sealed($0, request: request, cipher: cipher)
        }
        return try await database.write { connection in
            guard try SessionOwnerRepository.settle(claim, on: id, in: connection) else { return false }
            if let recommendation,
                try RecommendationRepository.session(of: recommendation.record.id, in: connection) == id
            {
                return true
            }
            let isThere =
                try connection.execute(
                    "UPDATE sessions SET request = ?, reply = ?, updated_at = ? WHERE id = ?",
                    [.text(sealedRequest), .text(sealedReply), now, .text(id)]) == 1
            if isThere, let recommendation {
                try RecommendationRepository.insert(recommendation, session: id, now: now, into: connection)
            }
            return isThere
        }
    }

    /// A session, or nil.
    ///
    /// - Throws: `ColumnCipherError` where it cannot be opened.
    package func session(id: String) async throws -> SessionRecord? {
        let row = try await database.read { connection in
            try connection.first(
                """
                SELECT id, kind, owner, answers, request, reply, created_at, updated_at FROM sessions WHERE id = ?
                """, [.text(id)])
        }
        return try row.map { try SessionRecord($0, cipher: cipher) }
    }

    /// How many sessions there are.
    package func count() async throws -> Int {
        try await database.read { connection in
            try connection.first("SELECT COUNT(*) AS total FROM sessions")?.int("total") ?? 0
        }
    }

    /// Removes the sessions untouched since before `date`, with what was recommended and done in them.
    ///
    /// - Returns: how many sessions went.
    package func purge(olderThan date: Date) async throws -> Int {
        try await database.write { connection in
            try connection.execute("DELETE FROM sessions WHERE updated_at < ?", [.time(date)])
        }
    }
}

/// Ids that nobody guesses and that sit well in a URL.
package enum RandomID {
    /// 40 bits of the clock, in milliseconds, and 88 bits of the system's randomness as 32 hexadecimal digits.
    ///
    /// The clock comes first so that ids made together lie together in an index. Random throughout, each would dirty
    /// a page of its own in every index that holds it, once there are many. The clock's bits start anew after 35
    /// years, which does no harm.
    package static func make(at date: Date = Date()) -> String {
        var generator = SystemRandomNumberGenerator()
        let clock = UInt64(bitPattern: Int64(date.timeIntervalSince1970 * 1_000))
        let high = clock << 24 | (generator.next() as UInt64) >> 40
        var digits = [UInt8](repeating: 0, count: 32)
        for (word, start) in [(high, 0), (generator.next() as UInt64, 16)] {
            for place in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * place)) & 0xF
                digits[start + place] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
            }
        }
        return String(decoding: digits, as: UTF8.self)
    }
}
