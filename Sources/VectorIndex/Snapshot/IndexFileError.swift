package import VectorMath

/// Why an index file is not used, or not written.
///
/// None of these loses anything: the file is a copy, and what it is a copy of makes it anew.
package enum IndexFileError: Error, Equatable, CustomStringConvertible {
    case missing(path: String)
    /// It could not be read.
    case file(BlockFileError)
    /// Written by a newer program.
    case newerFormat(path: String, found: Int, supported: Int)
    case otherLayout(path: String)
    /// Rows, ids or attributes cannot be trusted.
    case damaged(path: String, part: String)
    /// The system did not let it be written; what was there is still there.
    case notSaved(path: String, cause: BlockFileError)
    /// The index holds what no file can.
    case unwritable(path: String, reason: String)

    package var description: String {
        switch self {
        case .missing(let path): "there is no index file \(path)"
        case .file(let error): "\(error)"
        case .newerFormat(let path, let found, let supported):
            "the index file \(path) has format \(found), this program reads formats up to \(supported); "
                + Self.madeAnew
        case .otherLayout(let path): "the index file \(path) has rows of another size; \(Self.madeAnew)"
        case .damaged(let path, let part): "the index file \(path) is damaged: \(part); \(Self.madeAnew)"
        case .notSaved(let path, let cause):
            "the index cannot be written to \(path): \(cause); check that the folder is there and may be written to, "
                + "that the disk has room, and that no other process uses the file"
        case .unwritable(let path, let reason): "the index cannot be written to \(path): \(reason)"
        }
    }

    private static let madeAnew = "it is made anew from the database"
}

/// Where the float32 rows of an index are.
package enum IndexMemory: String, Sendable, CaseIterable {
    /// In memory, beside their codes.
    case full
    /// In the index file, mapped: memory holds the codes alone, and what the system keeps of the file.
    case lean
}

/// What came of reading an index file.
package struct IndexFileReading: Sendable {
    package let index: LiveIndex
    /// What the file was said to be of when it was written.
    package let fingerprint: String
    /// Why codes were made anew, in words; nil where those of the file are used, or none are due.
    package let codesRemade: String?
    package let bytes: Int
}

/// What was written.
package struct IndexFileWriting: Sendable, Equatable {
    package let rows: Int
    package let bytes: Int
}
