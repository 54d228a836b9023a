/// The lines of a file in UTF-8, cut on bytes.
///
/// Swift's characters join CR and LF and know more line ends than these formats do, so a `String` is made of one line
/// at a time, which also says on which line bytes are not UTF-8.
struct RetrievalLines: Sequence, IteratorProtocol {
    struct Line {
        /// From 1.
        let number: Int
        /// Without its line end; nil where the bytes are not UTF-8.
        let text: String?
    }

    private let bytes: [UInt8]
    private var position = 0
    private var number = 0

    /// - Parameter bytes: of the file; a byte order mark and CR before LF are taken off.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// The next line that has anything but spaces in it.
    mutating func next() -> Line? {
        while position < bytes.count {
            number += 1
            var end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            let start = position
            position = end + 1
            if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            let line = bytes[start..<end]
            if line.allSatisfy({ $0 == UInt8(ascii: " ") }) { continue }
            return Line(number: number, text: String(validating: line, as: UTF8.self))
        }
        return nil
    }
}
