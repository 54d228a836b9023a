internal import VectorMath

/// Rows that were written together and never change: the unit that generations share.
final class Segment: Sendable {
    let count: Int
    /// (count, layout.rowCount), row-major
    let rows: FrozenBuffer<Float>
    private let width: Int
    let ids: RowIDs
    /// Codes of the generation's cluster table.
    let clusters: [UInt32]
    let columns: AttributeColumns
    /// The greatest Euclidean norm of a row: what the first pass's error bound rests on.
    let greatestNorm: Double
    /// An 8-bit copy of the rows that bounds their scores; nil for few rows.
    let codes: RowCodes?

    /// - Parameter makeCodes: called with the rows (count, layout.rowCount) and their count.
    /// - Throws: `IndexError` naming the first item that does not fit the layout.
    init(
        items: [IndexItem], clusterCodes: [UInt32], layout: RowLayout,
        makeCodes: (FrozenBuffer<Float>, Int) -> RowCodes? = { _, _ in nil }
    ) throws(IndexError) {
        precondition(items.count == clusterCodes.count)
        var rows = AlignedBuffer<Float>(count: items.count * layout.rowCount, repeating: 0)
        var ids = RowIDs(capacity: items.count)
        var greatestNorm = 0.0
        for (row, item) in items.enumerated() {
            let norms = try Self.validate(item, layout: layout)
            guard ids.append(item.id) else { throw .duplicateID(item.id) }
            greatestNorm = max(
                greatestNorm, (norms.embedding * norms.embedding + norms.abilities * norms.abilities).squareRoot())
            switch item.source {
            case .values(let values): rows.write(values.span, at: row * layout.rowCount)
            case .snapshot(let stored, let index):
                stored.read(row: index) { rows.write($0, at: row * layout.rowCount) }
            }
            rows.write(item.abilities.span, at: row * layout.rowCount + layout.embeddingCount)
        }
        count = items.count
        self.ids = ids
        clusters = clusterCodes
        columns = try AttributeColumns(rows: items.map(\.attributes))
        self.rows = FrozenBuffer(rows)
        codes = makeCodes(self.rows, count)
        width = layout.rowCount
        self.greatestNorm = greatestNorm.nextUp
    }

    /// The rows of `sources` that are not in their dead sets, in order, as one segment.
    init(
        merging sources: [(segment: Segment, dead: Bitmap)], layout: RowLayout,
        makeCodes: (FrozenBuffer<Float>, Int) -> RowCodes? = { _, _ in nil }
    ) throws(IndexError) {
        let live = sources.reduce(0) { $0 + $1.segment.count - $1.dead.population }
        var ids = RowIDs(capacity: live)
        var clusters: [UInt32] = []
        clusters.reserveCapacity(live)
        for (segment, dead) in sources {
            dead.forEachRunOutside { run in
                clusters += segment.clusters[run]
                for row in run {
                    let isNew = ids.append(row, of: segment.ids)
                    precondition(isNew, "\(segment.ids[row]) lives twice")
                }
            }
        }
        count = live
        self.ids = ids
        self.clusters = clusters
        columns = try AttributeColumns(merging: sources.map { ($0.segment.columns, $0.dead) })
        rows = FrozenBuffer(living: sources.map { ($0.segment.rows, $0.dead) }, width: layout.rowCount)
        codes = makeCodes(rows, count)
        width = layout.rowCount
        greatestNorm = sources.reduce(0) { max($0, $1.segment.greatestNorm) }
    }

    /// What a file has of a segment.
    init(
        rows: FrozenBuffer<Float>, layout: RowLayout, ids: RowIDs, clusters: [UInt32], columns: AttributeColumns,
        greatestNorm: Double, codes: RowCodes?
    ) {
        precondition(rows.count == ids.count * layout.rowCount && clusters.count == ids.count)
        count = ids.count
        self.rows = rows
        width = layout.rowCount
        self.ids = ids
        self.clusters = clusters
        self.columns = columns
        self.greatestNorm = greatestNorm
        self.codes = codes
    }

    /// Calls `body` with consecutive rows, (rows.count, layout.rowCount).
    func read<Result>(rows range: Range<Int>, _ body: (Span<Float>) -> Result) -> Result {
        let floats = range.lowerBound * width..<range.upperBound * width
        // Rows one after the other come from the disk together.
        if range.count > 1 { rows.willNeed(floats) }
        return rows.read(floats, body)
    }

    /// Canonical scores of some rows, in their order.
    func score(_ query: Span<Float>, of which: Span<UInt32>, into scores: inout MutableSpan<Float>) {
        if rows.isMapped {
            for i in which.indices {
                let row = Int(which[i])
                rows.willNeed(row * width..<(row + 1) * width)
            }
        }
        rows.read(0..<count * width) { RowScan.canonicalScores(query: query, of: which, rows: $0, into: &scores) }
    }

    func row(of id: ItemID) -> Int? { ids.row(of: id) }

    /// Whether the float32 rows lie in a file.
    var isMapped: Bool { rows.isMapped }

    /// Checks both parts of an item and returns their norms, each 0 or within rounding of 1.
    private static func validate(
        _ item: IndexItem, layout: RowLayout
    ) throws(IndexError) -> (embedding: Double, abilities: Double) {
        let what = "the embedding of “\(item.id)”"
        let embedding: Double
        switch item.source {
        case .values(let values):
            embedding = try unitOrZeroNorm(values, count: layout.embeddingCount, what: what)
        case .snapshot(let rows, let row):
            guard rows.dimension == layout.embeddingCount else {
                throw .wrongDimension(what: what, expected: layout.embeddingCount, found: rows.dimension)
            }
            // Finite and of unit length, or it would not have become a row.
            embedding = rows.read(row: row) { RowScan.norm($0) }
        }
        let abilities = try unitOrZeroNorm(
            item.abilities, count: layout.abilityCount, what: "the ability vector of “\(item.id)”")
        return (embedding, abilities)
    }
}

/// Rounding of a normalised float32 vector, with room for float16 sources; anything further off is a mistake.
private let unitTolerance = 1e-3

/// The norm of a vector that must be absent, zero, or of unit length.
func unitOrZeroNorm(_ vector: [Float], count: Int, what: @autoclosure () -> String) throws(IndexError) -> Double {
    if vector.isEmpty { return 0 }
    guard vector.count == count else {
        throw .wrongDimension(what: what(), expected: count, found: vector.count)
    }
    var sum = 0.0
    for (position, value) in vector.enumerated() {
        guard value.isFinite else { throw .notFinite(what: what(), position: position) }
        sum += Double(value) * Double(value)
    }
    let norm = sum.squareRoot()
    guard norm == 0 || abs(norm - 1) <= unitTolerance else { throw .notUnitLength(what: what(), norm: norm) }
    return norm
}
