import VectorMath

// How the vectors of a model become rows of the index, and which rows may be compared.

/// An embedding space: everything that a row's numbers depend on besides the texts.
///
/// A row has 768 dimensions: one view of a 768-dimension model, or two of a 384-dimension one, each of unit length
/// and scaled by √weight. The cosine of two rows is then the weighted sum of the cosines of their views.
package struct EmbeddingSpace: Hashable, Sendable {
    /// Dimensions of every row.
    package static let rowDimension = 768

    /// One aspect of an item, embedded by itself.
    package struct View: Hashable, Sendable {
        package let name: String
        /// Its share in a row's cosine; the weights of a space add up to 1.
        package let weight: Double
    }

    package let modelID: String
    package let weightsSHA256: String
    package let pooling: String
    package let queryPrefix: String
    package let documentPrefix: String
    package let views: [View]
    /// How an item's texts become a view's vector where that is more than embedding one text; empty where it is not.
    package let composition: String
    package let precision: EncoderPrecision
    /// Dimensions of a view.
    package let viewDimension: Int
    /// Names the space: equal exactly where all of the above are equal.
    package let id: String

    /// The space of a model that gives vectors of `dimension` dimensions.
    ///
    /// - Parameters:
    ///   - weights: one positive number per view, scaled to a sum of 1; equal if not given.
    ///   - composition: a name for how several texts make one vector; another way is another space.
    ///   - precision: of the encoder.
    /// - Throws: `EmbedderError.unsupportedDimension` unless `dimension` is 384 or 768; `.invalidViews`.
    package init(
        modelID: String, weightsSHA256: String, pooling: String, queryPrefix: String = "", documentPrefix: String = "",
        dimension: Int, weights: [Double]? = nil, composition: String = "", precision: EncoderPrecision = .float32
    ) throws(EmbedderError) {
        let names: [String]
        switch dimension {
        case Self.rowDimension: names = ["what the work is and takes"]
        case Self.rowDimension / 2: names = ["what the work is", "what it takes"]
        default: throw .unsupportedDimension(dimension, supported: [Self.rowDimension / 2, Self.rowDimension])
        }
        let weights = weights ?? Array(repeating: 1, count: names.count)
        guard weights.count == names.count else {
            throw .invalidViews("\(weights.count) weights for \(names.count) views")
        }
        let sum = weights.reduce(0, +)
        guard weights.allSatisfy({ $0 > 0 }), sum.isFinite else {
            throw .invalidViews("every weight must be a positive number")
        }
        self.modelID = modelID
        self.weightsSHA256 = weightsSHA256
        self.pooling = pooling
        self.queryPrefix = queryPrefix
        self.documentPrefix = documentPrefix
        views = zip(names, weights).map { View(name: $0, weight: $1 / sum) }
        self.composition = composition
        self.precision = precision
        viewDimension = dimension

        // Each part after its length, so that no two lists of parts spell the same text.
        var parts = [modelID, weightsSHA256, pooling, queryPrefix, documentPrefix, String(dimension)]
        for view in views { parts += [view.name, String(view.weight.bitPattern, radix: 16)] }
        // Spaces of before there was a choice keep their ids. A precision comes after a composition always, be it an
        // empty one: alone, it would pass for one.
        if !composition.isEmpty || precision != .float32 { parts.append(composition) }
        if precision != .float32 { parts.append(precision.rawValue) }
        let description = parts.map { "\($0.utf8.count):\($0)" }.joined()
        id = modelID + "@" + SHA256.hash(Array(description.utf8)).prefix(16)
    }

    /// A row of 768 from one vector per view, which are brought to unit length; a missing one is replaced by another.
    ///
    /// - Throws: `EmbedderError.wrongDimension`; `.invalidViews` if all are missing or one has no direction.
    package func row(views vectors: [[Float]?]) throws(EmbedderError) -> [Float] {
        guard vectors.count == views.count else {
            throw .invalidViews("\(vectors.count) vectors for \(views.count) views")
        }
        guard let substitute = vectors.lazy.compactMap({ $0 }).first else {
            throw .invalidViews("every view is missing")
        }
        var row: [Float] = []
        row.reserveCapacity(Self.rowDimension)
        for (view, vector) in zip(views, vectors) {
            let vector = vector ?? substitute
            guard vector.count == viewDimension else { throw .wrongDimension(vector.count, expected: viewDimension) }
            let square = vector.reduce(0.0) { $0 + Double($1) * Double($1) }
            guard square > 0, square.isFinite else {
                throw .invalidViews("the vector of '\(view.name)' is zero or not finite")
            }
            let scale = Float((view.weight / square).squareRoot())
            for value in vector { row.append(value * scale) }
        }
        return row
    }

    /// The cosine of each view of two rows of this space; their sum weighted by `views` is the cosine of the rows.
    ///
    /// - Throws: `EmbedderError.differentSpaces` or `.wrongDimension`.
    package func viewCosines(_ one: SpaceVector, _ other: SpaceVector) throws(EmbedderError) -> [Double] {
        for vector in [one, other] {
            guard vector.spaceID == id else { throw .differentSpaces(vector.spaceID, id) }
            guard vector.values.count == Self.rowDimension else {
                throw .wrongDimension(vector.values.count, expected: Self.rowDimension)
            }
        }
        return views.indices.map { view in
            let range = view * viewDimension..<(view + 1) * viewDimension
            return SpaceVector.cosine(one.values[range], other.values[range])
        }
    }
}

/// A row together with the space it belongs to, so that rows of two spaces cannot be mixed up.
package struct SpaceVector: Hashable, Sendable {
    package let spaceID: String
    package let values: [Float]

    package init(spaceID: String, values: [Float]) {
        self.spaceID = spaceID
        self.values = values
    }

    /// The cosine of the two vectors, from -1 to 1; 0 if one of them is zero.
    ///
    /// - Throws: `EmbedderError.differentSpaces` or `.wrongDimension`.
    package func cosine(with other: SpaceVector) throws(EmbedderError) -> Double {
        guard spaceID == other.spaceID else { throw .differentSpaces(spaceID, other.spaceID) }
        guard values.count == other.values.count else {
            throw .wrongDimension(other.values.count, expected: values.count)
        }
        return Self.cosine(values[...], other.values[...])
    }

    static func cosine(_ one: ArraySlice<Float>, _ other: ArraySlice<Float>) -> Double {
        var dot = 0.0
        var squares = (0.0, 0.0)
        for (a, b) in zip(one, other) {
            dot += Double(a) * Double(b)
            squares.0 += Double(a) * Double(a)
            squares.1 += Double(b) * Double(b)
        }
        let lengths = (squares.0 * squares.1).squareRoot()
        return lengths > 0 ? min(max(dot / lengths, -1), 1) : 0
    }
}
