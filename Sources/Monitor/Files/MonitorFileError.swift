/// Why one of the monitor's files cannot be read or written. Names line and column, never what stands there.
package struct MonitorFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The bounded set of reasons; raw values serve as metric labels.
    package enum Code: String, Sendable, CaseIterable {
        case missing
        /// The system does not let it be read, or it is no file.
        case unreadable
        case notWritten = "not_written"
        case diskFull = "disk_full"
        /// Somebody else is writing it.
        case busy
        case empty
        /// Not UTF-8, or with U+0000 in it, as what a crash of the system leaves is.
        case notText = "not_text"
        /// A line that is no JSON object of the fields that are known.
        case notJSON = "not_json"
        /// A quote that is never closed, or one where none may stand.
        case quoting
        case header
        /// A row with more or fewer cells than the header.
        case cells
        case missingKey = "missing_key"
        case duplicateKey = "duplicate_key"
        /// A row, or a text of one, that is longer than any that is read.
        case tooLong = "too_long"
        /// Some of its rows could not be taken in.
        case doubtful
    }

    package let code: Code
    /// The file's path.
    package let file: String
    /// From 1; quoted cells may hold lines of their own.
    package let line: Int?
    /// The column's name, or where it has none its number from 1.
    package let column: String?
    package let message: String

    package init(_ code: Code, file: String, line: Int? = nil, column: String? = nil, _ message: String) {
        self.code = code
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    /// Whether the file's content is at fault, and not the way to it: what to set aside.
    package var isDamage: Bool {
        switch code {
        case .missing, .unreadable, .notWritten, .diskFull, .busy: false
        case .empty, .notText, .notJSON, .quoting, .header, .cells, .missingKey, .duplicateKey, .tooLong, .doubtful:
            true
        }
    }

    package var description: String {
        let place = [line.map { "line \($0)" }, column.map { "column \($0)" }].compactMap { $0 }
        return place.isEmpty ? "\(file): \(message)" : "\(file), \(place.joined(separator: ", ")): \(message)"
    }
}
