package import Foundation
package import Store

/// One look at all students and courses: who is due gets a new list, and the files are brought up to date.
///
/// Who calls it makes sure that it is the only one on the database. Stopped or killed anywhere, it leaves lists that are
/// whole and files that are whole, and the next run goes on with who is still due.
package struct MonitorRun: Sendable {
    /// Inputs that are asked of the engine together.
    private static let chunk = 64

    private let settings: MonitorSettings
    private let maker: ListMaker
    private let roster: Roster
    private let students: StudentRepository
    private let courses: CourseRepository
    private let notes: MonitorFileRepository
    private let files: MonitorFiles
    private let clock: @Sendable () -> Date
    private let observe: @Sendable (MonitorReport) async throws -> Void

    /// - Parameters:
    ///   - maker: with the calls of a model that this run may make.
    ///   - observe: told after each step how far it is; what it throws ends the run.
    package init(
        _ database: any SQLDatabase, cipher: any ColumnCipher, settings: MonitorSettings, maker: ListMaker,
        clock: @escaping @Sendable () -> Date = { Date() },
        observe: @escaping @Sendable (MonitorReport) async throws -> Void = { _ in }
    ) {
        self.settings = settings
        self.maker = maker
        students = StudentRepository(database, cipher: cipher, clock: clock)
        courses = CourseRepository(database, clock: clock)
        notes = MonitorFileRepository(database, clock: clock)
        roster = Roster(students: students, marker: InputMarker(cipher: cipher))
        files = MonitorFiles(folder: settings.folder, students: students, courses: courses, notes: notes)
        self.clock = clock
        self.observe = observe
    }

    /// - Throws: `CancellationError`, `StoreError`, `ColumnCipherError`. What is wrong with files is in the report.
    package func perform() async throws -> MonitorReport {
        let began = ContinuousClock.now
        var report = MonitorReport()
        let settled = try await takeIn(&report)
        try await check(&report)
        report.checkSeconds = Self.seconds(since: began)
        try await observe(report)
        try await makeLists(&report)
        try await makePaths(&report)
        _ = try await students.removeUnusedLists()
        try await courses.removeUnused()
        try await writeFiles(settled, &report)
        report.seconds = Self.seconds(since: began)
        return report
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        let (seconds, attoseconds) = start.duration(to: .now).components
        return Double(seconds) + (Double(attoseconds) / 1e15).rounded() / 1_000
    }

    // MARK: Taking in

    /// What may be written over, by path: what we wrote, and of others what was taken in. Nothing else is.
    private typealias Settled = [String: FileDigest?]

    private func takeIn(_ report: inout MonitorReport) async throws -> Settled {
        do {
            try await files.tidy()
        } catch let error as MonitorFileError {
            report.fileProblems[error.file] = error.message
        }
        if let path = settings.studentsFile { try await takeInStudents(path, &report) }
        var settled: Settled = [:]
        for file in [files.students, files.courses] {
            do {
                settled[file.path] = .some(try await settle(file, &report))
            } catch let error as MonitorFileError {
                // What cannot be read, or changes while it is, must not be written over.
                report.fileProblems[file.path] = error.description
            }
        }
        return settled
    }

    private func takeInStudents(_ path: String, _ report: inout MonitorReport) async throws {
        let name = "read \(path)"
        do {
            guard let digest = try await OwnThread.run({ try MonitorFile(path).digest() }) else {
                throw MonitorFileError(.missing, file: path, "there is no such file; `monitor.students_file` names it")
            }
            if let known = try await notes.state(of: name), known == (digest.sha256, digest.bytes) { return }
            let read = try await roster.read(path)
            report.roster = report.roster + read.changes
            try await notes.set(name, sha256: read.digest.sha256, bytes: read.digest.bytes)
        } catch let error as MonitorFileError {
            report.fileProblems[path] = error.description
        }
    }

    /// Sees to a file that somebody else may have written: its rows are taken in, or it is set aside.
    ///
    /// - Returns: what was taken in; nil where there was nothing to take.
    private func settle(_ file: MonitorFile, _ report: inout MonitorReport) async throws -> FileDigest? {
        guard case .foreign = try await files.finding(file) else { return nil }
        do {
            guard file == files.students else {
                // Somebody's changes to the paths are no input, and are kept for them.
                throw MonitorFileError(
                    .header, file: file.path, "somebody changed it, and the monitor alone writes it")
            }
            let read = try await roster.read(file.path)
            report.roster = report.roster + read.changes
            return read.digest
        } catch let error as MonitorFileError where error.isDamage {
            let time = clock()
            if let path = try await OwnThread.run({ try file.setAside(at: time) }) {
                report.setAside[path] = error.description
            }
            return nil
        }
    }

    // MARK: Who is due

    private func check(_ report: inout MonitorReport) async throws {
        let now = clock()
        let due = try await students.counts(outdatedBefore: settings.studentsOutdatedBefore(now))
        report.students.checked = due.students
        report.students.new = due.new
        report.students.changed = due.changed
        report.students.outdated = due.outdated
        let named = try await courses.counts(outdatedBefore: settings.coursesOutdatedBefore(now))
        report.courses.checked = named.courses
        report.courses.new = named.new
        report.courses.outdated = named.outdated
    }

    // MARK: Lists

    private func makeLists(_ report: inout MonitorReport) async throws {
        let outdated = settings.studentsOutdatedBefore(clock())
        var last: String?
        while true {
            try Task.checkCancellation()
            let groups = try await students.due(after: last, limit: Self.chunk, outdatedBefore: outdated)
            guard let end = groups.last else { return }
            last = end.mark
            var due: [(mark: String, input: StudentInput, old: InterestListRecord?)] = []
            let records = try await students.students(ids: groups.map(\.userID))
            let known = try await students.lists(marks: Set(records.map(\.marks.input)))
            for student in records {
                let mark = student.marks.input
                let old = known[mark]
                // Somebody new who said what others said before.
                if let old, old.origin != .fallback, old.madeAt >= outdated, old.madeAt <= clock() {
                    try await students.serve(old)
                    report.students.reused += 1
                } else {
                    due.append((mark, student.input, old))
                }
            }
            let lists = try await maker.lists(for: due.map(\.input))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (wanted, list) in zip(due, lists) {
                    let record = Self.record(list, wanted.mark, wanted.old, now: clock(), &report)
                    // Together, so that the disk is waited for once; each is a transaction of its own.
                    guard let record else { continue }
                    // What is predefined is tried again in every run, and seldom another.
                    let isSame = list.origin == .fallback && wanted.old?.document == record.document
                    group.addTask { try await students.serve(record, isSame: isSame) }
                }
                try await group.waitForAll()
            }
            try await observe(report)
        }
    }

    /// What is to be stored; nil where what is there is better.
    private static func record(
        _ list: MadeList, _ mark: String, _ old: InterestListRecord?, now: Date, _ report: inout MonitorReport
    ) -> InterestListRecord? {
        report.note(list.problem)
        report.costNanodollars += list.costNanodollars
        if list.origin == .fallback, let old, old.origin != .fallback {
            report.students.failed += 1
            return old
        }
        report.students.count(list.origin)
        return InterestListRecord(
            mark: mark, origin: list.origin, document: list.document, count: list.careers.count,
            generation: list.generation, costNanodollars: list.costNanodollars, madeAt: now)
    }

    private func makePaths(_ report: inout MonitorReport) async throws {
        let outdated = settings.coursesOutdatedBefore(clock())
        var last: String?
        while true {
            try Task.checkCancellation()
            let groups = try await courses.due(after: last, limit: Self.chunk, outdatedBefore: outdated)
            guard let end = groups.last else { return }
            last = end.mark
            let records = try await students.students(ids: groups.map(\.userID))
            let named = records.compactMap { student in
                student.marks.course.map { (mark: $0, course: InputMarker.line(student.input.course)) }
            }
            let made = try await maker.paths(for: named.map(\.course))
            for (wanted, paths) in zip(named, made) {
                report.note(paths.problem)
                report.costNanodollars += paths.costNanodollars
                if paths.origin == .fallback, let old = try await courses.paths(mark: wanted.mark),
                    old.origin != .fallback
                {
                    report.courses.failed += 1
                    continue
                }
                report.courses.count(paths.origin)
                try await courses.serve(
                    CoursePathsRecord(
                        mark: wanted.mark, course: wanted.course, origin: paths.origin, document: paths.document,
                        count: paths.careers.count, generation: paths.generation,
                        costNanodollars: paths.costNanodollars, madeAt: clock()))
            }
            try await observe(report)
        }
    }

    // MARK: Files

    private func writeFiles(_ settled: Settled, _ report: inout MonitorReport) async throws {
        for file in [files.students, files.courses] {
            guard let taken = settled[file.path] else { continue }
            do {
                guard try await isDue(file, taken) else { continue }
                try await files.write(file)
                report.written.append(file.name)
            } catch let error as MonitorFileError {
                report.fileProblems[file.path] = error.description
            }
        }
    }

    private func isDue(_ file: MonitorFile, _ taken: FileDigest?) async throws -> Bool {
        switch try await files.finding(file) {
        case .missing: return true
        case .ours: return try await files.isStale(file)
        case .foreign(let digest):
            if digest == taken { return true }
            throw MonitorFileError(
                .busy, file: file.path, "somebody changed it during the run; it is read and written in the next one")
        }
    }
}

extension MonitorReport.Tally {
    mutating func count(_ origin: ListOrigin) {
        generated += 1
        switch origin {
        case .engine: break
        case .model: worded += 1
        case .fallback: fallenBack += 1
        }
    }
}
