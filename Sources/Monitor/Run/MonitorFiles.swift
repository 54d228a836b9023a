internal import Foundation
package import Store

/// The two files that others read: what stands in them, and writing them anew.
///
/// What is about to be written is noted before a file takes its place, so that a file of ours is always known for one,
/// also after a kill in between; any other is somebody's, and is read or set aside before ours takes its place.
package struct MonitorFiles: Sendable {
    /// Students of one page, whose lists are in memory together.
    private static let page = 500

    package let students: MonitorFile
    package let courses: MonitorFile
    private let studentRows: StudentRepository
    private let courseRows: CourseRepository
    private let notes: MonitorFileRepository

    package init(
        folder: String, students: StudentRepository, courses: CourseRepository, notes: MonitorFileRepository
    ) {
        self.students = MonitorFile("\(folder)/\(StudentFile.name)")
        self.courses = MonitorFile("\(folder)/\(CourseFile.name)")
        studentRows = students
        courseRows = courses
        self.notes = notes
    }

    /// What a file is to us.
    package enum Finding: Sendable, Equatable {
        case missing
        /// As we wrote it.
        case ours
        /// Somebody wrote it, or changed it since.
        case foreign(FileDigest)
    }

    /// - Throws: `MonitorFileError` where it cannot be read, `StoreError`.
    package func finding(_ file: MonitorFile) async throws -> Finding {
        guard let digest = try await OwnThread.run({ try file.digest() }) else { return .missing }
        for name in [Self.name(file), Self.nextName(file)] {
            if let known = try await notes.state(of: name), known == (digest.sha256, digest.bytes) { return .ours }
        }
        return .foreign(digest)
    }

    /// Removes what killed writers left.
    package func tidy() async throws {
        try await OwnThread.run { [students, courses] in
            try students.removeLeftover()
            try courses.removeLeftover()
        }
    }

    /// Whether a file that is ours is older than what is stored.
    package func isStale(_ file: MonitorFile) async throws -> Bool {
        try await notes.revision(of: Self.name(file)) != studentRows.revision()
    }

    // MARK: Writing

    /// Writes one of the two anew, page by page.
    ///
    /// - Throws: `MonitorFileError`, `StoreError`, `ColumnCipherError`, `CancellationError`; the file stays as it was.
    package func write(_ file: MonitorFile) async throws {
        if file == students {
            try await write(
                file, page: { try await studentRows.page(after: $0, limit: $1) }, key: { $0.student.input.userID }
            ) { student, list in
                StudentRow(
                    input: student.input, recommendations: list?.document ?? "", lastUpdated: list?.madeAt,
                    count: list?.count)
            }
        } else {
            try await write(
                file, page: { try await courseRows.page(after: $0, limit: $1) }, key: { $0.mark }
            ) { paths in
                CourseRow(course: paths.course, paths: paths.document, lastUpdated: paths.madeAt, count: paths.count)
            }
        }
    }

    private func write<Item: Sendable, Row: FileRow>(
        _ file: MonitorFile, page: (String?, Int) async throws -> [Item], key: (Item) -> String, row: (Item) -> Row
    ) async throws {
        let revision = try await studentRows.revision()
        let writer = try await OwnThread.run { try RowFileWriter<Row>(file) }
        do {
            var last: String?
            while true {
                try Task.checkCancellation()
                let items = try await page(last, Self.page)
                guard let end = items.last else { break }
                last = key(end)
                let rows = items.map(row)
                try await OwnThread.run { try writer.append(rows) }
            }
            let digest = try await OwnThread.run { try writer.finish() }
            try await replace(file, digest, revision) { try writer.commit() }
        } catch {
            writer.discard()
            throw error
        }
    }

    private func replace(
        _ file: MonitorFile, _ digest: FileDigest, _ revision: Int64,
        commit: @escaping @Sendable () throws -> FileDigest
    ) async throws {
        try await notes.set(Self.nextName(file), sha256: digest.sha256, bytes: digest.bytes)
        _ = try await OwnThread.run(commit)
        try await notes.set(Self.name(file), sha256: digest.sha256, bytes: digest.bytes, revision: revision)
    }

    private static func name(_ file: MonitorFile) -> String { (file.path as NSString).lastPathComponent }
    private static func nextName(_ file: MonitorFile) -> String { "\(name(file)).next" }
}
