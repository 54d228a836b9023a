package import Foundation

/// The catalogue of careers.
package struct CareerRepository: Sendable {
    private let database: any SQLDatabase
    private let clock: @Sendable () -> Date

    private static let revisionName = "careers"

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
        try await update(
            CareerUpdate(careers: careers, retiringMissingOf: source.map { [$0] } ?? []))
    }

    /// Adds, updates and retires careers and their sources in one transaction, and counts a revision where that
    /// changed anything.
    ///
    /// - Throws: `StoreError` of code `invalidValue` for an id or a source given twice or an ability that is not
    ///   finite; nothing is then stored.
    package func update(_ update: CareerUpdate) async throws -> CareerUpdateReport {
        try update.validate()
        let now = clock()
        return try await database.write { connection in
            var report = CareerUpdateReport()
            for source in update.sources.sorted(by: { $0.name < $1.name }) {
                try Self.put(source, now: now, into: connection, report: &report)
            }
            for career in update.careers.sorted(by: { $0.id < $1.id }) {
                try Self.put(career, now: now, into: connection, report: &report)
            }
            report.retired = try Self.retireMissing(of: update, now: now, in: connection)
            if report.hasChanges { try Revision.advance(Self.revisionName, in: connection) }
            return report
        }
    }

    /// How often the catalogue or its sources have changed; another number means another catalogue.
    package func revision() async throws -> Int64 {
        try await database.read { try Revision.current(of: Self.revisionName, in: $0) }
    }

    /// Counts the revision up though no career changed, where something else did that decides how careers are served.
    package func touch() async throws {
        try await database.write { try Revision.advance(Self.revisionName, in: $0) }
    }

    /// The active careers in ascending order of id.
    package func active() async throws -> [CareerRecord] {
        try await database.read { connection in
            try connection.query("SELECT \(CareerRecord.columns) FROM careers WHERE is_active = 1 ORDER BY id")
                .map(CareerRecord.init)
        }
    }

    /// The source of each active career, by id.
    package func owners() async throws -> [String: String] {
        try await database.read { connection in
            var owners: [String: String] = [:]
            try connection.forEachRow("SELECT id, source FROM careers WHERE is_active = 1", []) { row in
                owners[try row.text("id")] = try row.text("source")
            }
            return owners
        }
    }

    /// A career, active or retired, or nil.
    package func career(id: String) async throws -> CareerRecord? {
        try await database.read { connection in
            try connection.first("SELECT \(CareerRecord.columns) FROM careers WHERE id = ?", [.text(id)])
                .map(CareerRecord.init)
        }
    }

    /// The ids of the careers that are no longer active.
    package func retiredIDs() async throws -> [String] {
        try await database.read { connection in
            var ids: [String] = []
            try connection.forEachRow("SELECT id FROM careers WHERE is_active = 0", []) { row in
                ids.append(try row.text("id"))
            }
            return ids
        }
    }

    /// How many careers each source has, by name.
    package func counts() async throws -> [(source: String, active: Int, retired: Int)] {
        try await database.read { connection in
            try connection.query(
                """
                SELECT source, SUM(CASE WHEN is_active = 1 THEN 1 ELSE 0 END) AS active, COUNT(*) AS total
                FROM careers GROUP BY source ORDER BY source
                """
            ).map { row in
                let active = try row.int("active")
                return (try row.text("source"), active, try row.int("total") - active)
            }
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

    private static func put(
        _ source: CareerSource, now: Date, into connection: any SQLConnection, report: inout CareerUpdateReport
    ) throws {
        let found = try connection.first(
            "SELECT \(CareerSource.columns) FROM career_sources WHERE name = ?", [.text(source.name)])
        // One that cannot be read is described anew like one that differs.
        if let found, (try? CareerSource(found)) == source { return }
        report.changedSources.append(source.name)
        try connection.execute(
            """
            INSERT INTO career_sources (\(CareerSource.columns), updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET title = excluded.title, attribution = excluded.attribution,
                licence = excluded.licence, url = excluded.url, version = excluded.version,
                updated_at = excluded.updated_at
            """,
            [
                .text(source.name), .text(source.title), .optionalText(source.attribution),
                .optionalText(source.licence), .optionalText(source.url), .optionalText(source.version), .time(now),
            ])
    }

    private static func retireMissing(
        of update: CareerUpdate, now: Date, in connection: any SQLConnection
    ) throws -> [String] {
        guard update.retiringAllOtherSources || !update.retiringMissingOf.isEmpty else { return [] }
        let kept = Set(update.careers.map(\.id))
        var missing: [String] = []
        try connection.forEachRow("SELECT id, source FROM careers WHERE is_active = 1 ORDER BY id", []) { row in
            let id = try row.text("id")
            guard !kept.contains(id) else { return }
            if try update.retiringAllOtherSources || update.retiringMissingOf.contains(row.text("source")) {
                missing.append(id)
            }
        }
        try connection.executeMany(
            "UPDATE careers SET is_active = 0, updated_at = ? WHERE id = ?",
            missing.map { [.time(now), .text($0)] })
        return missing
    }
}
