package import Foundation
package import Store

/// One look at all students and courses: who is due gets a new list, and the files are brought up to date.
///
/// Who calls it makes sure that it is the only one on the database. Stopped or killed anywhere, it leaves lists that are
/// whole and files that are whole, and the next run goes on with who is still due.
package struct MonitorRun: Sendable {
    /// Inputs that are asked of the engine together.
    static let chunk = 64

    let settings: MonitorSettings
    let maker: ListMaker
    let roster: Roster
    let students: StudentRepository
    let courses: CourseRepository
    let notes: MonitorFileRepository
    let files: MonitorFiles
    let clock: @Sendable () -> Date
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
        files = MonitorFiles(
            folder: settings.folder, students: students, courses: courses, notes: notes, clock: clock)
        self.clock = clock
        self.observe = observe
    }

    /// - Parameter earlier: how far it came before it was stopped, where it goes on.
    /// - Throws: `CancellationError`, `StoreError`, `ColumnCipherError`. What is wrong with files is in the report.
    package func perform(goingOnWith earlier: MonitorReport = MonitorReport()) async throws -> MonitorReport {
        let began = ContinuousClock.now
        var report = earlier
        func tell(_ report: inout MonitorReport) async throws {
            report.modelCalls = earlier.modelCalls + maker.callsMade
            report.seconds = earlier.seconds + Self.seconds(since: began)
            try await observe(report)
        }
        let settled = try await takeIn(&report)
        try await check(&report, isFirst: !earlier.hasChecked)
        report.checkSeconds = earlier.checkSeconds + Self.seconds(since: began)
        try await tell(&report)
        try await eachGroup {
            try await students.due(after: $0, limit: Self.chunk, outdatedBefore: $1)
        } of: {
            try await makeLists($0, &report)
            report.students.seenTo += $0.reduce(0) { $0 + $1.students }
            try await tell(&report)
        }
        try await eachGroup(ofCourses: true) {
            try await courses.due(after: $0, limit: Self.chunk, outdatedBefore: $1)
        } of: {
            try await makePaths($0, &report)
            report.courses.seenTo += $0.count
            try await tell(&report)
        }
        try await reword(&report, tell)
        _ = try await students.removeUnusedLists()
        try await courses.removeUnused()
        let damaged = try await writeFiles(settled, &report)
        if !damaged.isEmpty {
            // Found by writing them: they are made anew, and written once more.
            report.problems["damaged_list", default: 0] += damaged.count
            try await students.forget(lists: damaged)
            try await eachGroup {
                try await students.due(after: $0, limit: Self.chunk, outdatedBefore: $1)
            } of: {
                try await makeLists($0, &report)
                try await tell(&report)
            }
            _ = try await writeFiles([files.students.path: FileDigest?.none], &report)
        }
        report.modelCalls = earlier.modelCalls + maker.callsMade
        report.seconds = earlier.seconds + Self.seconds(since: began)
        return report
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        let (seconds, attoseconds) = start.duration(to: .now).components
        return Double(seconds) + (Double(attoseconds) / 1e15).rounded() / 1_000
    }

    // MARK: Who is due

    /// - Parameter isFirst: false of a run that goes on, which reports who was due at its beginning.
    private func check(_ report: inout MonitorReport, isFirst: Bool) async throws {
        let now = clock()
        let due = try await students.counts(outdatedBefore: settings.studentsOutdatedBefore(now))
        report.students.due = due.new + due.changed + due.outdated
        let named = try await courses.counts(outdatedBefore: settings.coursesOutdatedBefore(now))
        report.courses.due = named.new + named.outdated
        guard isFirst else { return }
        report.students.checked = due.students
        report.students.new = due.new
        report.students.changed = due.changed
        report.students.outdated = due.outdated
        report.courses.checked = named.courses
        report.courses.new = named.new
        report.courses.outdated = named.outdated
    }

    /// All groups that are due, some at a time, in the order of their marks.
    private func eachGroup(
        ofCourses isOfCourses: Bool = false, _ due: (String?, Date) async throws -> [DueGroup],
        of body: ([DueGroup]) async throws -> Void
    ) async throws {
        let now = clock()
        let outdated = isOfCourses ? settings.coursesOutdatedBefore(now) : settings.studentsOutdatedBefore(now)
        var last: String?
        while true {
            try Task.checkCancellation()
            let groups = try await due(last, outdated)
            guard let end = groups.last else { return }
            last = end.mark
            try await body(groups)
        }
    }
}
