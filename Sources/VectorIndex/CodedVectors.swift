internal import Synchronization
internal import VectorMath

/// Rows looked at at a time, after their first bounds.
private let blockRows = 1_024
/// With fewer rows the axes are not worth fitting.
private let leastRowsWithAxes = 4_096
/// So many rows with the greatest first bounds, or about so many, are read whole before all others: what they reach rules
/// most of these out.
private let seeds = 128
/// Every so manieth bound tells which are the greatest.
private let sampleStep = 16

/// Vectors of 8 bits a coordinate and unit length: finds those nearest to a query by cosine, exactly.
///
/// A vector *is* its codes over their norm, and a query its coordinates in 32,640 steps; what the two have in common is
/// summed in whole numbers, so that a cosine is the same on every CPU. The first coordinates of each vector along the
/// principal axes of all, and the length of the rest, rule most vectors out before their codes are read.
///
/// Frozen; any number of threads may read.
package struct CodedVectors: Sendable {
    package struct Neighbour: Sendable, Hashable {
        package let row: Int
        package let cosine: Float

        package init(row: Int, cosine: Float) {
            self.row = row
            self.cosine = cosine
        }
    }

    package let count: Int
    /// Coordinates of a vector and of a query.
    package let dimension: Int
    /// `dimension` and zeros up to whole steps of the kernels.
    private let width: Int
    /// (count, width): the codes plus 128.
    private let codes: FrozenBuffer<UInt8>
    /// (count, 4): one over the norm of the codes, and zeros: codes leave nothing out.
    private let records: FrozenBuffer<Float>
    private let leading: LeadingCodes?
    private let spaces: SearchSpaces

    /// - Parameters:
    ///   - dimension: 1 to `greatestDimension`.
    ///   - codes: (count, dimension), from -127 to 127; a row of zeros has a cosine of 0 to everything.
    /// - Complexity: O(count · dimension²) for many rows.
    package init(dimension: Int, codes: [Int8]) {
        precondition((1...Self.greatestDimension).contains(dimension) && codes.count % dimension == 0)
        let step = CodeScan.dimensionGranularity
        let width = (dimension + step - 1) / step * step
        let count = codes.count / dimension
        var bytes = AlignedBuffer<UInt8>(count: count * width, repeating: 128)
        var records = AlignedBuffer<Float>(count: count * CodeScan.recordCount, repeating: 0)
        for row in 0..<count {
            var square = 0
            for i in 0..<dimension {
                let code = Int(codes[row * dimension + i])
                square += code * code
                bytes[row * width + i] = UInt8(code + 128)
            }
            records[row * CodeScan.recordCount] = square > 0 ? Float(1 / Double(square).squareRoot()) : 0
        }
        self.count = count
        self.dimension = dimension
        self.width = width
        self.codes = FrozenBuffer(bytes)
        self.records = FrozenBuffer(records)
        leading = count >= leastRowsWithAxes ? LeadingCodes(self.codes, self.records, count: count, width: width) : nil
        spaces = SearchSpaces(rows: leading == nil ? 0 : count)
    }

    package static var greatestDimension: Int { CodeScan.greatestDimension }

    /// A vector in 8 bits: its greatest coordinate becomes 127 or -127. (dimension), finite.
    package static func codes(rounding vector: [Float]) -> [Int8] {
        let greatest = Double(vector.reduce(0) { max($0, abs($1)) })
        let scale = greatest > 0 ? 127 / greatest : 0
        return vector.map { Int8(clamping: Int((Double($0) * scale).rounded())) }
    }

    /// The nearest vectors, the greatest cosine first and equal ones in the order of rows.
    ///
    /// On this thread alone: to wake another one takes about as long as its half of the work
    /// (docs/decisions/0026-nearest-titles.md).
    ///
    /// - Parameter query: (dimension), of any length; nothing is near one without direction, with numbers that are not
    ///   finite, or of another dimension.
    package func nearest(to query: [Float], count limit: Int) -> [Neighbour] {
        query.count == dimension
            ? CodedVectorsQuery(query, width: width, leading: leading).map { search($0, count: limit) } ?? [] : []
    }

    /// The same for each of several queries, which the processors share.
    package func nearest(to queries: [[Float]], count limit: Int) -> [[Neighbour]] {
        WorkerThreads.map(queries.count) { nearest(to: queries[$0], count: limit) }
    }

    private func search(_ query: CodedVectorsQuery, count limit: Int) -> [Neighbour] {
        let limit = min(limit, count)
        guard limit > 0 else { return [] }
        var best = NearestList(limit: limit)
        let space = spaces.take()
        defer { spaces.give(back: space) }
        guard let leading, let leadingQuery = query.leading else {
            forEachBlock { block in
                space.left.fill(block.count)
                add(&space.left, of: block, query.whole, to: &best)
            }
            return best.neighbours
        }
        space.write { leading.bounds(of: 0..<count, leadingQuery, into: &$0) }
        let cut = space.greatest(max(seeds, 2 * limit))
        forEachBlock { block in
            space.fill(cut...(.infinity), leading, leadingQuery, block)
            add(&space.left, of: block, query.whole, to: &best)
        }
        forEachBlock { block in
            guard best.threshold < cut else { return }
            space.fill(best.threshold...cut.nextDown, leading, leadingQuery, block)
            leading.drop(from: &space.left, of: block, leadingQuery, below: best.threshold)
            add(&space.left, of: block, query.whole, to: &best)
        }
        return best.neighbours
    }

    private func forEachBlock(_ body: (Range<Int>) -> Void) {
        for start in stride(from: 0, to: count, by: blockRows) { body(start..<min(start + blockRows, count)) }
    }

    /// Reads rows of a block whole.
    private func add(
        _ left: inout BoundedRows, of block: Range<Int>, _ query: CodedPlaneQuery, to best: inout NearestList
    ) {
        guard left.count > 0 else { return }
        left.write { which, partial, upper in
            codes.read(block.lowerBound * width..<block.upperBound * width) { codes in
                records.read(block.lowerBound * CodeScan.recordCount..<block.upperBound * CodeScan.recordCount) {
                    CodeScan.bounds(
                        query, of: which, codes: codes, records: $0, hasBase: false, partial: &partial, upper: &upper)
                }
            }
        }
        for i in 0..<left.count where left.partial(i) >= best.threshold {
            best.add(Neighbour(row: block.lowerBound + Int(left.row(i)), cosine: left.partial(i)))
        }
    }
}

/// What one thread writes while it searches.
///
/// SAFETY of `@unchecked Sendable`: a search takes one for itself and gives it back when it is done.
private final class SearchSpace: @unchecked Sendable {
    var left = BoundedRows(capacity: blockRows)
    private let rows: Int
    private let bounds: SharedScratch<Float>

    /// - Parameter rows: that get bounds.
    init(rows: Int) {
        self.rows = rows
        bounds = SharedScratch(count: rows, repeating: 0)
    }

    /// Calls `body` with the bounds, to be written.
    func write(_ body: (inout MutableSpan<Float>) -> Void) { bounds.write(body) }

    /// A bound that about `wanted` rows reach.
    func greatest(_ wanted: Int) -> Float {
        let rank = wanted / sampleStep
        guard rank * sampleStep < rows else { return -.greatestFiniteMagnitude }
        // The greatest `rank` of the sample, ascending: far fewer than there are, so most are passed over at once.
        var greatest = [Float](repeating: -.greatestFiniteMagnitude, count: rank)
        bounds.read { bounds in
            for i in stride(from: 0, to: bounds.count, by: sampleStep) where bounds[i] > greatest[0] {
                var place = 0
                while place + 1 < rank, greatest[place + 1] < bounds[i] {
                    greatest[place] = greatest[place + 1]
                    place += 1
                }
                greatest[place] = bounds[i]
            }
        }
        return greatest[0]
    }

    /// Leaves the rows of a block whose bounds lie in `range`.
    func fill(
        _ range: ClosedRange<Float>, _ leading: LeadingCodes, _ query: LeadingCodes.Query, _ block: Range<Int>
    ) {
        bounds.read { leading.fill(&left, range, of: $0.extracting(block), block, query) }
    }
}

/// Spaces that wait for the next search: fresh memory costs more than what is written to it.
private final class SearchSpaces: Sendable {
    /// So many threads at a time find theirs.
    private static let most = max(8, WorkerThreads.processorCount)
    private let rows: Int
    private let waiting = Mutex<[SearchSpace]>([])

    init(rows: Int) { self.rows = rows }

    func take() -> SearchSpace {
        waiting.withLock { $0.popLast() } ?? SearchSpace(rows: rows)
    }

    func give(back space: SearchSpace) {
        waiting.withLock { if $0.count < Self.most { $0.append(space) } }
    }
}

/// A query as it meets coded vectors: whole, where its bound is their cosine, and by the first principal axes.
private struct CodedVectorsQuery: Sendable {
    let whole: CodedPlaneQuery
    let leading: LeadingCodes.Query?

    /// - Parameter query: (width) or fewer.
    /// - Returns: nil for a query of no direction.
    init?(_ query: [Float], width: Int, leading codes: LeadingCodes?) {
        let norm = RowScan.norm(query.span)
        guard norm > 0, norm.isFinite else { return nil }
        let unit = query.map { Float(Double($0) / norm) } + [Float](repeating: 0, count: width - query.count)
        whole = CodedPlaneQuery(unit.span)
        leading = codes?.query(unit, missing: 1.001 * whole.residual)
    }
}

/// The nearest so far, in order.
private struct NearestList: Sendable {
    let limit: Int
    private(set) var neighbours: [CodedVectors.Neighbour] = []

    init(limit: Int) { self.limit = limit }

    /// A smaller cosine cannot enter any more.
    var threshold: Float {
        guard let last = neighbours.last, neighbours.count >= limit else { return -.infinity }
        return last.cosine
    }

    mutating func add(_ neighbour: CodedVectors.Neighbour) {
        var range = 0..<neighbours.count
        while !range.isEmpty {
            let middle = (range.lowerBound + range.upperBound) / 2
            let other = neighbours[middle]
            let isBefore = (other.cosine, neighbour.row) < (neighbour.cosine, other.row)
            range = isBefore ? range.lowerBound..<middle : middle + 1..<range.upperBound
        }
        guard range.lowerBound < limit else { return }
        neighbours.insert(neighbour, at: range.lowerBound)
        if neighbours.count > limit { neighbours.removeLast() }
    }
}
