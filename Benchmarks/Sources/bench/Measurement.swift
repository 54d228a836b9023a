/// How long something took, over many runs.
///
/// Medians and not means: on a shared machine a mean tells mostly of the neighbours.
struct Measurement: Codable {
    var runs: Int
    /// Milliseconds, by the nearest rank; with fewer than 100 runs `p99Ms` is the slowest.
    var p50Ms: Double
    var p90Ms: Double
    var p99Ms: Double
    /// The slowest; nil in figures that were kept before it was told.
    var maxMs: Double?

    init(_ durations: [Duration]) {
        precondition(!durations.isEmpty, "nothing was measured")
        let sorted = durations.sorted()
        runs = sorted.count
        p50Ms = sorted.nearestRank(50) / .milliseconds(1)
        p90Ms = sorted.nearestRank(90) / .milliseconds(1)
        p99Ms = sorted.nearestRank(99) / .milliseconds(1)
        maxMs = sorted.nearestRank(100) / .milliseconds(1)
    }
}

/// Something and its limits, run in turns.
///
/// A neighbour that takes half of the machine for a while slows all of a turn, so their ratios stay what they are
/// where the times themselves do not.
struct Comparison {
    let subject: Measurement
    let references: [Measurement]
    /// The medians over the turns of subject ÷ reference, in the references' order.
    let ratios: [Double]

    /// - Parameters:
    ///   - seconds: to go on for; at least `leastTurns` turns are made, at most 2,000.
    ///   - subject, references: called with the number of the turn, once before the clock starts.
    init(
        seconds: Double, leastTurns: Int, subject: (Int) throws -> Void, references: [(Int) -> Void]
    ) rethrows {
        let clock = ContinuousClock()
        try subject(0)
        for reference in references { reference(0) }
        var times: [Duration] = []
        var limits: [[Duration]] = references.map { _ in [] }
        let end = clock.now + .seconds(seconds)
        while times.count < leastTurns || (clock.now < end && times.count < 2_000) {
            let turn = times.count
            times.append(try clock.measure { try subject(turn) })
            for (which, reference) in references.enumerated() {
                limits[which].append(clock.measure { reference(turn) })
            }
        }
        self.subject = Measurement(times)
        self.references = limits.map(Measurement.init)
        ratios = limits.map { limit in zip(times, limit).map { $0 / $1 }.sorted().nearestRank(50) }
    }
}

extension Array {
    /// The element at `percent` of a sorted array, by the nearest rank.
    func nearestRank(_ percent: Int) -> Element {
        self[Swift.max(0, (count * percent + 99) / 100 - 1)]
    }
}
