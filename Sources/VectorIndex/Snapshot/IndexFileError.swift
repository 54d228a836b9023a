package import VectorMath

/// Why an index file is not used.
///
/// None of these loses anything: the file is a copy, and what it is a copy of makes it anew.
package enum IndexFileError: Error, Equatable, CustomStringConvertible {
    case missing(path: String)
    case file(BlockFileError)
    /// Written by a newer program.
    case newerFormat(path: String, found: Int, supported: Int)
    case otherLayout(path: String)
    /// Rows, ids or attributes cannot be trusted.
    case damaged(path: String, part: String)

    package var description: String {
        switch self {
        case .missing(let path): "there is no index file \(path)"
        case .file(let error): "\(error)"
        case .newerFormat(let path, let found, let supported):
            "the index file \(path) has format \(found), this program reads formats up to \(supported)"
        case .otherLayout(let path): "the index file \(path) has rows of another size"
        case .damaged(let path, let part): "the index file \(path) is damaged: \(part)"
        }
    }
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
