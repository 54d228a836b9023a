package import Foundation

/// The generations of the indices: for each kind of item one that is searched, the one before it, and at most one
/// that is being built.
package struct GenerationRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.database = database
        self.clock = clock
    }

    /// The generation to fill: the one that is being built, with its blocks, where it is of the same space, plan
    /// and format; otherwise a new one, in whose place any other that was being built is deleted.
    ///
    /// Who wants the blocks of that other one reads them first, by `building` and `blocks`.
    package func begin(
        kind: String, space: String, planHash: String, format: Int
    ) async throws -> GenerationRecord {
        let now = clock()
        return try await database.write { connection in
            let row = try Self.row(of: kind, in: .building, connection)
            // One that cannot be read is replaced like one of another plan.
            if let found = row.flatMap({ try? GenerationRecord($0) }), found.spaceID == space,
                found.planHash == planHash, found.format == format
            {
                return found
            }
            try Self.delete(kind, in: .building, connection)
            let new = try connection.first(
                """
                INSERT INTO index_generations (kind, space_id, state, format, plan_hash, row_count, created_at)
                VALUES (?, ?, ?, ?, ?, 0, ?) RETURNING \(GenerationRecord.columns)
                """,
                [
                    .text(kind), .text(space), .text(GenerationState.building.rawValue), .int(format),
                    .text(planHash), .time(now),
                ])
            guard let new else { throw StoreError(.other, "the new generation was not returned") }
            return try GenerationRecord(new)
        }
    }

    /// The generation that is searched, or nil.
    ///
    /// - Throws: `StoreError` of code `unexpectedValue` where its record is damaged.
    package func current(_ kind: String) async throws -> GenerationRecord? {
        try await generation(of: kind, in: .current)
    }

    /// The generation that `rollback` brings back, or nil.
    ///
    /// - Throws: as `current`.
    package func previous(_ kind: String) async throws -> GenerationRecord? {
        try await generation(of: kind, in: .previous)
    }

    /// The generation that is being built, or nil.
    ///
    /// - Throws: as `current`.
    package func building(_ kind: String) async throws -> GenerationRecord? {
        try await generation(of: kind, in: .building)
    }

    /// Stores a block, in place of the one of that number.
    ///
    /// - Throws: `StoreError` of code `foreignKeyViolation` where there is no such generation.
    package func putBlock(
        _ number: Int, rowCount: Int, bytes: [UInt8], of generation: Int64
    ) async throws {
        precondition(number >= 0 && rowCount >= 0, "a block has a number and a count of rows")
        try await database.write { connection in
            try connection.execute(
                """
                INSERT INTO index_blocks (generation_id, number, row_count, bytes) VALUES (?, ?, ?, ?)
                ON CONFLICT (generation_id, number) DO UPDATE SET row_count = excluded.row_count,
                    bytes = excluded.bytes
                """,
                [.integer(generation), .int(number), .int(rowCount), .blob(bytes)])
        }
    }

    /// The blocks of a generation in ascending order of number; those that cannot be read have no bytes.
    package func blocks(of generation: Int64) async throws -> [StoredBlock] {
        try await database.read { connection in
            var blocks: [StoredBlock] = []
            try connection.forEachRow(
                "SELECT number, row_count, bytes FROM index_blocks WHERE generation_id = ? ORDER BY number",
                [.integer(generation)]
            ) { blocks.append(StoredBlock($0)) }
            return blocks
        }
    }

    /// Deletes the blocks of a generation that is being built.
    package func removeBlocks(of generation: Int64) async throws {
        try await database.write { connection in
            try connection.execute(
                """
                DELETE FROM index_blocks WHERE generation_id = ?
                    AND generation_id IN (SELECT id FROM index_generations WHERE state = ?)
                """, [.integer(generation), .text(GenerationState.building.rawValue)])
        }
    }

    /// Makes the generation that was being built the current one, the current one the previous, and deletes the
    /// previous one with its blocks, in one transaction; the kind's revision counts up.
    ///
    /// - Parameter keepsPrevious: the current one is deleted instead, and the previous one stays.
    /// - Throws: `StoreError` of code `conflict` where the generation is not being built.
    package func activate(
        _ generation: Int64, rowCount: Int, document: String, keepsPrevious: Bool = false
    ) async throws {
        precondition(rowCount >= 0, "a generation has no fewer than 0 rows")
        let now = clock()
        try await database.write { connection in
            let found = try connection.first(
                "SELECT kind, state FROM index_generations WHERE id = ?", [.integer(generation)])
            guard let found, try found.text("state") == GenerationState.building.rawValue else {
                throw StoreError(.conflict, "index generation \(generation) is not being built")
            }
            let kind = try found.text("kind")
            if keepsPrevious {
                try Self.delete(kind, in: .current, connection)
            } else if try Self.row(of: kind, in: .current, connection) != nil {
                try Self.delete(kind, in: .previous, connection)
                try Self.move(kind, from: GenerationState.current.rawValue, to: .previous, connection)
            }
            try connection.execute(
                """
                UPDATE index_generations SET state = ?, row_count = ?, document = ?, finished_at = ? WHERE id = ?
                """,
                [
                    .text(GenerationState.current.rawValue), .int(rowCount), .text(document), .time(now),
                    .integer(generation),
                ])
            try Revision.advance(kind, in: connection)
        }
    }

    /// Lets the current and the previous generation change places in one transaction; the kind's revision counts up.
    ///
    /// - Returns: the one that is current now, or nil where there was no previous one; nothing is then changed.
    /// - Throws: `StoreError` of code `unexpectedValue` where its record is damaged; nothing is then changed.
    /// - Parameter setting: set to `true` in the same transaction.
    package func rollback(_ kind: String, setting: String? = nil) async throws -> GenerationRecord? {
        let now = clock()
        return try await database.write { connection in
            guard try Self.row(of: kind, in: .previous, connection) != nil else { return nil }
            // By way of a third state, as no two generations of a kind may share one at any time.
            try connection.execute(
                "UPDATE index_generations SET state = ? WHERE kind = ? AND state = ?",
                [.text(Self.swapping), .text(kind), .text(GenerationState.current.rawValue)])
            try Self.move(kind, from: GenerationState.previous.rawValue, to: .current, connection)
            try Self.move(kind, from: Self.swapping, to: .previous, connection)
            try Revision.advance(kind, in: connection)
            if let setting { try SettingRepository.set(setting, to: "true", now: now, in: connection) }
            return try Self.generation(of: kind, in: .current, connection)
        }
    }

    /// Deletes a generation with its blocks, unless it is the current one; one that is gone already is no failure.
    ///
    /// - Throws: `StoreError` of code `conflict` where it is the current one.
    package func discard(_ generation: Int64) async throws {
        try await database.write { connection in
            let found = try connection.first(
                "SELECT state FROM index_generations WHERE id = ?", [.integer(generation)])
            guard let found else { return }
            guard try found.text("state") != GenerationState.current.rawValue else {
                throw StoreError(.conflict, "index generation \(generation) is the current one")
            }
            try connection.execute("DELETE FROM index_generations WHERE id = ?", [.integer(generation)])
        }
    }

    private static let swapping = "swapping"

    private func generation(of kind: String, in state: GenerationState) async throws -> GenerationRecord? {
        try await database.read { try Self.generation(of: kind, in: state, $0) }
    }

    private static func generation(
        of kind: String, in state: GenerationState, _ connection: any SQLConnection
    ) throws -> GenerationRecord? {
        try row(of: kind, in: state, connection).map(GenerationRecord.init)
    }

    private static func row(
        of kind: String, in state: GenerationState, _ connection: any SQLConnection
    ) throws -> SQLRow? {
        try connection.first(
            "SELECT \(GenerationRecord.columns) FROM index_generations WHERE kind = ? AND state = ?",
            [.text(kind), .text(state.rawValue)])
    }

    private static func move(
        _ kind: String, from old: String, to new: GenerationState, _ connection: any SQLConnection
    ) throws {
        try connection.execute(
            "UPDATE index_generations SET state = ? WHERE kind = ? AND state = ?",
            [.text(new.rawValue), .text(kind), .text(old)])
    }

    private static func delete(
        _ kind: String, in state: GenerationState, _ connection: any SQLConnection
    ) throws {
        try connection.execute(
            "DELETE FROM index_generations WHERE kind = ? AND state = ?", [.text(kind), .text(state.rawValue)])
    }
}
