package import Foundation

/// The catalogue of careers.
package struct CareerRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    package init(_ database: any SQLDatabase, clock: @escaping @Sendable () -> Date = { Date() }) {
        self.database = database
        self.clock = clock
    }

    /// Adds and updates careers, and retires the active ones of `source` that are not among them, all in one
    /// transaction.
    ///
    /// - Parameters:
    ///   - careers: with distinct ids; a career of another source that has the id of one is taken over.
    ///   - source: nil to retire nothing.
    /// - Throws: `StoreError` of code `invalidValue` for an id given twice or an ability that is not finite.
    package func update(
        _ careers: [CareerContent], retiringMissingOf source: String? = nil
    ) async throws -> CareerUpdateReport {
        let ids = Set(careers.map(\.id))
        guard ids.count == careers.count else {
            let twice = Dictionary(grouping: careers, by: \.id).filter { $0.value.count > 1 }.keys.sorted()
            throw StoreError(.invalidValue, "careers given twice: \(twice.joined(separator: ", "))")
        }
        let now = clock()
        return try await database.write { connection in
            var report = CareerUpdateReport()
            for career in careers.sorted(by: { $0.id < $1.id }) {
                try Self.put(career, now: now, into: connection, report: &report)
            }
            if let source {
                report.retired = try Self.retire(of: source, except: ids, now: now, in: connection)
            }
            return report
        }
    }

    /// The active careers in ascending order of id.
    package func active() async throws -> [CareerRecord] {
        try await database.read { connection in
            try connection.query("SELECT \(CareerRecord.columns) FROM careers WHERE is_active = 1 ORDER BY id")
                .map(CareerRecord.init)
        }
    }

    /// A career, active or retired, or nil.
    package func career(id: String) async throws -> CareerRecord? {
        try await database.read { connection in
            try connection.first("SELECT \(CareerRecord.columns) FROM careers WHERE id = ?", [.text(id)])
                .map(CareerRecord.init)
        }
    }

    /// How many careers are active.
    package func activeCount() async throws -> Int {
        try await database.read { connection in
            try connection.first("SELECT COUNT(*) AS total FROM careers WHERE is_active = 1")?.int("total") ?? 0
        }
    }

    private static func put(
        _ career: CareerContent, now: Date, into connection: any SQLConnection, report: inout CareerUpdateReport
    ) throws {
        let hash = try career.hash()
        let found = try connection.first("SELECT content_hash, is_active FROM careers WHERE id = ?", [.text(career.id)])
        if let found {
            if try found.text("content_hash") == hash, try found.bool("is_active") {
                report.unchanged.append(career.id)
                return
            }
            report.changed.append(career.id)
        } else {
            report.added.append(career.id)
        }
        try connection.execute(
            """
            INSERT INTO careers (\(CareerRecord.columns)) VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET source = excluded.source, name = excluded.name,
                cluster = excluded.cluster, document = excluded.document, ability_vector = excluded.ability_vector,
                is_active = 1, content_hash = excluded.content_hash, updated_at = excluded.updated_at
            """,
            [
                .text(career.id), .text(career.source), .text(career.name), .text(career.cluster),
                .text(career.document), .text(try NumberList.text(of: career.abilities)), .text(hash), .time(now),
                .time(now),
            ])
    }

    private static func retire(
        of source: String, except kept: Set<String>, now: Date, in connection: any SQLConnection
    ) throws -> [String] {
        let active = try connection.query(
            "SELECT id FROM careers WHERE source = ? AND is_active = 1 ORDER BY id", [.text(source)])
        let missing = try active.map { try $0.text("id") }.filter { !kept.contains($0) }
        try connection.executeMany(
            "UPDATE careers SET is_active = 0, updated_at = ? WHERE id = ?",
            missing.map { [.time(now), .text($0)] })
        return missing
    }
}
