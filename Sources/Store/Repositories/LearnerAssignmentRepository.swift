/// Which learners an educator may look at.
package struct LearnerAssignmentRepository: Sendable {
    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) { self.database = database }

    /// Lets an educator see a learner.
    ///
    /// - Returns: whether that is new.
    /// - Throws: `StoreError` of code `foreignKeyViolation` where either does not exist, of code `checkViolation`
    ///   where they are the same.
    @discardableResult
    package func assign(learner: String, to educator: String) async throws -> Bool {
        try await database.write { connection in
            try connection.execute(
                """
                INSERT INTO learner_assignments (educator_id, learner_id) VALUES (?, ?)
                ON CONFLICT (educator_id, learner_id) DO NOTHING
                """, [.text(educator), .text(learner)]) == 1
        }
    }

    /// - Returns: whether the educator saw the learner until now.
    @discardableResult
    package func unassign(learner: String, from educator: String) async throws -> Bool {
        try await database.write { connection in
            try connection.execute(
                "DELETE FROM learner_assignments WHERE educator_id = ? AND learner_id = ?",
                [.text(educator), .text(learner)]) == 1
        }
    }

    package func isAssigned(learner: String, to educator: String) async throws -> Bool {
        try await database.read { connection in
            try connection.first(
                "SELECT learner_id FROM learner_assignments WHERE educator_id = ? AND learner_id = ?",
                [.text(educator), .text(learner)]) != nil
        }
    }

    /// The ids of an educator's learners, in their order.
    package func learners(of educator: String) async throws -> [String] {
        try await database.read { connection in
            try connection.query(
                "SELECT learner_id FROM learner_assignments WHERE educator_id = ? ORDER BY learner_id",
                [.text(educator)]
            ).map { try $0.text("learner_id") }
        }
    }
}
