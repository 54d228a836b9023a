internal import VectorMath

/// What a scan reads next of the rows that are left.
struct CodedStep: Sendable {
    enum Bits: Sendable {
        /// Whole codes of a plane.
        case all
        /// Its sketches: the upper five bits of the codes.
        case upper
        /// The lower three bits, for rows whose sketches were read before.
        case lower
    }

    let plane: Int
    let bits: Bits
    /// With the weights of this step.
    let query: CodedPlaneQuery
}

/// A query as it meets the codes of rows that have the same axes.
struct CodedQuery: Sendable {
    /// One for each plane; what each adds to a bound covers every error there is.
    let planes: [CodedPlaneQuery]
    /// What a search for this query alone reads, in order.
    let steps: [CodedStep]
    /// The same by whole codes alone, a step for each plane.
    let codeSteps: [CodedStep]
    /// What residuals make the bounds of a row differ by at most.
    private let residualSpread: Float
    /// All errors there are besides the residuals and tails of rows.
    private let errors: Float
    /// Along the axes: (coordinateCount).
    let coordinates: [Float]
    /// (abilityWidth): the weighted abilities and zeros.
    let abilities: [Float]
    /// Whether the abilities add anything to a score.
    let weighsAbilities: Bool

    /// How many deviations an approximate search takes for certain: what lies past a plane adds more to one row in
    /// fifty thousand, were it normally distributed.
    static let deviations = 4.0

    /// - Parameters:
    ///   - coordinates: the query's embedding along the axes of the codes.
    ///   - greatestRowNorm: of a whole row, abilities included.
    ///   - isApproximate: take what the planes left unread may add for what is likely, not for what is possible.
    init(
        _ query: FusedQuery, coordinates all: [Float], codes: RowCodes, layout: RowLayout, greatestRowNorm: Double,
        isApproximate: Bool
    ) {
        let axes = codes.axes
        coordinates = all
        let coordinates = all.span
        let embeddingNorm = RowScan.norm(query.row.span.extracting(0..<layout.embeddingCount))

        var planes = codes.planes.map { CodedPlaneQuery(coordinates.extracting($0.coordinates)) }
        // Codes of a row are at most a tenth longer than the row: half a step a coordinate. With sketches it is four steps,
        // of which the greatest coordinate has 127, and no plane has more than 1,024: a row's sketch is at most twice as
        // long as the row.
        let greatestLength = codes.hasSketches ? 2.1 : 1.1
        let queryResidual = planes.reduce(0) { $0 + $1.residual }
        let errors =
            axes.error * embeddingNorm * codes.greatestEmbeddingNorm
            + queryResidual * greatestLength * codes.greatestEmbeddingNorm
            // The canonical score's own rounding, and that of the abilities' share.
            + Double(
                RowScan.firstPassError(dimension: layout.rowCount, queryNorm: query.norm, rowNorm: greatestRowNorm))
            // A dozen float32 operations on terms below (‖q‖ + residual)(‖x‖ + residual).
            + 0x1p-18 * query.norm * (1 + greatestRowNorm)
        var tail = 0.0
        var likely = 0.0
        var spread: Float = 0
        for p in planes.indices.reversed() {
            let part = coordinates.extracting(codes.planes[p].coordinates)
            let norm = RowScan.norm(part)
            let weight = Float(norm * (1 + 1e-9)).nextUp
            if isApproximate {
                planes[p].margin = Float(errors + Self.deviations * likely.squareRoot())
                // What codes leave out of each coordinate is as likely above as below.
                planes[p].residualWeight = Float(Self.deviations * norm / Double(part.count).squareRoot())
                planes[p].coarseWeight = planes[p].residualWeight
            } else {
                planes[p].residualWeight = weight
                planes[p].coarseWeight = weight
                planes[p].tailWeight = tail == 0 ? 0 : Float(tail.squareRoot() * (1 + 1e-9)).nextUp
                planes[p].margin = Float(errors).nextUp
            }
            spread += (weight + planes[p].residualWeight) * codes.planes[p].greatestResidual
            tail += norm * norm
            for i in codes.planes[p].coordinates {
                likely += Double(axes.variances[i]) * Double(coordinates[i]) * Double(coordinates[i])
            }
        }
        self.planes = planes
        codeSteps = planes.indices.map { CodedStep(plane: $0, bits: .all, query: planes[$0]) }
        if codes.hasSketches {
            let lower = planes.indices.map { p in
                // Nothing is unread any more.
                var query = planes[p]
                query.tailWeight = 0
                query.margin = Float(errors).nextUp
                return CodedStep(plane: p, bits: .lower, query: query)
            }
            steps = planes.indices.map { CodedStep(plane: $0, bits: .upper, query: planes[$0]) } + lower
        } else {
            steps = codeSteps
        }
        residualSpread = spread
        self.errors = Float(errors).nextUp
        var abilities = [Float](repeating: 0, count: codes.abilityWidth)
        for i in 0..<layout.abilityCount { abilities[i] = query.row[layout.embeddingCount + i] }
        self.abilities = abilities
        weighsAbilities = abilities.contains { $0 != 0 }
    }
}

extension CodedQuery {
    /// How far below its upper bound the score of a row may be at most, all planes read.
    ///
    /// - Parameter extra: what the bound has besides for a query that was read in 8 bits.
    func spread(extra: Float) -> Float {
        // Rounded sums of a few terms are off by less than a millionth of what they are.
        (residualSpread + 2 * (errors + extra)) * 1.000_001
    }
}

/// Maps queries onto the axes of segments, once for each axes: most segments share theirs.
struct QueryMapping {
    private var known: [(axes: PrincipalAxes, coordinates: [Float])] = []

    mutating func coordinates(of query: FusedQuery, along axes: PrincipalAxes) -> [Float] {
        if let found = known.first(where: { $0.axes === axes }) { return found.coordinates }
        let coordinates = axes.coordinates(of: query.row)
        known.append((axes, coordinates))
        return coordinates
    }
}
