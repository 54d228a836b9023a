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
        var last: String?
        while let market = maker.market {
            try Task.checkCancellation()
            let groups = try await students.unasked(
                market: market, after: last, limit: min(Self.chunk, maker.callsLeft))
            guard let end = groups.last else { break }
            last = end.mark
            let wanted = try await wanted(groups, by: .input).found
            let lists = try await maker.lists(for: wanted.map(\.student.input))
            var isAnswered = true
            for (wanted, list) in zip(wanted, lists) {
                guard try await reworded(wanted, list, &report) else {
                    isAnswered = false
                    continue
                }
                if list.origin == .model { report.students.reworded += 1 }
            }
            try await tell(&report)
            guard isAnswered else { return }
        }
        last = nil
        while let market = maker.market {
            try Task.checkCancellation()
            let groups = try await courses.unasked(
                market: market, after: last, limit: min(Self.chunk, maker.callsLeft))
            guard let end = groups.last else { return }
            last = end.mark
            let wanted = try await wanted(groups, by: .course).found
            let made = try await maker.paths(for: wanted.map { InputMarker.line($0.student.input.course) })
            var isAnswered = true
            for (wanted, paths) in zip(wanted, made) {
                report.note(paths)
                guard paths.askedMarket != nil else {
                    isAnswered = false
                    continue
                }
                try await courses.serve(record(paths, wanted))
                if paths.origin == .model { report.courses.reworded += 1 }
            }
            try await tell(&report)
            guard isAnswered else { return }
        }
    }

    /// - Returns: whether a model answered; only then is anything stored.
    private func reworded(
        _ wanted: Wanted, _ list: MadeList, _ report: inout MonitorReport
    ) async throws -> Bool {
        report.note(list)
        guard list.askedMarket != nil else { return false }
        try await students.serve(Self.record(list, wanted.group.mark, nil, now: clock()))
        return true
    }
}
