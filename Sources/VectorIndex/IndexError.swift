/// What can be wrong with a row, a query or a filter.
package enum IndexError: Error, Equatable, CustomStringConvertible {
    case wrongDimension(what: String, expected: Int, found: Int)
    case notFinite(what: String, position: Int)
    /// Neither of unit length nor zero, so its inner product would be no cosine.
    case notUnitLength(what: String, norm: Double)
    /// Nothing was asked: all weights or all parts of the query are zero, so no row is closer than another.
    case zeroQuery
    case weightOutOfRange(what: String, value: Float)
    case negativeCount(what: String, value: Int)
    case unknownAttribute(String, known: [String])
    case attributeKind(String, expected: String)
    case duplicateID(ItemID)

    package var description: String {
        switch self {
        case .wrongDimension(let what, let expected, let found):
            "\(what) has \(found) numbers; this index takes \(expected)"
        case .notFinite(let what, let position):
            "\(what) has a value at position \(position) that is not a finite number"
        case .notUnitLength(let what, let norm):
            "\(what) has length \(norm); scale it to length 1, or leave it out"
        case .zeroQuery:
            "the query is empty: give a text or abilities, and a weight above 0 for what you give"
        case .weightOutOfRange(let what, let value):
            "\(what) is \(value); it must lie between 0 and 1"
        case .negativeCount(let what, let value):
            "\(what) is \(value); it cannot be negative"
        case .unknownAttribute(let name, let known):
            "there is no attribute “\(name)” to filter on; known are \(known.joined(separator: ", "))"
        case .attributeKind(let name, let expected):
            "the attribute “\(name)” holds \(expected)"
        case .duplicateID(let id):
            "the id “\(id)” is given twice in one change"
        }
    }
}
