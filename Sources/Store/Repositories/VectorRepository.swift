package import Foundation

/// Embedding spaces and their vectors, each checked when it is read.
package struct VectorRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    private static let columns = "item_kind, item_id, view, text_hash, dimension, vector, checksum"

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.database = database
        self.clock = clock
    }

    /// Records a space, or its description anew.
    ///
    /// - Returns: whether it was new.
    @discardableResult
    package func register(_ space: SpaceRecord) async throws -> Bool {
        let now = clock()
        return try await database.write { connection in
            let isNew = try connection.first("SELECT id FROM embedding_spaces WHERE id = ?", [.text(space.id)]) == nil
            try connection.execute(
                """
                INSERT INTO embedding_spaces (id, model_id, weights_sha256, description, created_at)
                VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET model_id = excluded.model_id,
                    weights_sha256 = excluded.weights_sha256, description = excluded.description
                """,
                [
                    .text(space.id), .text(space.modelID), .text(space.weightsSHA256), .text(space.description),
                    .time(now),
                ])
            return isNew
        }
    }

    /// Every space, in ascending order of id.
    package func spaces() async throws -> [SpaceRecord] {
        try await database.read { connection in
            try connection.query("SELECT id, model_id, weights_sha256, description FROM embedding_spaces ORDER BY id")
                .map { row in
                    SpaceRecord(
                        id: try row.text("id"), modelID: try row.text("model_id"),
                        weightsSHA256: try row.text("weights_sha256"), description: try row.text("description"))
                }
        }
    }

    /// Removes a space with its vectors and facts.
    ///
    /// - Returns: whether it was there.
    @discardableResult
    package func remove(space: String) async throws -> Bool {
        try await database.write { connection in
            try connection.execute("DELETE FROM embedding_spaces WHERE id = ?", [.text(space)]) == 1
        }
    }

    /// Adds vectors to a registered space, in place of those with the same keys, in one transaction.
    ///
    /// - Throws: `StoreError` of code `invalidValue` for an empty vector or one that is not finite, of
    ///   `foreignKeyViolation` for a space that is not registered; nothing is then stored.
    package func put(_ vectors: [VectorRecord], in space: String) async throws {
        for record in vectors {
            guard !record.vector.isEmpty, record.vector.allSatisfy(\.isFinite) else {
                throw StoreError(
                    .invalidValue,
                    "the vector of \(record.key.itemKind) \(record.key.itemID) is empty or not finite")
            }
        }
        let now = clock()
        try await database.write { connection in
            try connection.executeMany(
                """
                INSERT INTO vectors (space_id, item_kind, item_id, view, text_hash, dimension, vector, checksum,
                    created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (space_id, item_kind, item_id, view) DO UPDATE SET text_hash = excluded.text_hash,
                    dimension = excluded.dimension, vector = excluded.vector, checksum = excluded.checksum,
                    created_at = excluded.created_at
                """,
                vectors.lazy.map { Self.arguments($0, space: space, now: now) })
        }
    }

    /// The vectors of a space, of one kind of item or of all.
    package func vectors(of space: String, kind: String? = nil) async throws -> VectorSet {
        try await database.read { connection in
            var found = VectorSet()
            let (condition, arguments) = Self.condition(space, kind)
            try connection.forEachRow(
                "SELECT \(Self.columns) FROM vectors WHERE \(condition) ORDER BY item_kind, item_id, view", arguments
            ) { Self.read($0, space: space, into: &found) }
            return found
        }
    }

    /// The vectors of the named items of a kind, in the order of `ids`; an id without vectors gives none.
    package func vectors(of space: String, kind: String, ids: [String]) async throws -> VectorSet {
        try await database.read { connection in
            var found = VectorSet()
            for id in ids {
                try connection.forEachRow(
                    """
                    SELECT \(Self.columns) FROM vectors
                    WHERE space_id = ? AND item_kind = ? AND item_id = ? ORDER BY view
                    """,
                    [.text(space), .text(kind), .text(id)]
                ) { Self.read($0, space: space, into: &found) }
            }
            return found
        }
    }

    /// The hash of the text that each vector of a space was made from, without reading the vectors.
    package func textHashes(of space: String, kind: String? = nil) async throws -> [VectorKey: String] {
        try await database.read { connection in
            var hashes: [VectorKey: String] = [:]
            let (condition, arguments) = Self.condition(space, kind)
            try connection.forEachRow(
                "SELECT item_kind, item_id, view, text_hash FROM vectors WHERE \(condition)", arguments
            ) { row in hashes[try Self.key(row)] = try row.text("text_hash") }
            return hashes
        }
    }

    /// Removes the vectors of an item in every space, or in one.
    ///
    /// - Returns: how many vectors went.
    @discardableResult
    package func remove(itemKind: String, itemID: String, from space: String? = nil) async throws -> Int {
        try await database.write { connection in
            if let space {
                return try connection.execute(
                    "DELETE FROM vectors WHERE space_id = ? AND item_kind = ? AND item_id = ?",
                    [.text(space), .text(itemKind), .text(itemID)])
            }
            // Through the spaces, as the key begins with the space.
            return try connection.execute(
                """
                DELETE FROM vectors
                WHERE space_id IN (SELECT id FROM embedding_spaces) AND item_kind = ? AND item_id = ?
                """, [.text(itemKind), .text(itemID)])
        }
    }

    private static func condition(_ space: String, _ kind: String?) -> (String, [SQLValue]) {
        guard let kind else { return ("space_id = ?", [.text(space)]) }
        return ("space_id = ? AND item_kind = ?", [.text(space), .text(kind)])
    }

    private static func key(_ row: SQLRow) throws -> VectorKey {
        VectorKey(
            itemKind: try row.text("item_kind"), itemID: try row.text("item_id"), view: try row.text("view"))
    }

    private static func arguments(_ record: VectorRecord, space: String, now: Date) -> [SQLValue] {
        let bytes = VectorCodec.bytes(of: record.vector)
        let checksum = VectorRecord.checksum(
            space: space, key: record.key, textHash: record.textHash, bytes: bytes)
        return [
            .text(space), .text(record.key.itemKind), .text(record.key.itemID), .text(record.key.view),
            .text(record.textHash), .int(record.vector.count), .blob(bytes), .integer(Int64(checksum)), .time(now),
        ]
    }

    /// Adds the vector of a row to `found`, or what is wrong with it: no damage stops the others.
    private static func read(_ row: SQLRow, space: String, into found: inout VectorSet) {
        func part(_ name: String) -> String { (try? row.text(name)) ?? "" }
        let key = VectorKey(itemKind: part("item_kind"), itemID: part("item_id"), view: part("view"))
        let textHash = part("text_hash")
        func setAside(_ reason: DamagedVector.Reason) {
            found.damaged.append(DamagedVector(key: key, textHash: textHash, reason: reason))
        }
        guard let bytes = try? row.blob("vector"), let dimension = try? row.integer("dimension"),
            let expected = try? row.integer("checksum")
        else { return setAside(.unreadable) }
        let (length, overflows) = dimension.multipliedReportingOverflow(by: 4)
        guard !overflows, Int64(bytes.count) == length, !bytes.isEmpty else { return setAside(.length) }
        let checksum = VectorRecord.checksum(space: space, key: key, textHash: textHash, bytes: bytes)
        guard expected == Int64(checksum) else { return setAside(.checksum) }
        let vector = VectorCodec.vector(of: bytes)
        guard vector.allSatisfy(\.isFinite) else { return setAside(.notFinite) }
        found.vectors.append(VectorRecord(key: key, textHash: textHash, vector: vector))
    }
}
