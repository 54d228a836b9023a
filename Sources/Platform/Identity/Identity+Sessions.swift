package import Store

/// The browsers in which somebody is signed in, as they see and end them themselves.
extension Identity {
    /// The sessions of a user, newest first, `limit` of them after the first `skip`, and how many there are in all.
    package func sessions(
        of userID: String, skip: Int = 0, limit: Int = 100
    ) async throws -> (items: [WebSessionRecord], total: Int) {
        try await sessions.page(of: userID, skip: skip, limit: limit)
    }

    /// Ends one session of a user.
    ///
    /// - Parameter id: as `WebSessionRecord.id`.
    /// - Returns: whether the user had it; another's session is as if it were not there.
    package func endSession(id: String, of userID: String) async throws -> Bool {
        try await sessions.end(id: id, of: userID)
    }
}
