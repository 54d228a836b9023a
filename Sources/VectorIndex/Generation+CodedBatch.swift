internal import Synchronization
internal import VectorMath

/// Rows that all queries of a group meet while their codes are in the second-level cache: a multiple of the kernel's
/// twelve.
private let tileRows = 1_008
/// The first tile is small: it gives every query a threshold before the large tiles come.
private let firstTileRows = 252
/// Up to this share of pairs left it is quicker to follow them one by one than to read all planes for all: a pair that is
/// followed costs about as much as a dozen that are read through.
private let sparseShare = 0.08
/// Tiles until a smaller number of planes is tried again, at first; twice as many after each try in vain, up to the second.
private let firstPatience = 16
private let greatestPatience = 1_024
/// After so many rows, four times as many and so on, and at the end, lists that leave many rows in doubt are scored.
private let firstSharpening = 8_192
/// Candidates for each row that a list holds which are many.
private let doubtful = 2

extension Generation {
    /// Offers the rows of a segment that may enter to each query of a group, by bounds from codes.
    func scanCodes(of s: Int, _ codes: RowCodes, for group: [QueryScan]) {
        let segment = segments[s]
        // Of many queries each worker takes some: every one of them then sees all rows and has the best threshold. Of few
        // each worker takes all, over some of the rows.
        let workers = segment.count < 8 * tileRows ? 1 : WorkerThreads.processorCount
        let isByQuery = group.count >= workers * CodeBatch.groupSize
        let share = ((segment.count + workers - 1) / workers + 63) / 64 * 64
        let rows = (0..<workers).map { worker in
            isByQuery
                ? 0..<segment.count : min(worker * share, segment.count)..<min((worker + 1) * share, segment.count)
        }
        let queries = (0..<workers).map { worker in
            isByQuery ? group.count * worker / workers..<group.count * (worker + 1) / workers : group.indices
        }
        let coded = (0..<(isByQuery ? workers : 1)).map { part in
            CodedGroup(group[queries[part]].map(\.request), segment: segment, codes: codes, layout: layout)
        }
        let parts = WorkerThreads.map(workers) { worker in
            var pass = CodedBatchPass(
                self, s, codes: codes, coded: coded[isByQuery ? worker : 0], group: Array(group[queries[worker]]),
                capacity: tileRows)
            pass.run(over: rows[worker])
            return pass.found
        }
        for (worker, part) in parts.enumerated() {
            for (query, found) in zip(group[queries[worker]], part) {
                query.candidates.withLock { $0 += found.rows }
            }
        }
    }
}

/// One worker's pass over its rows for all queries of a group.
private struct CodedBatchPass: ~Copyable {
    private let generation: Generation
    private let s: Int
    private let codes: RowCodes
    private let coded: CodedGroup
    private let group: [QueryScan]
    private let planes: [CodeBatch.PlaneRows]
    private var survivors: CodeSurvivors
    private var scan = CodedScan()
    private(set) var found: [Candidates]
    /// Planes that the group reads together; rows that are left are followed through the others.
    private var depth: Int
    private var patience = firstPatience
    private var tilesToWait = 0

    init(
        _ generation: Generation, _ s: Int, codes: RowCodes, coded: CodedGroup, group: [QueryScan],
        capacity: Int
    ) {
        self.generation = generation
        self.s = s
        self.codes = codes
        self.coded = coded
        self.group = group
        planes = codes.planes.map {
            CodeBatch.PlaneRows(codes: $0.codes, records: $0.records, dimension: $0.coordinates.count)
        }
        survivors = CodeSurvivors(queryCount: coded.batch.paddedCount, capacity: capacity)
        // What earlier segments gave is the threshold to begin with.
        found = group.map { query in
            var bounds = generation.makeSelection(for: query.request.conditions)
            query.floor.lift(&bounds)
            return Candidates(bounds: bounds)
        }
        depth = coded.planes
    }

    mutating func run(over rows: Range<Int>) {
        var start = rows.lowerBound
        var nextSharpening = start + firstSharpening
        while start < rows.upperBound {
            let size = start == rows.lowerBound ? firstTileRows : tileRows
            let tile = start..<min(start + size, rows.upperBound)
            take(tile)
            start = tile.upperBound
            if start >= nextSharpening {
                for q in found.indices { sharpen(q) }
                nextSharpening = rows.lowerBound + 4 * (start - rows.lowerBound)
            }
        }
        for q in found.indices {
            group[q].floor.lift(&found[q].bounds)
            sharpen(q)
            found[q].prune()
            group[q].floor.lift(&found[q].bounds)
        }
    }

    /// Puts canonical scores in the place of lower bounds, which raises the threshold.
    private mutating func sharpen(_ q: Int) {
        found[q].prune()
        guard found[q].rows.count > doubtful * found[q].bounds.capacity else { return }
        let known = found[q].bounds.best()
        let scores = generation.scores(of: known, for: group[q].request.query)
        group[q].rescored.withLock { $0 += known.count }
        found[q].bounds.rescore(
            zip(known, scores).map { .init(score: $1, cluster: $0.cluster, slot: $0.slot) })
    }

    private mutating func take(_ tile: Range<Int>) {
        for q in group.indices { group[q].floor.lift(&found[q].bounds) }
        var pairs = read(tile)
        if depth < coded.planes, Double(pairs) > sparseShare * Double(tile.count * group.count) {
            // Too many are left to be followed one by one.
            depth = coded.planes
            patience = min(2 * patience, greatestPatience)
            tilesToWait = patience
            pairs = read(tile)
        }
        if pairs > 0 {
            for q in group.indices where survivors.count(of: q) > 0 { look(q, tile) }
        }
        // Not before the looks, which go on from as many planes as were read.
        if depth == coded.planes, coded.planes > 2 {
            tilesToWait -= 1
            if tilesToWait <= 0 { depth = 2 }
        }
    }

    /// Finds the pairs of the tile whose bounds after `depth` planes reach their thresholds; returns how many.
    private mutating func read(_ tile: Range<Int>) -> Int {
        var thresholds = [Float](repeating: .infinity, count: coded.batch.paddedCount)
        for q in group.indices {
            thresholds[q] = coded.need(found[q].bounds.threshold, query: q, planes: depth)
        }
        coded.batch.survivors(
            planes: planes, abilities: codes.abilities, rows: tile, weights: coded.weights(planes: depth),
            thresholds: thresholds, into: &survivors)
        return group.indices.reduce(0) { $0 + survivors.count(of: $1) }
    }

    private mutating func look(_ q: Int, _ rows: Range<Int>) {
        let tile = CodedScan.Tile(
            segment: generation.segments[s], codes: codes, rows: rows, offset: generation.offsets[s],
            coded: coded.queries[q], eligible: group[q].eligible[s], floor: group[q].floor)
        Self.consider(
            survivors, q, tile, extra: coded.weights(planes: depth).margins[q], planesRead: depth, &scan, &found[q])
        found[q].bounds.cut(atLeast: 32)
    }

    /// Apart from `self`, of which it reads one part and writes two.
    private static func consider(
        _ survivors: borrowing CodeSurvivors, _ q: Int, _ tile: CodedScan.Tile, extra: Float, planesRead: Int,
        _ scan: inout CodedScan, _ candidates: inout Candidates
    ) {
        survivors.read(q) { rows, partials in
            scan.consider(
                rows, partials: partials, extra: extra, planesRead: planesRead, of: tile, into: &candidates)
        }
    }
}
