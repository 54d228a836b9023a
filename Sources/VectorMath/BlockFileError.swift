/// Why a file of checksummed blocks could not be read or written.
package enum BlockFileError: Error, Equatable, CustomStringConvertible {
    /// The system refused: what was tried, on which file, and its number for why.
    case system(operation: String, path: String, code: Int32)
    /// The file ends before what is to be read.
    case cutOff(path: String)
    /// Another process writes it now.
    case busy(path: String)
    /// The block, counted from the first of what was to be read, has another checksum than was written.
    case checksum(block: Int)

    package var description: String {
        switch self {
        case .system(let operation, let path, let code): "\(operation) \(path): \(Self.text(of: code))"
        case .cutOff(let path): "\(path) is shorter than it says"
        case .busy(let path): "another process writes \(path)"
        case .checksum(let block): "block \(block) has another checksum than was written"
        }
    }
}
