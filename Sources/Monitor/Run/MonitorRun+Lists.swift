internal import Foundation
internal import Store

/// Lists and paths for those who are due.
extension MonitorRun {
    /// A group that is due, with one of its students.
    struct Wanted: Sendable {
        let group: DueGroup
        let student: StudentRecord
    }

    /// One student of each group; a group is left out where what all of its first hundred said is damaged, and where
    /// nobody is in it any more.
    func wanted(
        _ groups: [DueGroup], by column: StudentRepository.MarkColumn
    ) async throws -> (found: [Wanted], damaged: [DueGroup]) {
        func mark(_ student: StudentRecord) -> String? {
            column == .input ? student.marks.input : student.marks.course
        }
        let records = try await students.students(ids: groups.map(\.userID))
        let byMark = Dictionary(
            records.compactMap { student in mark(student).map { ($0, student) } },
            uniquingKeysWith: { first, _ in first })
        var (found, damaged): ([Wanted], [DueGroup]) = ([], [])
        for group in groups {
            if let student = byMark[group.mark] {
                found.append(Wanted(group: group, student: student))
                continue
            }
            // From the first one on, for that one may have said something else meanwhile.
            let ids = try await students.ids(of: column, mark: group.mark, after: "", limit: 100)
            let other = try await students.students(ids: ids).first { mark($0) == group.mark }
            if let other {
                found.append(Wanted(group: group, student: other))
            } else if !ids.isEmpty {
                damaged.append(group)
            }
        }
        return (found, damaged)
    }

    func makeLists(_ groups: [DueGroup], _ report: inout MonitorReport) async throws {
        let (wanted, damaged) = try await wanted(groups, by: .input)
        report.unreadable += damaged.reduce(0) { $0 + $1.students }
        let known = try await students.lists(marks: Set(wanted.map(\.group.mark)))
        let now = clock()
        let outdated = settings.studentsOutdatedBefore(now)
        var due: [Wanted] = []
        for one in wanted {
            // Somebody new who said what others said before.
            if let old = known[one.group.mark], old.origin != .fallback, old.madeAt >= outdated, old.madeAt <= now {
                try await students.serve(old)
                report.students.reused += 1
            } else {
                due.append(one)
            }
        }
        let lists = try await maker.lists(for: due.map(\.student.input))
        try await serve(Array(zip(due, lists)), known, &report)
    }

    private func serve(
        _ made: [(wanted: Wanted, list: MadeList)], _ known: [String: InterestListRecord], _ report: inout MonitorReport
    ) async throws {
        let now = clock()
        let outcomes = try await withThrowingTaskGroup(of: (place: Int, isServed: Bool, isSpared: Bool).self) { group in
            for (place, (wanted, list)) in made.enumerated() {
                let old = known[wanted.group.mark]
                let record = Self.record(list, wanted.group.mark, old, now: now)
                // What is predefined is tried again in every run, and seldom another.
                let isSame = list.origin == .fallback && old?.document == record.document
                // Where the engine failed, who has something better keeps it; who says nothing any more does not.
                let spares = list.origin == .fallback && list.problem != ListMaker.nothingToGoOn
                // Together, so that the disk is waited for once; each is a transaction of its own.
                group.addTask { [students] in
                    let count = try await students.serve(record, isSame: isSame, sparesBetter: spares)
                    let isMissed = spares && !isSame && count < wanted.group.students
                    return (place, isSame || count > 0, isMissed)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for outcome in outcomes {
            let (wanted, list) = made[outcome.place]
            report.note(list)
            let isKept = known[wanted.group.mark].map { Self.keeps($0, over: list) } ?? false
            if isKept || outcome.isSpared { report.students.failed += 1 }
            if !isKept, outcome.isServed || !outcome.isSpared { report.students.count(list.origin) }
        }
    }

    /// Whether what is there is better than what was made.
    private static func keeps(_ old: InterestListRecord, over list: MadeList) -> Bool {
        list.origin == .fallback && old.origin != .fallback
    }

    static func record(
        _ list: MadeList, _ mark: String, _ old: InterestListRecord?, now: Date
    ) -> InterestListRecord {
        if let old, keeps(old, over: list) { return old }
        return InterestListRecord(
            mark: mark, origin: list.origin, document: list.document, count: list.careers.count,
            generation: list.generation, costNanodollars: list.costNanodollars, madeAt: now,
            askedMarket: list.askedMarket)
    }

    func makePaths(_ groups: [DueGroup], _ report: inout MonitorReport) async throws {
        // Damaged students are counted with their lists.
        let wanted = try await wanted(groups, by: .course).found
        let made = try await maker.paths(for: wanted.map { InputMarker.line($0.student.input.course) })
        for (wanted, paths) in zip(wanted, made) {
            report.note(paths)
            let old = paths.origin == .fallback ? try await courses.paths(mark: wanted.group.mark) : nil
            if let old, old.origin != .fallback {
                report.courses.failed += 1
                continue
            }
            report.courses.count(paths.origin)
            // As with lists: what is predefined is tried again in every run, and seldom another.
            if old?.document != paths.document { try await courses.serve(record(paths, wanted)) }
        }
    }

    func record(_ paths: MadePaths, _ wanted: Wanted) -> CoursePathsRecord {
        CoursePathsRecord(
            mark: wanted.group.mark, course: InputMarker.line(wanted.student.input.course), origin: paths.origin,
            document: paths.document, count: paths.careers.count, generation: paths.generation,
            costNanodollars: paths.costNanodollars, madeAt: clock(), askedMarket: paths.askedMarket)
    }
}

extension MonitorReport {
    /// What it cost, and what went wrong.
    mutating func note<Entry>(_ made: Made<Entry>) {
        note(made.problem)
        costNanodollars += made.costNanodollars
        if made.origin == .engine, made.problem != nil, made.askedMarket == nil { isModelSilent = true }
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
