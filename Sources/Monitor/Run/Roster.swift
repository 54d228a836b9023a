internal import Foundation
package import Store

/// Which rows of a file are news.
package enum RosterRule: Sendable {
    /// All that are not as stored.
    case everything
    /// Of a file that another keeps: rows that are not as they were when it was read last. What somebody has said
    /// themselves since is not undone by a row that stands there as before.
    case sinceRead
    /// Of `student_interests.csv`, which somebody changed: rows that are not as they were written. A row whose student
    /// has changed here as well is a doubt, and not taken in.
    case sinceWritten
}

/// What came of a file.
package struct RosterReading: Sendable, Equatable {
    package var changes = RosterChanges()
    package let digest: FileDigest
    /// Lines of rows that were changed in the file and, since it was written, here as well.
    package var conflicts: [Int] = []
    /// Lines of rows of somebody who is not known, with recommendations: they were removed, or their id was altered.
    package var unknown: [Int] = []
    /// Students who were in our file when it was written, and are not in it any more.
    package var missing = 0
}

/// Takes in what sources say of students.
package struct Roster: Sendable {
    /// Rows of one transaction, and of a file that are in memory at a time.
    private static let chunk = 1_000
    /// News that are kept while the rest of a file is looked through; of more, it is read again.
    private static let maximumKept = 20_000

    private let students: StudentRepository
    private let marker: InputMarker

    package init(students: StudentRepository, marker: InputMarker) {
        self.students = students
        self.marker = marker
    }

    /// Stores what is new in one transaction; of equal ids the last one counts.
    ///
    /// - Throws: `StoreError`, `ColumnCipherError`
    package func take(_ inputs: [StudentInput], from source: StudentSource) async throws -> RosterChanges {
        try await take(inputs, from: source, isRead: false)
    }

    private func take(
        _ inputs: [StudentInput], from source: StudentSource, isRead: Bool
    ) async throws -> RosterChanges {
        try await students.upsert(inputs.map { ($0, marker.marks(of: $0)) }, source: source, isRead: isRead)
    }

    /// Takes in a whole file, or nothing of one that is damaged: it is looked through first.
    ///
    /// - Parameter observe: told after each chunk how many rows were taken in.
    /// - Returns: what changed, and what was read.
    /// - Throws: `MonitorFileError`; `StoreError`, `ColumnCipherError` and `CancellationError` may leave a part taken in.
    package func read(
        _ path: String, as format: StudentFormat = .csv, from source: StudentSource = .file,
        rule: RosterRule = .everything, observe: @Sendable (Int) async throws -> Void = { _ in }
    ) async throws -> RosterReading {
        var news: [StudentInput]? = []
        let looked = try await through(path, format, rule) { inputs in
            news = news.flatMap { $0.count + inputs.count > Self.maximumKept ? nil : $0 + inputs }
        }
        var reading = looked
        var taken = 0
        if let news {
            for start in stride(from: 0, to: news.count, by: Self.chunk) {
                try Task.checkCancellation()
                let part = Array(news[start..<min(start + Self.chunk, news.count)])
                reading.changes = reading.changes + (try await take(part, from: source, isRead: rule == .sinceRead))
                taken += part.count
                try await observe(taken)
            }
            return reading
        }
        var changes = looked.changes
        let again = try await through(path, format, rule) { inputs in
            changes = changes + (try await take(inputs, from: source, isRead: rule == .sinceRead))
            taken += inputs.count
            try await observe(taken)
        }
        guard again.digest == looked.digest else {
            throw MonitorFileError(.busy, file: path, "it changed while it was read; it is read again in the next run")
        }
        reading.changes = changes
        return reading
    }

    /// Gives the news of a file, chunk by chunk, and counts the other rows.
    private func through(
        _ path: String, _ format: StudentFormat, _ rule: RosterRule, news: ([StudentInput]) async throws -> Void
    ) async throws -> RosterReading {
        // Not handed on as a value: what it has seen so far would be copied for each chunk.
        let reader = try await OwnThread.run { Guarded(try StudentReader(path, format)) }
        var changes = RosterChanges()
        var (conflicts, unknown): ([Int], [Int]) = ([], [])
        // Those of our file who are still in it, and rows of the other's file whose students were removed.
        var stillWritten = 0
        var removed: Set<String> = []
        while true {
            try Task.checkCancellation()
            let rows = try await OwnThread.run { [marker] in
                try reader.withLock { try $0.next(Self.chunk) }.map { read in
                    (row: read.row, line: read.line, mark: marker.rowMark(of: read.row.input))
                }
            }
            guard !rows.isEmpty else { break }
            let standings = try await students.standings(of: rows.map(\.row.input.userID))
            let gone = rule == .sinceRead ? try await students.removedRows(among: rows.map(\.mark)) : []
            removed.formUnion(gone)
            var inputs: [StudentInput] = []
            var noted: [(userID: String, mark: String)] = []
            for (row, line, mark) in rows {
                let standing = standings[Array(row.input.userID.utf8)]
                if standing?.writtenMark != nil { stillWritten += 1 }
                // Whose row stands there as when they were removed stays removed.
                let isRemoved = standing == nil && gone.contains(mark)
                switch isRemoved ? .known : Self.kind(of: row, mark, standing, rule) {
                case .news: inputs.append(row.input)
                case .conflict: conflicts.append(line)
                case .unknown: unknown.append(line)
                case .known:
                    changes.unchanged += 1
                    if rule == .sinceRead, standing?.rowMark == mark, standing?.readMark != mark {
                        noted.append((row.input.userID, mark))
                    }
                }
            }
            // Of rows that are as stored alone: of others it is noted with what is taken in.
            try await students.noteRead(noted)
            if !inputs.isEmpty { try await news(inputs) }
        }
        guard let digest = reader.withLock({ $0.digest }) else {
            throw MonitorFileError(.unreadable, file: path, "nothing was read of it")
        }
        if rule == .sinceRead { try await students.keepRemovedRows(removed) }
        // A file of the input alone is somebody's list of a few; ours has everybody.
        let isWhole = rule == .sinceWritten && reader.withLock { $0.hasAllColumns }
        let missing = isWhole ? try await students.writtenCount() - stillWritten : 0
        return RosterReading(
            changes: changes, digest: digest, conflicts: conflicts, unknown: unknown, missing: max(0, missing))
    }

    private enum Kind {
        case known, news, conflict, unknown
    }

    private static func kind(
        of row: StudentRow, _ mark: String, _ standing: StudentStanding?, _ rule: RosterRule
    ) -> Kind {
        guard let standing else { return rule == .sinceWritten && row.hasOurs ? .unknown : .news }
        if mark == standing.rowMark { return .known }
        switch rule {
        case .everything: return .news
        case .sinceRead: return mark == standing.readMark ? .known : .news
        case .sinceWritten:
            if mark == standing.writtenMark { return .known }
            // Of an older file's copy it is not known what was changed in it.
            let isOld = row.lastUpdated.map { $0 != standing.listMadeAt } ?? false
            return standing.rowMark == standing.writtenMark && !isOld ? .news : .conflict
        }
    }
}
