internal import VectorMath

/// Which segments get codes, and along which axes.
package struct CodePolicy: Sendable {
    /// For fewer rows the axes are not worth fitting.
    package static var defaultLeastRows: Int { 4_096 }
    /// Once there are axes, smaller segments get codes too: scored in float32, 4,000 rows cost as much as 15,000 bounded.
    private static let leastRowsWithAxes = 256

    let leastRows: Int
    /// Whether float32 rows stay in a file, for want of memory, and sketches are done without.
    let memory: IndexMemory
    /// So many rows get sketches.
    var sketchesFrom: Int { memory == .lean ? .max : leastRows }
    /// The axes are fitted anew where the mean squared norm past the first plane has grown by this factor.
    private static let drift = 1.25

    /// Codes of rows that are new.
    func codes(of rows: FrozenBuffer<Float>, count: Int, layout: RowLayout, known: [Segment]) -> RowCodes? {
        let largest = known.max { $0.count < $1.count }?.codes
        let least = largest == nil ? leastRows : min(leastRows, Self.leastRowsWithAxes)
        guard count >= least, layout.embeddingCount <= CodeScan.greatestDimension else { return nil }
        if let largest {
            let codes = RowCodes(
                rows: rows, count: count, layout: layout, axes: largest.axes, sketchesFrom: sketchesFrom)
            if count < leastRows || codes.meanTail <= Self.drift * largest.axes.meanTail { return codes }
        }
        return fitted(rows, count: count, layout: layout)
    }

    /// Codes of rows that were merged: copied where all that have codes have the same axes and these still fit, else made
    /// anew. Sources too small to have codes get them for this.
    func codes(
        merging sources: [(segment: Segment, dead: Bitmap)], rows: FrozenBuffer<Float>, count: Int, layout: RowLayout,
        known: [Segment]
    ) -> RowCodes? {
        if let axes = sources.lazy.compactMap({ $0.segment.codes?.axes }).first {
            let parts = sources.map { source in
                (
                    codes: source.segment.codes
                        ?? RowCodes(
                            rows: source.segment.rows, count: source.segment.count, layout: layout, axes: axes,
                            sketchesFrom: .max),
                    dead: source.dead
                )
            }
            if let merged = RowCodes(merging: parts, sketchesFrom: sketchesFrom),
                count < leastRows || merged.meanTail <= Self.drift * merged.axes.meanTail
            {
                return merged
            }
        }
        return codes(of: rows, count: count, layout: layout, known: known)
    }

    /// Codes of all segments along the same axes, as a file keeps them: those that there are, where they still fit.
    ///
    /// - Returns: one for each segment; nil where the rows are too few to have codes.
    func common(of parts: [(segment: Segment, dead: Bitmap)], layout: RowLayout) -> [RowCodes]? {
        let live = parts.reduce(0) { $0 + $1.segment.count - $1.dead.population }
        let largest = parts.filter { $0.segment.codes != nil }.max { $0.segment.count < $1.segment.count }
        let axes = largest?.segment.codes?.axes
        guard live > 0, axes != nil || live >= leastRows, layout.embeddingCount <= CodeScan.greatestDimension else {
            return nil
        }
        if let axes {
            let codes = parts.map { part in
                if let own = part.segment.codes, own.axes === axes { return own }
                return RowCodes(
                    rows: part.segment.rows, count: part.segment.count, layout: layout, axes: axes,
                    sketchesFrom: sketchesFrom)
            }
            let tails = codes.reduce(0) { $0 + $1.meanTail * Double($1.count) }
            let count = codes.reduce(0) { $0 + $1.count }
            if live < leastRows || tails <= Self.drift * axes.meanTail * Double(count) { return codes }
        }
        let places = parts.indices.flatMap { p in
            (0..<parts[p].segment.count).lazy.filter { !parts[p].dead.contains($0) }.map { (part: p, row: $0) }
        }
        let fitted = fittedAxes(of: places.count, layout: layout) {
            (parts[places[$0].part].segment.rows, places[$0].row)
        }
        return fitted.map { axes in
            parts.map {
                RowCodes(
                    rows: $0.segment.rows, count: $0.segment.count, layout: layout, axes: axes,
                    sketchesFrom: sketchesFrom)
            }
        }
    }

    private func fitted(_ rows: FrozenBuffer<Float>, count: Int, layout: RowLayout) -> RowCodes? {
        fittedAxes(of: count, layout: layout) { (rows, $0) }
            .map { RowCodes(rows: rows, count: count, layout: layout, axes: $0, sketchesFrom: sketchesFrom) }
    }

    /// The axes of `count` rows, each of which is where `row` says.
    private func fittedAxes(
        of count: Int, layout: RowLayout, row: (Int) -> (rows: FrozenBuffer<Float>, row: Int)
    ) -> PrincipalAxes? {
        let width = layout.rowCount
        let sampled = min(count, PrincipalAxes.sampleRows)
        // Evenly spread: neighbours are often alike.
        var sample = AlignedBuffer<Float>(count: sampled * width, repeating: 0)
        for i in 0..<sampled {
            let (rows, row) = row(i * count / sampled)
            rows.read(row * width..<(row + 1) * width) { sample.write($0, at: i * width) }
        }
        return PrincipalAxes(
            sample: sample.span, rowCount: sampled, stride: width, embeddingCount: layout.embeddingCount)
    }
}
