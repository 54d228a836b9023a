internal import VectorIndex

/// The vectors of a knowledge base's titles in 8 bits: what is stored, and by definition what is searched.
///
/// A vector is its codes scaled to unit length. Rounded once, when the knowledge base is made, titles are the same on
/// every machine that reads them, at a quarter of float32's bytes.
package struct TitleCodes: Sendable, Hashable {
    package let dimension: Int
    /// (titles, dimension), from -127 to 127.
    package let codes: [Int8]

    package var count: Int { codes.count / dimension }

    /// - Parameter codes: (titles, dimension).
    package init(dimension: Int, codes: [Int8]) {
        precondition(dimension > 0 && codes.count % dimension == 0, "titles have \(dimension) codes each")
        self.dimension = dimension
        self.codes = codes
    }

    /// Rounds unit vectors, each of `dimension` floats.
    package init(dimension: Int, rounding vectors: [[Float]]) {
        var codes: [Int8] = []
        codes.reserveCapacity(vectors.count * dimension)
        for vector in vectors {
            precondition(vector.count == dimension, "a title's vector has \(vector.count) numbers, not \(dimension)")
            codes += CodedVectors.codes(rounding: vector)
        }
        self.init(dimension: dimension, codes: codes)
    }

    /// A title's codes: (dimension).
    package func codes(of title: Int) -> ArraySlice<Int8> { codes[title * dimension..<(title + 1) * dimension] }

    /// A title's unit vector; all zero where its codes are.
    package func vector(of title: Int) -> [Float] {
        let row = codes(of: title)
        let square = row.reduce(0) { $0 + Int($1) * Int($1) }
        guard square > 0 else { return [Float](repeating: 0, count: dimension) }
        let scale = 1 / Double(square).squareRoot()
        return row.map { Float(Double($0) * scale) }
    }
}
