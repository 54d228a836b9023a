/// How many tokens a second are computed, of late.
struct WorkRate {
    /// Before anything was measured; on the low side, so that nobody is told to come back too soon.
    static let assumed = 2_000.0
    /// Seconds of work after which what is older counts half.
    private static let memory = 10.0

    private var tokens = 0.0
    private var seconds = 0.0
    private var mark: ContinuousClock.Instant?

    var tokensPerSecond: Double { seconds > 0.01 && tokens > 0 ? tokens / seconds : Self.assumed }

    /// Work begins after a pause.
    mutating func begin(_ now: ContinuousClock.Instant) { mark = now }

    /// Work is done; other work may go on.
    mutating func end(tokens done: Int, _ now: ContinuousClock.Instant) {
        let elapsed = (now - (mark ?? now)) / .seconds(1)
        mark = now
        tokens += Double(done)
        seconds += elapsed
        if seconds > Self.memory {
            tokens /= 2
            seconds /= 2
        }
    }
}
