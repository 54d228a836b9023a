/// When something that failed is tried again: after 2, 4, 8, … seconds and at last every five minutes, but at once when
/// the catalogue has changed, which may have mended it.
package struct RetrySchedule: Sendable {
    package static let longest = Duration.seconds(300)

    private var failures = 0
    private var revision: Int64?
    private var due: ContinuousClock.Instant?

    package init() {}

    /// - Parameter revision: of the catalogue now; nil where it cannot be read.
    package func isDue(at now: ContinuousClock.Instant, revision: Int64?) -> Bool {
        guard let due else { return true }
        return now >= due || revision != self.revision
    }

    /// - Parameter longest: between two attempts.
    package mutating func failed(
        at now: ContinuousClock.Instant, revision: Int64?, longest: Duration = Self.longest
    ) {
        failures = revision == self.revision ? min(failures + 1, 30) : 1
        self.revision = revision
        due = now + min(.seconds(1 << failures), longest)
    }

    package mutating func succeeded() { self = RetrySchedule() }
}
