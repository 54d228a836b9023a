internal import Synchronization
internal import VectorMath

/// One worker's pass over coded rows: finds the candidates whose bounds say that they may enter the result.
struct CodedScan: ~Copyable {
    /// Rows bounded at a time: enough that the best of the first tile tell much, few enough that the bounds stay in the
    /// second-level cache.
    static let tileRows = 16_384

    /// A bound of each row of the tile, or of each row that is left.
    private var upper: [Float]
    /// The part of the bound that later planes add to.
    private var partial: [Float]
    private var chosen: [UInt32]
    /// Rows of the tile that are left, ascending.
    private var left: [UInt32]
    /// Bounds of all rows of the tile after the first plane, while a first choice of them is looked at.
    private var firstUpper: [Float]
    private var firstPartial: [Float]

    /// - Parameter rows: of a tile at most.
    init(rows: Int = tileRows) {
        upper = [Float](repeating: 0, count: rows)
        partial = upper
        chosen = [UInt32](repeating: 0, count: rows)
        left = chosen
        firstUpper = upper
        firstPartial = upper
    }

    /// Finds those rows of a tile that may enter the result.
    ///
    /// - Parameter rows: of the segment, at most as many as the buffers have room for.
    mutating func scan(
        _ segment: Segment, codes: RowCodes, rows: Range<Int>, offset: Int, coded: CodedQuery,
        eligible: Bitmap?, floor: SharedFloor, into candidates: inout Candidates
    ) {
        let count = rows.count
        boundFirstPlane(codes, rows: rows, coded: coded)
        floor.lift(&candidates.bounds)
        // Before anything is known every row may enter, so the most promising ones are looked at first.
        if candidates.bounds.threshold == -.infinity,
            let cut = promisingBound(count: count, wanted: candidates.bounds.capacity)
        {
            look(
                at: cut...(.infinity), of: rows, segment, codes, offset: offset, coded: coded,
                eligible: eligible, floor: floor, into: &candidates)
            candidates.bounds.cut()
            floor.lift(&candidates.bounds)
            look(
                at: -.infinity...cut.nextDown, of: rows, segment, codes, offset: offset, coded: coded,
                eligible: eligible, floor: floor, into: &candidates)
        } else {
            look(
                at: -.infinity...(.infinity), of: rows, segment, codes, offset: offset, coded: coded,
                eligible: eligible, floor: floor, into: &candidates)
        }
    }

    /// Bounds of all rows of a tile, to be looked at later: above a cut, then below it.
    mutating func open(_ codes: RowCodes, rows: Range<Int>, coded: CodedQuery) {
        boundFirstPlane(codes, rows: rows, coded: coded)
    }

    /// Some of the bounds that `open` found, evenly spread.
    func sample(of count: Int, every step: Int) -> [Float] {
        stride(from: 0, to: count, by: step).map { firstUpper[$0] }
    }

    /// Finds those rows of an opened tile that may enter the result and whose first bound lies in `range`.
    mutating func look(
        at range: ClosedRange<Float>, of rows: Range<Int>, _ segment: Segment, codes: RowCodes, offset: Int,
        coded: CodedQuery, eligible: Bitmap?, floor: SharedFloor, into candidates: inout Candidates
    ) {
        floor.lift(&candidates.bounds)
        look(
            at: range, of: rows, segment, codes, offset: offset, coded: coded, eligible: eligible, floor: floor,
            into: &candidates)
    }

    /// Bounds of all rows of the tile, from their abilities and the first plane.
    private mutating func boundFirstPlane(_ codes: RowCodes, rows: Range<Int>, coded: CodedQuery) {
        if coded.weighsAbilities {
            Self.scoreAbilities(codes, rows: rows, coded: coded, into: &firstPartial)
        }
        Self.bound(
            codes.planes[0], coded.planes[0], rows: rows, hasBase: coded.weighsAbilities, partial: &firstPartial,
            upper: &firstUpper)
    }

    /// A bound that about `wanted` rows of the tile reach, from a sample of them; nil where it would be most of them.
    private func promisingBound(count: Int, wanted: Int) -> Float? {
        guard count >= 4 * wanted else { return nil }
        let step = max(1, count / 1_024)
        var sample = stride(from: 0, to: count, by: step).map { firstUpper[$0] }
        sample.sort(by: >)
        return sample[min(sample.count - 1, wanted * sample.count / count)]
    }

    /// Follows the rows whose first bound lies in `range` plane by plane.
    private mutating func look(
        at range: ClosedRange<Float>, of rows: Range<Int>, _ segment: Segment, _ codes: RowCodes, offset: Int,
        coded: CodedQuery, eligible: Bitmap?, floor: SharedFloor, into candidates: inout Candidates
    ) {
        let count = start(range, rows: rows, eligible: eligible, clusters: segment.clusters, candidates.bounds)
        finish(
            count, planesRead: 1, of: rows, segment, codes, offset: offset, coded: coded, floor: floor,
            into: &candidates)
    }

    /// Follows rows whose first planes were read elsewhere.
    ///
    /// - Parameters:
    ///   - found: rows of the tile, ascending, counted from its first.
    ///   - partials: the sums of their planes.
    ///   - extra: what these have in them for a query that was read in 8 bits.
    mutating func consider(
        _ found: Span<UInt32>, partials: Span<Float>, extra: Float, planesRead: Int, of rows: Range<Int>,
        _ segment: Segment,
        codes: RowCodes, offset: Int, coded: CodedQuery, eligible: Bitmap?, floor: SharedFloor,
        into candidates: inout Candidates
    ) {
        let margin = coded.planes[planesRead - 1].margin
        var count = 0
        for k in found.indices {
            let row = rows.lowerBound + Int(found[k])
            if let eligible, !eligible.contains(row) { continue }
            left[count] = found[k]
            partial[count] = partials[k]
            // With all planes read there is no tail; before, what follows makes the bound.
            upper[count] = partials[k] + margin
            count += 1
        }
        if planesRead == codes.planes.count {
            count = keep(count, rows: rows, clusters: segment.clusters, candidates.bounds)
        }
        finish(
            count, planesRead: planesRead, of: rows, segment, codes, offset: offset, extra: extra, coded: coded,
            floor: floor, into: &candidates)
    }

    /// Follows the rows that are left through the planes not read yet; those that remain are candidates.
    private mutating func finish(
        _ started: Int, planesRead: Int, of rows: Range<Int>, _ segment: Segment, _ codes: RowCodes, offset: Int,
        extra: Float = 0, coded: CodedQuery, floor: SharedFloor, into candidates: inout Candidates
    ) {
        var count = started
        for p in planesRead..<max(planesRead, codes.planes.count) where count > 0 {
            floor.lift(&candidates.bounds)
            follow(codes.planes[p], coded.planes[p], rows: rows, count: count)
            count = keep(count, rows: rows, clusters: segment.clusters, candidates.bounds)
        }
        let spread = coded.spread(extra: extra)
        for i in 0..<count {
            let row = rows.lowerBound + Int(left[i])
            let cluster = segment.clusters[row]
            // The threshold rises meanwhile.
            guard candidates.bounds.mayEnter(upper[i], cluster: cluster) else { continue }
            candidates.add(
                .init(score: upper[i], cluster: cluster, slot: UInt32(offset + row)), atLeast: upper[i] - spread)
        }
    }

    /// Fills `left` and its bounds with the rows of the tile that may enter; returns how many.
    private mutating func start(
        _ range: ClosedRange<Float>, rows: Range<Int>, eligible: Bitmap?, clusters: [UInt32], _ selection: Selection
    ) -> Int {
        let least = max(range.lowerBound, selection.threshold)
        let found = Self.select(from: firstUpper, count: rows.count, atLeast: least, into: &chosen)
        var count = 0
        for k in 0..<found {
            let index = Int(chosen[k])
            let row = rows.lowerBound + index
            let bound = firstUpper[index]
            if bound > range.upperBound { continue }
            if let eligible, !eligible.contains(row) { continue }
            guard selection.mayEnter(bound, cluster: clusters[row]) else { continue }
            left[count] = UInt32(index)
            upper[count] = bound
            partial[count] = firstPartial[index]
            count += 1
        }
        return count
    }

    /// Adds a plane to the bounds of the rows that are left.
    private mutating func follow(_ plane: RowCodes.Plane, _ query: CodedPlaneQuery, rows: Range<Int>, count: Int) {
        // All of them: nothing is picked, and memory is read straight through.
        if count == rows.count {
            Self.bound(plane, query, rows: rows, hasBase: true, partial: &partial, upper: &upper)
        } else {
            Self.bound(plane, query, rows: rows, of: left, count: count, partial: &partial, upper: &upper)
        }
    }

    /// Drops the rows whose bound says that they cannot enter; returns how many are left.
    private mutating func keep(_ count: Int, rows: Range<Int>, clusters: [UInt32], _ selection: Selection) -> Int {
        let found = Self.select(from: upper, count: count, atLeast: selection.threshold, into: &chosen)
        if found == count, !selection.hasClusterFloors { return count }
        var kept = 0
        for k in 0..<found {
            let i = Int(chosen[k])
            guard selection.mayEnter(upper[i], cluster: clusters[rows.lowerBound + Int(left[i])]) else { continue }
            left[kept] = left[i]
            upper[kept] = upper[i]
            partial[kept] = partial[i]
            kept += 1
        }
        return kept
    }
}

// Steps on buffers alone: each takes what it reads and what it writes apart, as exclusive access demands.
extension CodedScan {
    private static func scoreAbilities(
        _ codes: RowCodes, rows: Range<Int>, coded: CodedQuery, into scores: inout [Float]
    ) {
        var all = scores.mutableSpan
        var out = all._mutatingExtracting(0..<rows.count)
        codes.abilities.read(rows.lowerBound * codes.abilityWidth..<rows.upperBound * codes.abilityWidth) {
            if codes.abilityWidth == CodeScan.abilityWidth {
                CodeScan.scoreAbilities(coded.abilities.span, rows: $0, into: &out)
            } else {
                RowScan.canonicalScores(query: coded.abilities.span, rows: $0, into: &out)
            }
        }
    }

    private static func bound(
        _ plane: RowCodes.Plane, _ query: CodedPlaneQuery, rows: Range<Int>, hasBase: Bool,
        partial: inout [Float], upper: inout [Float]
    ) {
        var allPartial = partial.mutableSpan
        var partialOut = allPartial._mutatingExtracting(0..<rows.count)
        var allUpper = upper.mutableSpan
        var upperOut = allUpper._mutatingExtracting(0..<rows.count)
        plane.read(rows) { codes, records in
            CodeScan.bounds(
                query, codes: codes, records: records, hasBase: hasBase, partial: &partialOut, upper: &upperOut)
        }
    }

    private static func bound(
        _ plane: RowCodes.Plane, _ query: CodedPlaneQuery, rows: Range<Int>, of which: [UInt32],
        count: Int, partial: inout [Float], upper: inout [Float]
    ) {
        let which = which.span.extracting(0..<count)
        var allPartial = partial.mutableSpan
        var partialOut = allPartial._mutatingExtracting(0..<count)
        var allUpper = upper.mutableSpan
        var upperOut = allUpper._mutatingExtracting(0..<count)
        plane.read(rows) { codes, records in
            CodeScan.bounds(
                query, of: which, codes: codes, records: records, hasBase: true, partial: &partialOut, upper: &upperOut)
        }
    }

    private static func select(
        from bounds: [Float], count: Int, atLeast least: Float,
        into chosen: inout [UInt32]
    ) -> Int {
        var indices = chosen.mutableSpan
        return RowScan.select(scores: bounds.span.extracting(0..<count), atLeast: least, into: &indices)
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
