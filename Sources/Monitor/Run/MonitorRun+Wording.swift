internal import Store

/// Lists and paths that stand, and that no model has been asked about: for want of calls, of money or of an answer, or
/// since the market was another.
extension MonitorRun {
    /// Has a model word them, as many as calls are left for, while it answers.
    ///
    /// - Parameter tell: after each step.
    func reword(_ report: inout MonitorReport, _ tell: (inout MonitorReport) async throws -> Void) async throws {
        // Who has just not answered would not answer now.
        guard !report.isModelSilent else { return }
        for column in [StudentRepository.MarkColumn.input, .course] {
            var last: String?
            while let market = maker.market {
                try Task.checkCancellation()
                let groups = try await students.unasked(
                    of: column, market: market, after: last, limit: min(Self.chunk, maker.callsLeft))
                guard let end = groups.last else { break }
                last = end.mark
                let wanted = try await wanted(groups, by: column).found
                let isAnswered =
                    column == .input
                    ? try await rewordLists(wanted, &report) : try await rewordPaths(wanted, &report)
                try await tell(&report)
                guard isAnswered else { return }
            }
        }
    }

    /// - Returns: whether a model answered for each; where it did not, nothing is stored.
    private func rewordLists(_ wanted: [Wanted], _ report: inout MonitorReport) async throws -> Bool {
        let lists = try await maker.lists(for: wanted.map(\.student.input))
        for (wanted, list) in zip(wanted, lists) {
            report.note(list)
            guard list.askedMarket != nil else { continue }
            try await students.serve(Self.record(list, wanted.group.mark, nil, now: clock()))
            if list.origin == .model { report.students.reworded += 1 }
        }
        return lists.allSatisfy { $0.askedMarket != nil }
    }

    private func rewordPaths(_ wanted: [Wanted], _ report: inout MonitorReport) async throws -> Bool {
        let made = try await maker.paths(for: wanted.map { InputMarker.line($0.student.input.course) })
        for (wanted, paths) in zip(wanted, made) {
            report.note(paths)
            guard paths.askedMarket != nil else { continue }
            try await courses.serve(record(paths, wanted))
            if paths.origin == .model { report.courses.reworded += 1 }
        }
        return made.allSatisfy { $0.askedMarket != nil }
    }
}
