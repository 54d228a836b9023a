internal import VectorMath

/// Which segments get codes, and along which axes.
package struct CodePolicy: Sendable {
    /// For fewer rows the axes are not worth fitting.
    package static var defaultLeastRows: Int { 4_096 }
    /// Once there are axes, smaller segments get codes too: scored in float32, 4,000 rows cost as much as 15,000 bounded.
    private static let leastRowsWithAxes = 256

    let leastRows: Int
    /// The axes are fitted anew where the mean squared norm past the first plane has grown by this factor.
    private static let drift = 1.25

    /// Codes of rows that are new.
    func codes(of rows: FrozenBuffer<Float>, count: Int, layout: RowLayout, known: [Segment]) -> RowCodes? {
        let largest = known.max { $0.count < $1.count }?.codes
        let least = largest == nil ? leastRows : min(leastRows, Self.leastRowsWithAxes)
        guard count >= least, layout.embeddingCount <= CodeScan.greatestDimension else { return nil }
        if let largest {
            let codes = RowCodes(rows: rows, count: count, layout: layout, axes: largest.axes)
            if count < leastRows || codes.meanTail <= Self.drift * largest.axes.meanTail { return codes }
        }
        return fitted(rows, count: count, layout: layout)
    }

    /// Codes of rows that were merged: copied where all have the same axes that still fit, else made anew.
    func codes(
        merging sources: [(segment: Segment, dead: Bitmap)], rows: FrozenBuffer<Float>, count: Int, layout: RowLayout,
        known: [Segment]
    ) -> RowCodes? {
        if let merged = RowCodes(merging: sources.map { ($0.segment.codes, $0.dead) }),
            count < leastRows || merged.meanTail <= Self.drift * merged.axes.meanTail
        {
            return merged
        }
        return codes(of: rows, count: count, layout: layout, known: known)
    }

    private func fitted(_ rows: FrozenBuffer<Float>, count: Int, layout: RowLayout) -> RowCodes? {
        let width = layout.rowCount
        let sampled = min(count, PrincipalAxes.sampleRows)
        // Evenly spread: neighbours are often alike.
        var sample = AlignedBuffer<Float>(count: sampled * width, repeating: 0)
        for i in 0..<sampled {
            let row = i * count / sampled
            rows.read(row * width..<(row + 1) * width) { sample.write($0, at: i * width) }
        }
        let axes = PrincipalAxes(
            sample: sample.span, rowCount: sampled, stride: width, embeddingCount: layout.embeddingCount)
        return axes.map { RowCodes(rows: rows, count: count, layout: layout, axes: $0) }
    }
}
