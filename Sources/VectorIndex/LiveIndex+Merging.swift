internal import Synchronization
internal import VectorMath

/// What is being merged beside the writers.
struct Merging: Sendable {
    /// Neighbours in the current generation, of which one is being made; empty where nothing is.
    var sources: [Segment] = []
}

/// Segments are merged so that each has at least twice the live rows of the next, and none is mostly dead.
///
/// Few rows are merged by the writer whose change makes it due. Many would hold that writer up, and searches with it, which
/// want all processors: they are copied by a thread that gives way, while writers go on adding smaller segments after
/// them. What these take out meanwhile is taken out of the copy before it is published.
extension LiveIndex {
    /// Twelve megabytes of rows: some ten milliseconds.
    package static var defaultMergedAtOnce: Int { 4_096 }

    /// A merge: the segments, with their dead rows as they were at its beginning.
    private struct Job {
        var sources: [(segment: Segment, dead: Bitmap)]
        /// All segments there were then.
        var known: [Segment]
        let layout: RowLayout

        /// Of all segments from `first` on.
        init(_ segments: [Segment], _ dead: [Bitmap], from first: Int, layout: RowLayout) {
            sources = zip(segments[first...], dead[first...]).map { (segment: $0, dead: $1) }
            known = segments
            self.layout = layout
        }
    }

    /// Where the segments begin that are due for merging into one, or nil.
    ///
    /// - Parameters:
    ///   - start: the first that may be.
    ///   - most: live rows of these.
    private static func due(_ segments: [Segment], _ dead: [Bitmap], from start: Int, most: Int) -> Int? {
        var first: Int?
        var gathered = 0
        for s in (start..<segments.count).reversed() {
            let live = segments[s].count - dead[s].population
            let isDue = live * 2 < segments[s].count || live < 2 * gathered
            gathered += live
            if gathered > most { break }
            if isDue { first = s }
        }
        return first
    }

    /// Merges what is due at the end of the segments, as far as that is few rows.
    ///
    /// Left alone are those that a thread is merging, and those whose rows lie in a file: merging them would bring all
    /// their rows into memory, and `save` does it without.
    func mergeTail(
        _ segments: inout [Segment], _ dead: inout [Bitmap], layout: RowLayout, merging: Merging
    ) throws(IndexError) {
        let busy = segments.lastIndex { segment in merging.sources.contains { $0 === segment } }
        let start = max(Self.firstInMemory(segments), (busy ?? -1) + 1)
        guard let first = Self.due(segments, dead, from: start, most: mergedAtOnce) else { return }
        let merged = try merge(Job(segments, dead, from: first, layout: layout))
        segments.removeSubrange(first...)
        dead.removeSubrange(first...)
        if merged.count > 0 {
            segments.append(merged)
            dead.append(Bitmap(count: merged.count))
        }
    }

    private static func firstInMemory(_ segments: [Segment]) -> Int { (segments.lastIndex { $0.isMapped } ?? -1) + 1 }

    private func merge(_ job: Job) throws(IndexError) -> Segment {
        try Segment(merging: job.sources, layout: job.layout) { rows, count in
            codePolicy.codes(merging: job.sources, rows: rows, count: count, layout: job.layout, known: job.known)
        }
    }

    /// Has what is due merged beside, unless something is being merged already.
    ///
    /// - Parameter merging: of `writing`, whose lock the caller holds.
    func startMerging(_ merging: inout Merging) {
        guard merging.sources.isEmpty, let job = begin(&merging) else { return }
        // Without a thread the segments stay as they are, until the next change tries again.
        if !BackgroundThread.start({ [self] in mergeAll(job) }) { merging.sources = [] }
    }

    /// The next merge, entered as under way; nil where none is due.
    private func begin(_ merging: inout Merging) -> Job? {
        let base = current
        let start = Self.firstInMemory(base.segments)
        guard let first = Self.due(base.segments, base.dead, from: start, most: .max) else {
            merging.sources = []
            return nil
        }
        merging.sources = Array(base.segments[first...])
        return Job(base.segments, base.dead, from: first, layout: base.layout)
    }

    private func mergeAll(_ first: Job) {
        var next: Job? = first
        while var job = next {
            do throws(IndexError) {
                let merged = try merge(job)
                next = writing.withLock { merging in
                    publish(merged, of: job)
                    return begin(&merging)
                }
            } catch {
                // No item gets in whose attributes do not fit those of the others.
                preconditionFailure("segments that were accepted cannot be merged: \(error)")
            }
            var sources = job.sources.map(\.segment)
            job = Job([], [], from: 0, layout: job.layout)
            Self.bury(&sources)
        }
    }

    /// Puts a merged segment in the place of its sources; called with `writing` held.
    private func publish(_ merged: Segment, of job: Job) {
        let base = current
        let count = job.sources.count
        guard let first = base.segments.firstIndex(where: { $0 === job.sources[0].segment }),
            first + count <= base.segments.count,
            zip(base.segments[first...], job.sources).allSatisfy({ $0 === $1.segment })
        else {
            // Everything was replaced meanwhile, or brought into a file.
            return
        }
        var segments = base.segments
        var dead = base.dead
        let died = Self.died(since: job.sources, now: Array(base.dead[first..<first + count]), of: merged.count)
        segments.replaceSubrange(first..<first + count, with: merged.count > 0 ? [merged] : [])
        dead.replaceSubrange(first..<first + count, with: merged.count > 0 ? [died] : [])
        // The same items: no reader needs to know.
        let next = Generation(
            number: base.number, layout: base.layout, segments: segments, dead: dead, clusterNames: base.clusterNames)
        published.withLock { $0 = next }
    }

    /// Those of the merged rows that have died since the merge began.
    private static func died(
        since sources: [(segment: Segment, dead: Bitmap)], now: [Bitmap], of count: Int
    ) -> Bitmap {
        var died = Bitmap(count: count)
        var place = 0
        for ((_, before), now) in zip(sources, now) {
            before.forEachRunOutside { run in
                now.forEach(in: run) { died.insert(place + $0 - run.lowerBound) }
                place += run.count
            }
        }
        return died
    }

    /// Holds segments until no search reads them any more, for a second at most.
    ///
    /// Who lets go last gives their memory back, which takes long where it is much: that should be no search.
    private static func bury(_ segments: inout [Segment]) {
        for _ in 0..<200 {
            if segments.indices.allSatisfy({ isKnownUniquelyReferenced(&segments[$0]) }) { return }
            BackgroundThread.pause(milliseconds: 5)
        }
    }

    /// Waits until nothing is being merged; for tests, and measurements of what is there in the end.
    package func finishMerging() {
        while writing.withLock({ !$0.sources.isEmpty }) { BackgroundThread.pause(milliseconds: 1) }
    }
}
