internal import Synchronization
internal import VectorMath

/// The first part of a search by codes: the first plane of many rows before anything else of them.
///
/// What a bound rules out depends on the threshold, and while nothing is known that is low: tile after tile, half of
/// 100,000 rows of text had their second plane read. Looking at the most promising of 131,072 rows first, whichever tile
/// they are in, all others meet a threshold that is nearly the last one.
struct FirstLook: Sendable {
    /// Rows whose bounds are kept in memory at the same time.
    static let mostRows = 131_072
    /// Rows of a tile: few, so that the threads come out even.
    static let tileRows = 4_096
    /// With fewer, one tile sees as much.
    static let leastRows = 2 * tileRows

    struct Place: Sendable {
        let segment: Int
        let rows: Range<Int>
    }

    /// The tiles of the slots below `end`.
    let places: [Place]
    let end: Int

    /// What one thread has found.
    ///
    /// SAFETY of `@unchecked Sendable`: a lane is one thread, and lanes are merged when all threads are done.
    private final class Lane: @unchecked Sendable {
        var candidates: Candidates
        init(_ candidates: Candidates) { self.candidates = candidates }
    }

    /// Rows to be looked at first, for a selection of some capacity.
    private static func promising(_ capacity: Int) -> Int { 4 * capacity }

    /// The rows to begin with: those before the first tile without codes, or with few rows that may be found; nil where
    /// these are not many.
    init?(_ generation: Generation, coded: [CodedQuery?], eligible: [Bitmap?], capacity: Int) {
        let total = min(generation.offsets[generation.segments.count], Self.mostRows)
        var places: [Place] = []
        var end = 0
        var isOpen = true
        generation.forEachBlock(of: 0..<total, size: Self.tileRows) { s, rows in
            let few = eligible[s].map { $0.population(in: rows) * 4 < rows.count } ?? false
            isOpen = isOpen && coded[s] != nil && !few
            guard isOpen else { return }
            places.append(Place(segment: s, rows: rows))
            end = generation.offsets[s] + rows.upperBound
        }
        guard end >= max(Self.leastRows, 4 * Self.promising(capacity)) else { return nil }
        self.places = places
        self.end = end
    }

    /// Finds the candidates among the slots below `end` and raises the floor for what follows.
    ///
    /// - Returns: the candidates, and how many rows were scored on the way.
    func run(
        _ generation: Generation, query: FusedQuery, coded: [CodedQuery?], eligible: [Bitmap?], bounds: Selection,
        shared: SharedBounds, floor: SharedFloor
    ) -> (candidates: [Selection.Candidate], scored: Int) {
        let tiles = ScanTile.pool.take(places.count)
        defer { ScanTile.pool.give(back: tiles) }
        let count = min(WorkerThreads.processorCount, places.count)
        let lanes = (0..<count).map { _ in Lane(Candidates(bounds: bounds, isShared: true)) }
        let state = State()
        let scored = Atomic(0)
        let places = self.places
        let wanted = Self.promising(bounds.capacity)
        // Each lane's finds become known to all, and in doubt are scored by all lanes.
        let meeting: [Step] = [.merge, .score, .sharpen]
        let plan: [Step] =
            [.open, .cut, .look] + meeting + [.setAside, .cutAside, .takeUp] + meeting + [.takeUpRest] + meeting
        let counts = plan.map { $0.isByTile ? places.count : $0 == .score ? Self.scoreParts : 1 }
        Lockstep.run(lanes: count, itemCounts: counts) { lane, step, item in
            switch plan[step] {
            case .cut:
                let total = places.reduce(0) { $0 + $1.rows.count }
                state.cut = Self.cut(wanted: wanted, of: total) { step in
                    tiles.lazy.flatMap { $0.scan.sample(every: step) }
                }
            case .cutAside:
                let total = tiles.reduce(0) { $0 + $1.scan.asideCount }
                // Few are looked at all together.
                state.cutAside =
                    total <= 4 * wanted
                    ? -.greatestFiniteMagnitude
                    : Self.cut(wanted: wanted, of: total) { step in
                        tiles.lazy.flatMap { $0.scan.asideSample(every: step) }
                    }
            case .merge:
                for lane in lanes { shared.exchange(with: &lane.candidates) }
                // Bounds far apart from scores leave many rows in doubt; then the scores of the best are worth their reading.
                let known = lanes.reduce(0) { $0 + $1.candidates.rows.count }
                state.best = known > bounds.capacity ? shared.best() : []
                scored.add(state.best.count, ordering: .relaxed)
            case .score:
                let share = (state.best.count + Self.scoreParts - 1) / Self.scoreParts
                let own = state.best.dropFirst(item * share).prefix(share)
                state.parts[item].scores = own.isEmpty ? [] : generation.scores(of: Array(own), for: query)
            case .sharpen:
                shared.sharpen(state.best, to: state.parts.flatMap(\.scores))
                for lane in lanes {
                    shared.exchange(with: &lane.candidates)
                    floor.lift(&lane.candidates.bounds)
                }
            default:
                let place = places[item]
                guard let coded = coded[place.segment], let codes = generation.segments[place.segment].codes else {
                    return
                }
                let tile = CodedScan.Tile(
                    segment: generation.segments[place.segment], codes: codes, rows: place.rows,
                    offset: generation.offsets[place.segment], coded: coded, eligible: eligible[place.segment],
                    floor: floor)
                Self.take(plan[step], &tiles[item].scan, tile, state, into: &lanes[lane].candidates)
            }
        }
        return (
            lanes.flatMap { lane in
                lane.candidates.prune()
                return lane.candidates.rows
            }, scored.load(ordering: .relaxed)
        )
    }

    /// A step for one tile.
    private static func take(
        _ step: Step, _ scan: inout CodedScan, _ tile: CodedScan.Tile, _ state: State,
        into candidates: inout Candidates
    ) {
        switch step {
        case .open: scan.open(tile)
        case .look: scan.look(at: state.cut...(.infinity), of: tile, into: &candidates)
        case .setAside: scan.setAside(-.infinity...state.cut.nextDown, of: tile, into: &candidates)
        case .takeUp: scan.takeUp(state.cutAside...(.infinity), of: tile, into: &candidates)
        case .takeUpRest: scan.takeUp(-.infinity...state.cutAside.nextDown, of: tile, into: &candidates)
        case .cut, .cutAside, .merge, .score, .sharpen: break
        }
    }

    /// What the lanes do together, one after the other.
    private enum Step {
        /// Bounds of all rows by the first plane.
        case open
        /// Which of them are promising.
        case cut
        /// Follow these to their end.
        case look
        /// Sketches of the others.
        case setAside
        /// Which of those that are left are promising.
        case cutAside
        /// Follow these to their end.
        case takeUp
        /// The others.
        case takeUpRest
        case merge
        case score
        case sharpen

        var isByTile: Bool {
            switch self {
            case .open, .look, .setAside, .takeUp, .takeUpRest: true
            case .cut, .cutAside, .merge, .score, .sharpen: false
            }
        }
    }

    /// Parts in which lanes score a list.
    private static let scoreParts = 8

    /// What steps leave to later ones.
    ///
    /// SAFETY of `@unchecked Sendable`: each value is written in steps of one item, a part by the item of its number, and
    /// read in other steps.
    private final class State: @unchecked Sendable {
        final class Part: @unchecked Sendable {
            var scores: [Float] = []
        }

        /// Bounds above which rows are looked at before the others.
        var cut = Float.infinity
        var cutAside = Float.infinity
        /// Rows to be scored.
        var best: [Selection.Candidate] = []
        let parts = (0..<scoreParts).map { _ in Part() }
    }

    /// A bound that about `wanted` of `total` rows reach.
    ///
    /// - Parameter sample: every so manieth of the bounds.
    private static func cut(wanted: Int, of total: Int, sample: (Int) -> some Sequence<Float>) -> Float {
        let step = max(1, total / 2_048)
        let rank = max(1, wanted / step)
        // The greatest `rank` of the sample, descending: far fewer than there are, so most are passed over at once.
        var greatest: [Float] = []
        for bound in sample(step) where greatest.count < rank || bound > greatest[rank - 1] {
            greatest.insert(bound, at: index(for: bound, in: greatest))
            if greatest.count > rank { greatest.removeLast() }
        }
        // Above -∞, so that no row lies both above it and below.
        return max(greatest.last ?? 0, -.greatestFiniteMagnitude)
    }

    /// Where `bound` belongs in a descending list.
    private static func index(for bound: Float, in list: [Float]) -> Int {
        var range = 0..<list.count
        while !range.isEmpty {
            let middle = (range.lowerBound + range.upperBound) / 2
            range = list[middle] < bound ? range.lowerBound..<middle : middle + 1..<range.upperBound
        }
        return range.lowerBound
    }
}

/// Buffers for one tile, kept for the next search: fresh memory of this size costs more than the arithmetic on it.
///
/// SAFETY of `@unchecked Sendable`: a tile is an item of a step, which one thread works on at a time.
final class ScanTile: @unchecked Sendable {
    var scan = CodedScan(rows: FirstLook.tileRows, setsAside: true)

    static let pool = ScanTilePool()
}

/// Tiles that wait for the next search.
final class ScanTilePool: Sendable {
    /// Four searches at a time find theirs; 0.1 MB each.
    private static let mostTiles = 4 * FirstLook.mostRows / FirstLook.tileRows
    private let waiting = Mutex<[ScanTile]>([])

    func take(_ count: Int) -> [ScanTile] {
        let known = waiting.withLock { waiting in
            let known = Array(waiting.suffix(count))
            waiting.removeLast(known.count)
            return known
        }
        return known + (known.count..<count).map { _ in ScanTile() }
    }

    func give(back tiles: [ScanTile]) {
        waiting.withLock { $0 += tiles.prefix(max(0, Self.mostTiles - $0.count)) }
    }
}
