import Foundation
import Synchronization

/// How many requests are answered at once: those that came whole and whose reply has not begun.
///
/// More of them at a time than keep the processors busy are answered later and no faster. A place is taken once a request
/// is there whole, so that a client who sends slowly takes none, and given back when its reply begins, so that one who
/// reads slowly keeps none.
package final class Admission: Sendable {
    /// How often refusals are reported.
    private static let reportPeriod = Duration.seconds(10)

    private struct Report {
        var last: ContinuousClock.Instant?
        var refused = 0
    }

    package let maximum: Int
    private let inside = Atomic<Int>(0)
    private let turnedAway = Atomic<Int>(0)
    private let report = Mutex(Report())

    package init(maximum: Int) {
        precondition(maximum >= 1, "nobody would ever be let in")
        self.maximum = maximum
    }

    /// Enough for a few that compute on each processor and as many that wait to be embedded together with others.
    package static var defaultMaximum: Int { 16 * ProcessInfo.processInfo.activeProcessorCount }

    /// How many are inside; for a moment more than the maximum, where requests whose heads came in time end at once.
    package var count: Int { inside.load(ordering: .relaxed) }
    /// How many were turned away since the start.
    package var refused: Int { turnedAway.load(ordering: .relaxed) }
    package var isFull: Bool { count >= maximum }

    package func enter() { inside.add(1, ordering: .relaxed) }

    package func leave() {
        let left = inside.subtract(1, ordering: .relaxed).newValue
        precondition(left >= 0, "who leaves has been inside")
    }

    /// Counts one that is turned away.
    ///
    /// - Returns: how many were since the last report, where it is time for one.
    func refuse(now: ContinuousClock.Instant = .now) -> Int? {
        turnedAway.add(1, ordering: .relaxed)
        return report.withLock { report in
            report.refused += 1
            if let last = report.last, now - last < Self.reportPeriod { return nil }
            defer { report = Report(last: now) }
            return report.refused
        }
    }
}
