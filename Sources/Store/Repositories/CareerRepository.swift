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
        return try await database.write { try Self.apply(update, now: now, in: $0) }
    }

    /// What `update` would do: the same transaction, rolled back at its end.
    ///
    /// - Throws: as `update` does.
    package func preview(_ update: CareerUpdate) async throws -> CareerUpdateReport {
        struct Undone: Error { let report: CareerUpdateReport }
        try update.validate()
        let now = clock()
        do {
            return try await database.write { throw Undone(report: try Self.apply(update, now: now, in: $0)) }
        } catch let undone as Undone {
            return undone.report
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
        try await database.read { try Self.owners(in: $0) }
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

    private static func apply(
        _ update: CareerUpdate, now: Date, in connection: any SQLConnection
    ) throws -> CareerUpdateReport {
        var report = CareerUpdateReport()
        // As it was before: what is added below must not make a source look larger than what it loses.
        let owners = try Self.owners(in: connection)
        for source in update.sources.sorted(by: { $0.name < $1.name }) {
            try Self.put(source, now: now, into: connection, report: &report)
        }
        for career in update.careers.sorted(by: { $0.id < $1.id }) {
            // To the database another id, to who reads it the same: one of the two would be out of reach.
            if let place = owners.index(forKey: career.id), !owners[place].key.utf8.elementsEqual(career.id.utf8) {
                throw StoreError(
                    .invalidValue,
                    "the career “\(career.id)” is stored with its id in other bytes, a letter and its accent as one "
                        + "character or as two; write the id as “pathlight export careers” does")
            }
            try Self.put(career, now: now, owner: owners[career.id], into: connection, report: &report)
        }
        try retireMissing(of: update, owners: owners, now: now, in: connection, report: &report)
        for owner in owners.values where report.sources[owner] != nil { report.sources[owner]?.before += 1 }
        if report.hasChanges { try Revision.advance(Self.revisionName, in: connection) }
        return report
    }

    private static func owners(in connection: any SQLConnection) throws -> [String: String] {
        var owners: [String: String] = [:]
        try connection.forEachRow("SELECT id, source FROM careers WHERE is_active = 1", []) { row in
            owners[try row.text("id")] = try row.text("source")
        }
        return owners
    }

    /// - Parameter owner: the source that gives the career now, where it is active.
    private static func put(
        _ career: CareerContent, now: Date, owner: String?, into connection: any SQLConnection,
        report: inout CareerUpdateReport
    ) throws {
        let hash = try career.hash()
        let found = try connection.first("SELECT content_hash, is_active FROM careers WHERE id = ?", [.text(career.id)])
        if let found {
            if try found.text("content_hash") == hash, try found.bool("is_active") {
                report.unchanged.append(career.id)
                report.sources[career.source, default: .init()].unchanged += 1
                return
            }
            report.changed.append(career.id)
            report.sources[career.source, default: .init()].changed += 1
            if let owner, owner != career.source {
                report.takenOver.append(.init(id: career.id, from: owner, to: career.source))
                // So that the one who lost it is named as well.
                if report.sources[owner] == nil { report.sources[owner] = .init() }
            }
        } else {
            report.added.append(career.id)
            report.sources[career.source, default: .init()].added += 1
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
        of update: CareerUpdate, owners: [String: String], now: Date, in connection: any SQLConnection,
        report: inout CareerUpdateReport
    ) throws {
        let given = Set(update.careers.map(\.id))
        let missing = owners.filter { id, source in
            !given.contains(id) && (update.retiringAllOtherSources || update.retiringMissingOf.contains(source))
        }
        let sizes = counts(of: owners.values)
        var kept: Set<String> = []
        for (source, count) in counts(of: missing.values) {
            let size = sizes[source] ?? count
            if update.keepingSourcesThatWouldShrink, update.retiringMissingOf.contains(source),
                size >= CareerUpdate.smallestGuardedSource, count * 2 > size
            {
                kept.insert(source)
                report.sources[source, default: .init()].kept = count
            } else {
                report.sources[source, default: .init()].retired = count
            }
        }
        report.retired = missing.filter { !kept.contains($0.value) }.keys.sorted()
        try connection.executeMany(
            "UPDATE careers SET is_active = 0, updated_at = ? WHERE id = ?",
            report.retired.map { [.time(now), .text($0)] })
        guard update.retiringAllOtherSources else { return }
        for (source, setting) in update.settingsOfRetiredSources where !kept.contains(source) {
            try SettingRepository.set(setting, to: "true", now: now, in: connection)
        }
    }

    private static func counts(of sources: some Sequence<String>) -> [String: Int] {
        var counts: [String: Int] = [:]
        for source in sources { counts[source, default: 0] += 1 }
        return counts
    }
}
