/// Why a snapshot is not read at all.
package enum SnapshotError: Error, Equatable, CustomStringConvertible {
    /// Written by a newer program: to be refused, never to be mended or overwritten.
    case newerFormat(found: Int, supported: Int)

    package var description: String {
        switch self {
        case .newerFormat(let found, let supported):
            """
            the stored embeddings have format \(found), this program reads formats up to \(supported); \
            use the program that wrote them, or a newer one
            """
        }
    }
}

/// Something of a snapshot that was found to be wrong and is left out.
package struct SnapshotDamage: Equatable, Sendable, CustomStringConvertible {
    /// The number of the block; nil where it concerns the snapshot as a whole.
    package let block: Int?
    /// The row within the block; nil where it concerns the block.
    package let row: Int?
    /// The row's item, where the key is known to be right.
    package let id: String?
    package let reason: Reason

    package init(block: Int?, row: Int? = nil, id: String? = nil, reason: Reason) {
        self.block = block
        self.row = row
        self.id = id
        self.reason = reason
    }

    package enum Reason: Error, Equatable, Sendable {
        // Of the snapshot.
        case rowTotal(expected: Int, found: Int)
        // Of blocks: none of their rows is read, but for the last three.
        case missing(through: Int)
        case numberOutOfRange
        case repeatedNumber
        case notABlock
        case headerChecksum
        case headerField(String)
        case blockChecksum
        case otherSpace(String)
        case otherGeneration(UInt64)
        case otherNumber(Int)
        case otherDimension(expected: Int, found: Int)
        /// All rows that are whole are read.
        case cutOff(bytes: Int)
        case trailingBytes(Int)
        case padding
        case rowCount(stored: Int, found: Int)
        // Of rows.
        case keyChecksum
        case keyText
        case rowChecksum
        case rowCutOff
        case notFinite
        case notUnitLength(squaredNorm: Double)
        case repeatedID
    }

    package var description: String {
        var subject = block.map { "block \($0)" } ?? "the stored embeddings"
        if let row { subject += ", row \(row)" }
        if let id { subject += " (“\(id)”)" }
        return "\(subject): \(reason)"
    }
}

extension SnapshotDamage.Reason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .rowTotal(let expected, let found): "the blocks have \(found) rows where \(expected) were written"
        case .missing(let last): "missing, as is all up to block \(last)"
        case .numberOutOfRange: "no block has such a number"
        case .repeatedNumber: "a block of the same number came before"
        case .notABlock: "does not begin as a block of embeddings does"
        case .headerChecksum: "the header has another checksum than was written"
        case .headerField(let name): "the header has an impossible \(name)"
        case .blockChecksum: "the block has another checksum than was written"
        case .otherSpace(let space): "belongs to the embedding space “\(space)”"
        case .otherGeneration(let generation): "belongs to generation \(generation)"
        case .otherNumber(let number): "says that it is block \(number)"
        case .otherDimension(let expected, let found): "has rows of \(found) numbers where \(expected) are expected"
        case .cutOff(let bytes): "ends after \(bytes) bytes"
        case .trailingBytes(let count): "\(count) bytes follow its end"
        case .padding: "bytes that must be zero are not"
        case .rowCount(let stored, let found): "has \(found) rows where the database says \(stored)"
        case .keyChecksum: "the key has another checksum than was written"
        case .keyText: "the key is no text"
        case .rowChecksum: "the numbers have another checksum than was written"
        case .rowCutOff: "the block ends before it"
        case .notFinite: "has a value that is not a finite number"
        case .notUnitLength(let squared): "has squared length \(squared), not 1"
        case .repeatedID: "another row is of the same item"
        }
    }
}
