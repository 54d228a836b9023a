internal import VectorMath

/// An 8-bit copy of a segment's rows along principal axes, plane by plane, that bounds their inner products.
///
/// Plane p of a row holds `scale · c ≈` its coordinates, the norm of what that leaves out, and the norm of the
/// coordinates past the plane. Abilities are kept as they are, so their share of a score is exact for every α.
final class RowCodes: Sendable {
    struct Plane: Sendable {
        let coordinates: Range<Int>
        /// (rows, coordinates.count)
        let codes: FrozenBuffer<UInt8>
        /// (rows, 4): scale, residual, tail, coarse residual.
        let records: FrozenBuffer<Float>
        /// Of all rows.
        let greatestResidual: Float
        /// The upper five bits of the codes, (rows, `SketchScan.rowBytes`): what a search reads first where rows are many.
        private(set) var sketches: FrozenBuffer<UInt8>?

        init(
            coordinates: Range<Int>, codes: FrozenBuffer<UInt8>, records: FrozenBuffer<Float>, greatestResidual: Float
        ) {
            self.coordinates = coordinates
            self.codes = codes
            self.records = records
            self.greatestResidual = greatestResidual
        }

        mutating func addSketches() {
            sketches = SketchScan.sketches(of: codes, records: records, dimension: coordinates.count)
        }

        var bytesPerRow: Int {
            coordinates.count + CodeScan.recordCount * 4
                + (sketches == nil ? 0 : SketchScan.rowBytes(coordinates.count))
        }

        /// Calls `body` with the sketches of some rows, where there are any.
        func readSketches(_ rows: Range<Int>, _ body: (Span<UInt8>) -> Void) {
            let width = SketchScan.rowBytes(coordinates.count)
            sketches?.read(rows.lowerBound * width..<rows.upperBound * width, body)
        }

        /// Calls `body` with the codes and the records of some rows.
        func read(_ rows: Range<Int>, _ body: (Span<UInt8>, Span<Float>) -> Void) {
            let width = coordinates.count
            codes.read(rows.lowerBound * width..<rows.upperBound * width) { codes in
                records.read(rows.lowerBound * CodeScan.recordCount..<rows.upperBound * CodeScan.recordCount) {
                    body(codes, $0)
                }
            }
        }
    }

    let axes: PrincipalAxes
    let count: Int
    let planes: [Plane]
    /// (rows, abilityWidth): abilities and zeros.
    let abilities: FrozenBuffer<Float>
    /// Floats of a row's abilities, a multiple of 16; 0 where items have none.
    let abilityWidth: Int
    /// The greatest norm of a row's embedding.
    let greatestEmbeddingNorm: Double
    /// Mean over the rows of the squared norm past the first plane: grows when the axes fit no more.
    let meanTail: Double

    /// Rows mapped at a time.
    private static let tileRows = 2_048

    /// Bytes that a row takes besides its float32 form.
    var bytesPerRow: Int {
        planes.reduce(abilityWidth * 4) { $0 + $1.bytesPerRow }
    }

    /// Whether a search can read sketches before codes.
    var hasSketches: Bool { planes.allSatisfy { $0.sketches != nil } }

    /// A third, a sixth, a half: what a first look needs, what most doubts need, the rest.
    static func planes(of coordinateCount: Int) -> [Range<Int>] {
        let isWide =
            coordinateCount % SketchScan.dimensionGranularity == 0
            && coordinateCount >= 3 * SketchScan.dimensionGranularity
        let step = isWide ? SketchScan.dimensionGranularity : CodeScan.dimensionGranularity
        guard coordinateCount >= 3 * step else { return [0..<coordinateCount] }
        let first = max(step, coordinateCount / 3 / step * step)
        let second = first + max(step, coordinateCount / 6 / step * step)
        return [0..<first, first..<second, second..<coordinateCount]
    }

    /// Planes with sketches, where there are rows enough that reading less of each matters.
    private static func sketched(_ planes: [Plane], count: Int, from least: Int) -> [Plane] {
        guard count >= least, SketchScan.isWorthwhile,
            planes.allSatisfy({ $0.coordinates.count % SketchScan.dimensionGranularity == 0 })
        else { return planes }
        var planes = planes
        for p in planes.indices { planes[p].addSketches() }
        return planes
    }

    static func abilityWidth(_ layout: RowLayout) -> Int {
        (layout.abilityCount + RowScan.dimensionGranularity - 1) / RowScan.dimensionGranularity
            * RowScan.dimensionGranularity
    }

    /// - Parameters:
    ///   - rows: (count, layout.rowCount).
    ///   - sketchesFrom: so many rows get sketches.
    init(
        rows: FrozenBuffer<Float>, count: Int, layout: RowLayout, axes: PrincipalAxes, sketchesFrom: Int
    ) {
        let width = layout.rowCount
        let coordinateCount = axes.coordinateCount
        let builders = Self.planes(of: coordinateCount).map { PlaneBuilder($0, count: count) }
        let abilityWidth = Self.abilityWidth(layout)
        var abilities = AlignedBuffer<Float>(count: count * abilityWidth, repeating: 0)
        var mapped = AlignedBuffer<Float>(count: Self.tileRows * coordinateCount, repeating: 0)
        var greatest = 0.0
        var tails = 0.0
        var start = 0
        while start < count {
            let tile = start..<min(start + Self.tileRows, count)
            var all = mapped.mutableSpan
            var coordinates = all._mutatingExtracting(0..<tile.count * coordinateCount)
            rows.read(tile.lowerBound * width..<tile.upperBound * width) { source in
                axes.map(source, rowCount: tile.count, stride: width, into: &coordinates)
                for i in 0..<tile.count {
                    for k in 0..<layout.abilityCount {
                        abilities[(tile.lowerBound + i) * abilityWidth + k] =
                            source[i * width + layout.embeddingCount + k]
                    }
                }
            }
            let done = coordinates.span
            for i in 0..<tile.count {
                let row = done.extracting(i * coordinateCount..<(i + 1) * coordinateCount)
                // From the last plane to the first, so that each knows the tail past it.
                var tail = 0.0
                for p in builders.indices.reversed() {
                    if p == 0 { tails += tail }
                    tail += builders[p].add(row, at: tile.lowerBound + i, tail: tail)
                }
                greatest = max(greatest, tail)
            }
            start = tile.upperBound
        }
        self.axes = axes
        self.count = count
        planes = Self.sketched(builders.map { $0.plane() }, count: count, from: sketchesFrom)
        self.abilities = FrozenBuffer(abilities)
        self.abilityWidth = abilityWidth
        // Mapped coordinates are off by less than a thousandth (`PrincipalAxes.error`).
        greatestEmbeddingNorm = greatest.squareRoot() * 1.001 + 0x1p-60
        meanTail = count > 0 ? tails / Double(count) : 0
    }

    /// Codes that were made before.
    ///
    /// - Parameters:
    ///   - planes: as `planes(of:)` cuts the coordinates, each with codes and records of `count` rows.
    ///   - abilities: (count, abilityWidth)
    ///   - sketchesFrom: so many rows get sketches.
    init(
        axes: PrincipalAxes, count: Int, planes: [Plane], abilities: FrozenBuffer<Float>, abilityWidth: Int,
        greatestEmbeddingNorm: Double, meanTail: Double, sketchesFrom: Int
    ) {
        precondition(planes.map(\.coordinates) == Self.planes(of: axes.coordinateCount))
        precondition(abilities.count == count * abilityWidth)
        self.axes = axes
        self.count = count
        self.planes = Self.sketched(planes, count: count, from: sketchesFrom)
        self.abilities = abilities
        self.abilityWidth = abilityWidth
        self.greatestEmbeddingNorm = greatestEmbeddingNorm
        self.meanTail = meanTail
    }

    /// The codes of the rows of `sources` that are not in their dead sets, in order; nil unless all have the same axes.
    ///
    /// - Parameter sketchesFrom: so many rows get sketches.
    init?(merging sources: [(codes: RowCodes?, dead: Bitmap)], sketchesFrom: Int) {
        guard let first = sources.first?.codes, sources.allSatisfy({ $0.codes?.axes === first.axes }) else {
            return nil
        }
        let known = sources.compactMap { source in source.codes.map { (codes: $0, dead: source.dead) } }
        axes = first.axes
        abilityWidth = first.abilityWidth
        count = known.reduce(0) { $0 + $1.codes.count - $1.dead.population }
        let planes = first.planes.indices.map { p in
            let range = first.planes[p].coordinates
            return Plane(
                coordinates: range,
                codes: FrozenBuffer(living: known.map { ($0.codes.planes[p].codes, $0.dead) }, width: range.count),
                records: FrozenBuffer(
                    living: known.map { ($0.codes.planes[p].records, $0.dead) }, width: CodeScan.recordCount),
                greatestResidual: known.reduce(0) { max($0, $1.codes.planes[p].greatestResidual) })
        }
        self.planes = Self.sketched(planes, count: count, from: sketchesFrom)
        abilities = FrozenBuffer(living: known.map { ($0.codes.abilities, $0.dead) }, width: first.abilityWidth)
        greatestEmbeddingNorm = known.reduce(0) { max($0, $1.codes.greatestEmbeddingNorm) }
        let rows = known.reduce(0) { $0 + $1.codes.count }
        meanTail = known.reduce(0) { $0 + $1.codes.meanTail * Double($1.codes.count) } / Double(max(rows, 1))
    }
}

/// One plane while its rows are added.
final class PlaneBuilder {
    private let coordinates: Range<Int>
    private var codes: AlignedBuffer<UInt8>
    private var records: AlignedBuffer<Float>
    private var greatestResidual: Float = 0

    init(_ coordinates: Range<Int>, count: Int) {
        self.coordinates = coordinates
        codes = AlignedBuffer(count: count * coordinates.count, repeating: 128)
        records = AlignedBuffer(count: count * CodeScan.recordCount, repeating: 0)
    }

    /// - Parameter tail: squared norm of the coordinates past this plane.
    /// - Returns: the squared norm of this plane's coordinates.
    func add(_ row: Span<Float>, at position: Int, tail: Double) -> Double {
        let part = row.extracting(coordinates)
        var all = codes.mutableSpan
        var target = all._mutatingExtracting(position * part.count..<(position + 1) * part.count)
        let (record, squaredNorm) = CodeScan.quantise(part, into: &target)
        let start = position * CodeScan.recordCount
        records[start] = record.scale
        records[start + 1] = record.residual
        greatestResidual = max(greatestResidual, record.residual)
        records[start + 2] = tail == 0 ? 0 : Float(tail.squareRoot() * (1 + 1e-12)).nextUp
        records[start + 3] = record.coarseResidual
        return squaredNorm
    }

    func plane() -> RowCodes.Plane {
        var frozenCodes = AlignedBuffer<UInt8>(count: 0, repeating: 0)
        var frozenRecords = AlignedBuffer<Float>(count: 0, repeating: 0)
        swap(&frozenCodes, &codes)
        swap(&frozenRecords, &records)
        return RowCodes.Plane(
            coordinates: coordinates, codes: FrozenBuffer(frozenCodes), records: FrozenBuffer(frozenRecords),
            greatestResidual: greatestResidual)
    }
}
