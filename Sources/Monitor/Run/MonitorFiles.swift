package import Foundation
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
    private let clock: @Sendable () -> Date

    package init(
        folder: String, students: StudentRepository, courses: CourseRepository, notes: MonitorFileRepository,
        clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.students = MonitorFile("\(folder)/\(StudentFile.name)")
        self.courses = MonitorFile("\(folder)/\(CourseFile.name)")
        studentRows = students
        courseRows = courses
        self.notes = notes
        self.clock = clock
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
        return try await isOurs(digest, file) ? .ours : .foreign(digest)
    }

    /// Whether we have ever written a file.
    package func wasWritten(_ file: MonitorFile) async throws -> Bool {
        try await notes.state(of: Self.name(file)) != nil
    }

    /// Removes what a killed writer of the file left.
    ///
    /// - Returns: where what somebody else had written meanwhile was set aside, or nil.
    package func tidy(_ file: MonitorFile) async throws -> String? {
        try await OwnThread.run { try file.removeLeftover() }
        return try await settle(MonitorFile(file.swapPath), of: file, taken: nil)
    }

    fileprivate static let changedMeanwhile = "somebody changed it while it was written anew; compare the two"

    /// Sees to what had a file's name before: what is ours goes, and what was taken in; anything else is kept.
    ///
    /// - Returns: where it was set aside, or nil.
    private func settle(_ old: MonitorFile, of file: MonitorFile, taken: FileDigest?) async throws -> String? {
        guard let digest = try await OwnThread.run({ try old.digest() }) else { return nil }
        if digest != taken, try await !isOurs(digest, file) {
            let time = clock()
            return try await OwnThread.run { try old.setAside(at: time, named: file) }
        }
        try await OwnThread.run { try old.remove() }
        return nil
    }

    private func isOurs(_ digest: FileDigest, _ file: MonitorFile) async throws -> Bool {
        for name in [Self.name(file), Self.nextName(file)] {
            if let known = try await notes.state(of: name), known == (digest.sha256, digest.bytes) { return true }
        }
        return false
    }

    /// Whether a file that is ours is older than what is stored.
    package func isStale(_ file: MonitorFile) async throws -> Bool {
        try await notes.revision(of: Self.name(file)) != studentRows.revision()
    }

    // MARK: Writing

    /// What came of writing a file.
    package struct Written: Sendable, Equatable {
        /// Where something was set aside that took the file's place while it was written; nil where nothing was.
        package var setAside: String?
        /// Students who are left out, since what they said is damaged.
        package var unreadable = 0
        /// The marks of lists that are left out, since they are damaged.
        package var damagedLists: [String] = []
        /// Why it was set aside.
        package static let changedMeanwhile = MonitorFiles.changedMeanwhile
    }

    /// Writes one of the two anew, page by page.
    ///
    /// - Parameter taken: what stands there, where it is somebody's and was taken in.
    /// - Throws: `MonitorFileError`, `StoreError`, `ColumnCipherError`, `CancellationError`; the file stays as it was.
    @discardableResult
    package func write(_ file: MonitorFile, taken: FileDigest? = nil) async throws -> Written {
        guard file == students else {
            return try await write(file, taken) { last in
                let page = try await courseRows.page(after: last, limit: Self.page)
                let rows = page.map { paths in
                    CourseRow(
                        course: paths.course, paths: paths.document, lastUpdated: paths.madeAt, count: paths.count)
                }
                return Page(rows: rows, last: page.last?.mark)
            }
        }
        // Of those who are not there as they were written before. Noted once they are: a kill in between leaves a change of
        // their rows in the file a doubt, and no news.
        var marks: [(userID: String, mark: String)] = []
        var damaged: Set<String> = []
        var written = try await write(file, taken) { last in
            let page = try await studentRows.page(after: last, limit: Self.page)
            for (student, _) in page.students where student.writtenMark != student.marks.row {
                marks.append((student.input.userID, student.marks.row))
            }
            for (student, list) in page.students where list == nil {
                if let mark = student.servedMark { damaged.insert(mark) }
            }
            let rows = page.students.map { student, list in
                // A number in any case: by it a row is known for one of ours.
                StudentRow(
                    input: student.input, recommendations: list?.document ?? "", lastUpdated: list?.madeAt,
                    count: list?.count ?? 0)
            }
            return Page(rows: rows, last: page.last, unreadable: page.unreadable.count)
        }
        try await studentRows.noteWritten(marks)
        written.damagedLists = damaged.sorted()
        return written
    }

    private struct Page<Row: FileRow>: Sendable {
        let rows: [Row]
        /// The key of the last of them, for the next page; nil where there is none any more.
        let last: String?
        var unreadable = 0
    }

    private func write<Row: FileRow>(
        _ file: MonitorFile, _ taken: FileDigest?, page: (String?) async throws -> Page<Row>
    ) async throws -> Written {
        let revision = try await studentRows.revision()
        let writer = try await OwnThread.run { try RowFileWriter<Row>(file) }
        do {
            var written = Written()
            var count = 0
            var last: String?
            while true {
                try Task.checkCancellation()
                let next = try await page(last)
                guard let end = next.last else { break }
                last = end
                count += next.rows.count
                written.unreadable += next.unreadable
                try await OwnThread.run { try writer.append(next.rows) }
            }
            // A few are damaged; of many the key is another, and the file would be all that is left of them.
            guard written.unreadable <= max(10, count / 10) else {
                throw MonitorFileError(
                    .notWritten, file: file.path,
                    "what \(written.unreadable) students said cannot be opened; is the key for private columns the "
                        + "right one?")
            }
            let digest = try await OwnThread.run { try writer.finish() }
            try await notes.set(Self.nextName(file), sha256: digest.sha256, bytes: digest.bytes)
            if let old = try await OwnThread.run({ try writer.exchange() }) {
                written.setAside = try await settle(old, of: file, taken: taken)
            }
            try await notes.set(Self.name(file), sha256: digest.sha256, bytes: digest.bytes, revision: revision)
            return written
        } catch {
            writer.discard()
            throw error
        }
    }

    private static func name(_ file: MonitorFile) -> String { (file.path as NSString).lastPathComponent }
    private static func nextName(_ file: MonitorFile) -> String { "\(name(file)).next" }
}
