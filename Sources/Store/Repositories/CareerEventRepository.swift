package import Foundation

/// What people do with careers: save, view, dismiss and choose them.
package struct CareerEventRepository: Sendable {
    fileprivate let database: any SQLDatabase
    private let clock: @Sendable () -> Date
    private let makeID: @Sendable () -> String

    /// - Parameter makeID: gives a new id each time.
    package init(
        _ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() },
        makeID: @escaping @Sendable () -> String = { RandomID.make() }
    ) {
        self.database = database
        self.clock = clock
        self.makeID = makeID
    }

    /// Records that somebody did something with a career.
    ///
    /// A career is saved, dismissed or chosen at most once in a session, and viewed any number of times. Saving it
    /// takes back that it was dismissed, and the reverse, in the same transaction.
    ///
    /// - Parameters:
    ///   - session: nil for a view outside of any session.
    ///   - recommendation: the id of the one that showed the career.
    ///   - id: of the event, for one that may be sent again; nil for a new one.
    ///   - claim: what the write into the session was let in for.
    /// - Returns: whether it is new; where it is not, or an event of that id is there, none is added or taken back.
    /// - Throws: `StoreError` of code `foreignKeyViolation` where there is no such session or recommendation, or the
    ///   session is no longer as `claim` has it; of `invalidValue` for anything but a view outside of a session.
    package func record(
        _ kind: CareerEventKind, career: String, in session: String?, recommendation: String? = nil,
        id: String? = nil, by claim: SessionOwnerRepository.Claim = .any
    ) async throws -> Bool {
        guard kind == .viewed || session != nil else {
            throw StoreError(.invalidValue, "a career can be \(kind.rawValue) only in a session")
        }
        let id = id ?? makeID()
        let now = clock()
        return try await database.write { connection in
            if let session { try Self.settle(claim, on: session, connection) }
            let isNew =
                try connection.execute(
                    """
                    INSERT INTO career_events (id, kind, session_id, career_id, recommendation_id, created_at)
                    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
                    """,
                    [
                        .text(id), .text(kind.rawValue), .optionalText(session), .text(career),
                        .optionalText(recommendation), .time(now),
                    ]) == 1
            if isNew, let session, let opposite = kind.opposite {
                try Self.delete(opposite, career: career, in: session, connection)
            }
            return isNew
        }
    }

    /// Takes back everything of a kind that was done with a career in a session.
    ///
    /// - Parameter claim: what the write into the session was let in for.
    /// - Returns: whether there was anything.
    /// - Throws: `StoreError` of code `foreignKeyViolation` where the session is no longer as `claim` has it.
    package func undo(
        _ kind: CareerEventKind, career: String, in session: String, by claim: SessionOwnerRepository.Claim = .any
    ) async throws -> Bool {
        try await database.write { connection in
            try Self.settle(claim, on: session, connection)
            return try Self.delete(kind, career: career, in: session, connection) > 0
        }
    }

    /// What was done in a session, oldest first.
    package func events(in session: String) async throws -> [CareerEvent] {
        try await database.read { connection in
            try connection.query(
                """
                SELECT id, kind, session_id, career_id, recommendation_id, created_at FROM career_events
                WHERE session_id = ? ORDER BY created_at, sequence
                """, [.text(session)]
            ).map(CareerEvent.init)
        }
    }

    /// Every event that came from a recommendation, with what that one showed, in the order of recording.
    ///
    /// - Throws: `StoreError` of code `unexpectedValue` where one is damaged.
    package func feedback() async throws -> [FeedbackRow] {
        try await database.read { connection in
            var shown: [String: [String]] = [:]
            var feedback: [FeedbackRow] = []
            try connection.forEachRow(
                """
                SELECT e.id, e.kind, e.session_id, e.career_id, e.recommendation_id, e.created_at,
                    r.request, r.query, r.career_ids
                FROM career_events e JOIN recommendations r ON r.id = e.recommendation_id ORDER BY e.sequence
                """, []
            ) { row in
                let list = try row.text("career_ids")
                let careerIDs = try shown[list] ?? StringList.strings(of: list)
                shown[list] = careerIDs
                feedback.append(
                    FeedbackRow(
                        event: try CareerEvent(row), request: try row.optionalText("request"),
                        query: try row.optionalText("query"), careerIDs: careerIDs))
            }
            return feedback
        }
    }

    private static func settle(
        _ claim: SessionOwnerRepository.Claim, on session: String, _ connection: any SQLConnection
    ) throws {
        guard try SessionOwnerRepository.settle(claim, on: session, in: connection) else {
            throw StoreError(.foreignKeyViolation, "there is no such session for who writes into it")
        }
    }

    @discardableResult
    private static func delete(
        _ kind: CareerEventKind, career: String, in session: String, _ connection: any SQLConnection
    ) throws -> Int {
        try connection.execute(
            "DELETE FROM career_events WHERE session_id = ? AND career_id = ? AND kind = ?",
            [.text(session), .text(career), .text(kind.rawValue)])
    }
}

extension CareerEventRepository {
    /// Saves a career in a session; saving it again changes nothing.
    ///
    /// - Returns: whether it was new.
    /// - Throws: as `record`.
    package func save(career: String, in session: String) async throws -> Bool {
        try await record(.saved, career: career, in: session)
    }

    /// Takes a saved career back.
    ///
    /// - Returns: whether it was saved.
    package func unsave(career: String, in session: String) async throws -> Bool {
        try await undo(.saved, career: career, in: session)
    }

    /// Records that a career was looked at, in a session or outside of any.
    ///
    /// - Throws: as `record`.
    package func recordView(of career: String, in session: String?) async throws {
        _ = try await record(.viewed, career: career, in: session)
    }

    /// The careers saved in a session, oldest first.
    package func saved(in session: String) async throws -> [SavedCareer] {
        try await careers(.saved, in: session)
    }

    /// The careers looked at in a session, each once, in the order of their first view.
    package func viewed(in session: String) async throws -> [String] {
        try await database.read { connection in
            try connection.query(
                """
                SELECT career_id, MIN(sequence) AS first_view FROM career_events
                WHERE session_id = ? AND kind = ? GROUP BY career_id ORDER BY first_view
                """, [.text(session), .text(CareerEventKind.viewed.rawValue)]
            ).map { try $0.text("career_id") }
        }
    }

    /// The careers dismissed in a session, oldest first.
    package func dismissed(in session: String) async throws -> [String] {
        try await careers(.dismissed, in: session).map(\.careerID)
    }

    /// The careers chosen in a session, oldest first.
    package func chosen(in session: String) async throws -> [String] {
        try await careers(.chosen, in: session).map(\.careerID)
    }

    /// How often each career was looked at; careers never looked at are missing.
    package func viewCounts() async throws -> [String: Int] { try await counts(of: .viewed) }

    /// In how many sessions each career is saved; careers never saved are missing.
    package func saveCounts() async throws -> [String: Int] { try await counts(of: .saved) }

    private func careers(_ kind: CareerEventKind, in session: String) async throws -> [SavedCareer] {
        try await database.read { connection in
            try connection.query(
                """
                SELECT career_id, created_at FROM career_events WHERE session_id = ? AND kind = ?
                ORDER BY created_at, sequence
                """, [.text(session), .text(kind.rawValue)]
            ).map { SavedCareer(careerID: try $0.text("career_id"), savedAt: try $0.time("created_at")) }
        }
    }

    private func counts(of kind: CareerEventKind) async throws -> [String: Int] {
        try await database.read { connection in
            var counts: [String: Int] = [:]
            try connection.forEachRow(
                "SELECT career_id, COUNT(*) AS total FROM career_events WHERE kind = ? GROUP BY career_id",
                [.text(kind.rawValue)]
            ) { counts[try $0.text("career_id")] = try $0.int("total") }
            return counts
        }
    }
}
