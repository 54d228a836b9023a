internal import Synchronization
internal import VectorMath

/// One worker's pass over coded rows: finds the candidates whose bounds say that they may enter the result.
struct CodedScan: ~Copyable {
    /// Rows bounded at a time: enough that the best of the first tile tell much, few enough that the bounds stay in the
    /// second-level cache.
    static let tileRows = 16_384

    /// All rows of the tile after the first step.
    private var all: BoundedRows
    /// Those that are left, ascending.
    private var left: BoundedRows
    /// Those that were set aside, ascending.
    private var aside: BoundedRows

    /// - Parameters:
    ///   - rows: of a tile at most.
    ///   - setsAside: whether `setAside` is called.
    init(rows: Int = tileRows, setsAside: Bool = false) {
        all = BoundedRows(capacity: rows)
        left = BoundedRows(capacity: rows)
        aside = BoundedRows(capacity: setsAside ? rows : 0)
    }

    /// The rows of one segment that a tile holds, and how the query meets them.
    struct Tile {
        let segment: Segment
        let codes: RowCodes
        /// Of the segment.
        let rows: Range<Int>
        /// Slot of the segment's first row.
        let offset: Int
        let coded: CodedQuery
        /// The rows of the segment that may be found; nil for all.
        let eligible: Bitmap?
        let floor: SharedFloor
    }

    /// Finds those rows of a tile that may enter the result.
    mutating func scan(_ tile: Tile, into candidates: inout Candidates) {
        open(tile)
        tile.floor.lift(&candidates.bounds)
        // Before anything is known every row may enter, so the most promising ones are looked at first.
        if candidates.bounds.threshold == -.infinity,
            let cut = promisingBound(count: tile.rows.count, wanted: candidates.bounds.capacity)
        {
            look(at: cut...(.infinity), of: tile, into: &candidates)
            candidates.bounds.cut()
            look(at: -.infinity...cut.nextDown, of: tile, into: &candidates)
        } else {
            look(at: -.infinity...(.infinity), of: tile, into: &candidates)
        }
    }

    /// Bounds of all rows of a tile by their abilities and the first step, to be looked at later: above a cut, then
    /// below it.
    mutating func open(_ tile: Tile) {
        all.fill(tile.rows.count)
        let coded = tile.coded
        all.write { _, partial, upper in
            if coded.weighsAbilities { Self.scoreAbilities(tile.codes, rows: tile.rows, coded: coded, into: &partial) }
            Self.take(
                coded.steps[0], tile, of: nil, hasBase: coded.weighsAbilities, partial: &partial, upper: &upper)
        }
    }

    /// Some of the bounds that `open` found, evenly spread.
    func sample(every step: Int) -> [Float] { all.sample(every: step) }

    /// Finds those rows of an opened tile that may enter the result and whose first bound lies in `range`.
    mutating func look(at range: ClosedRange<Float>, of tile: Tile, into candidates: inout Candidates) {
        start(range, tile, &candidates)
        finish(tile.coded.steps.dropFirst(), tile, into: &candidates)
    }

    /// Reads the sketches of those rows of an opened tile whose first bound lies in `range`, and sets aside what may still
    /// enter. Where there are no sketches, follows the rows to their end.
    mutating func setAside(_ range: ClosedRange<Float>, of tile: Tile, into candidates: inout Candidates) {
        start(range, tile, &candidates)
        follow(tile.coded.steps.dropFirst().prefix { $0.bits == .upper }, tile, &candidates)
        if !tile.codes.hasSketches { finish(tile.coded.steps.dropFirst(), tile, into: &candidates) }
        swap(&aside, &left)
    }

    var asideCount: Int { aside.count }

    /// Some of the bounds of the rows set aside, evenly spread.
    func asideSample(every step: Int) -> [Float] { aside.sample(every: step) }

    /// Follows those rows set aside whose bound lies in `range`.
    mutating func takeUp(_ range: ClosedRange<Float>, of tile: Tile, into candidates: inout Candidates) {
        tile.floor.lift(&candidates.bounds)
        Self.take(range, of: aside, into: &left, candidates.bounds)
        drop(tile, candidates.bounds)
        finish(tile.coded.steps.drop { $0.bits == .upper }, tile, into: &candidates)
    }

    /// A bound that about `wanted` rows of the tile reach, from a sample of them; nil where it would be most of them.
    private func promisingBound(count: Int, wanted: Int) -> Float? {
        guard count >= 4 * wanted else { return nil }
        var sample = all.sample(every: max(1, count / 1_024))
        sample.sort(by: >)
        return sample[min(sample.count - 1, wanted * sample.count / count)]
    }

    /// Follows rows whose first planes were read elsewhere.
    ///
    /// - Parameters:
    ///   - found: rows of the tile, ascending, counted from its first.
    ///   - partials: the sums of their planes.
    ///   - extra: what these have in them for a query that was read in 8 bits.
    mutating func consider(
        _ found: Span<UInt32>, partials: Span<Float>, extra: Float, planesRead: Int, of tile: Tile,
        into candidates: inout Candidates
    ) {
        let margin = tile.coded.planes[planesRead - 1].margin
        left.removeAll()
        for k in found.indices {
            if let eligible = tile.eligible, !eligible.contains(tile.rows.lowerBound + Int(found[k])) { continue }
            // With all planes read there is no tail; before, what follows makes the bound.
            left.append(row: found[k], upper: partials[k] + margin, partial: partials[k])
        }
        if planesRead == tile.codes.planes.count { drop(tile, candidates.bounds) }
        finish(tile.coded.codeSteps.dropFirst(planesRead), tile, extra: extra, into: &candidates)
    }

    /// Leaves the rows of the opened tile that may enter.
    private mutating func start(_ range: ClosedRange<Float>, _ tile: Tile, _ candidates: inout Candidates) {
        tile.floor.lift(&candidates.bounds)
        Self.take(range, of: all, into: &left, candidates.bounds)
        if let eligible = tile.eligible {
            left.keep { row, _ in eligible.contains(tile.rows.lowerBound + Int(row)) }
        }
        dropByCluster(tile, candidates.bounds)
    }

    /// Takes steps for the rows that are left, and drops those that cannot enter any more.
    private mutating func follow(_ steps: ArraySlice<CodedStep>, _ tile: Tile, _ candidates: inout Candidates) {
        for step in steps where left.count > 0 {
            tile.floor.lift(&candidates.bounds)
            // All of them: nothing is picked, and memory is read straight through.
            let isWhole = left.count == tile.rows.count && step.bits != .lower
            left.write { rows, partial, upper in
                Self.take(
                    step, tile, of: isWhole ? nil : rows, hasBase: true, partial: &partial, upper: &upper)
            }
            drop(tile, candidates.bounds)
        }
    }

    /// Follows the rows that are left through `steps`; those that remain are candidates.
    private mutating func finish(
        _ steps: ArraySlice<CodedStep>, _ tile: Tile, extra: Float = 0, into candidates: inout Candidates
    ) {
        follow(steps, tile, &candidates)
        let spread = tile.coded.spread(extra: extra)
        for i in 0..<left.count {
            let row = tile.rows.lowerBound + Int(left.row(i))
            let cluster = tile.segment.clusters[row]
            let upper = left.upper(i)
            // The threshold rises meanwhile.
            guard candidates.bounds.mayEnter(upper, cluster: cluster) else { continue }
            candidates.add(
                .init(score: upper, cluster: cluster, slot: UInt32(tile.offset + row)), atLeast: upper - spread)
        }
        left.removeAll()
    }

    /// Drops the rows whose bound says that they cannot enter.
    private mutating func drop(_ tile: Tile, _ selection: Selection) {
        if selection.threshold > -.infinity { left.keep(selection.threshold...(.infinity)) }
        dropByCluster(tile, selection)
    }

    private mutating func dropByCluster(_ tile: Tile, _ selection: Selection) {
        guard selection.hasClusterFloors else { return }
        left.keep(above: selection.clusterFloors, clusters: tile.segment.clusters, from: tile.rows.lowerBound)
    }
}

// Steps on buffers alone: each takes what it reads and what it writes apart, as exclusive access demands.
extension CodedScan {
    /// The rows of `other` whose bounds lie in `range` and may enter.
    private static func take(
        _ range: ClosedRange<Float>, of other: borrowing BoundedRows, into left: inout BoundedRows,
        _ selection: Selection
    ) {
        let least = max(range.lowerBound, selection.threshold)
        if least <= range.upperBound { left.take(least...range.upperBound, of: other) } else { left.removeAll() }
    }

    private static func scoreAbilities(
        _ codes: RowCodes, rows: Range<Int>, coded: CodedQuery, into scores: inout MutableSpan<Float>
    ) {
        codes.abilities.read(rows.lowerBound * codes.abilityWidth..<rows.upperBound * codes.abilityWidth) {
            if codes.abilityWidth == CodeScan.abilityWidth {
                CodeScan.scoreAbilities(coded.abilities.span, rows: $0, into: &scores)
            } else {
                RowScan.canonicalScores(query: coded.abilities.span, rows: $0, into: &scores)
            }
        }
    }

    /// Takes a step for some rows of a tile, or (nil) for all.
    private static func take(
        _ step: CodedStep, _ tile: Tile, of which: Span<UInt32>?, hasBase: Bool, partial: inout MutableSpan<Float>,
        upper: inout MutableSpan<Float>
    ) {
        let plane = tile.codes.planes[step.plane]
        if step.bits == .upper {
            plane.readSketches(tile.rows) {
                SketchScan.bounds(
                    step.query, of: which, sketches: $0, hasBase: hasBase, partial: &partial, upper: &upper)
            }
            return
        }
        plane.read(tile.rows) { codes, records in
            if step.bits == .lower, let which {
                CodeScan.refine(
                    step.query, of: which, codes: codes, records: records, partial: &partial, upper: &upper)
            } else if let which {
                CodeScan.bounds(
                    step.query, of: which, codes: codes, records: records, hasBase: hasBase, partial: &partial,
                    upper: &upper)
            } else {
                CodeScan.bounds(
                    step.query, codes: codes, records: records, hasBase: hasBase, partial: &partial, upper: &upper)
            }
        }
    }
}

/// The greatest threshold that any worker of a search has reached: no row below it can enter the merged result.
final class SharedFloor: Sendable {
    private let value = Atomic((-Float.infinity).bitPattern)

    /// Raises both to the greater of the two.
    func lift(_ selection: inout Selection) {
        let own = selection.threshold
        var known = value.load(ordering: .relaxed)
        while Float(bitPattern: known) < own {
            let (exchanged, found) = value.compareExchange(
                expected: known, desired: own.bitPattern, ordering: .relaxed)
            known = exchanged ? own.bitPattern : found
        }
        selection.raise(to: Float(bitPattern: known))
    }
}
