internal import Crypto
internal import Platform
package import Store

/// Reads students from JSON Lines: one object a line, its fields named as the columns of `StudentFile`.
///
/// `user_id` and `interests` must be there; any other field that is not there, or null, is empty. Ids may be numbers, and
/// interests a list. What `pathlight export recommendations` writes besides is passed over; any other name is a mistake, since a field that
/// is spelled wrongly would else empty what is stored. A value: a copy goes on from the same place.
package struct StudentLineReader: Sendable {
    /// Ours, in files that we wrote.
    private static let passedOver: Set<String> = [
        "recommendations", "career_recommendations", "origin", "last_updated", "recommendation_count",
    ]
    private static let fields = Array(StudentRow.shape.columns.prefix(StudentRow.shape.inputColumns))
    private static let maximumLine = 4 << 20
    private static let pieceBytes = 1 << 16

    private let file: OpenedFile
    private var offset = 0
    private var hash = SHA256()
    /// Read and not yet given out, from `place` on.
    private var buffer: [UInt8] = []
    private var place = 0
    private(set) var line = 0
    private var isAtEnd = false
    private var seen: Set<TableReader.KeyMark> = []

    /// - Throws: `MonitorFileError`
    package init(_ path: String) throws { file = try OpenedFile(path) }

    /// Of what was read; of the whole file once there is no more line.
    package var digest: FileDigest { FileDigest(hash, bytes: Int64(offset)) }

    /// The next student; nil at the end.
    ///
    /// - Throws: `MonitorFileError`; there is nothing to be had behind it.
    package mutating func next() throws -> StudentInput? {
        while let bytes = try nextLine() {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw failure(.notText, "the line is not UTF-8")
            }
            if TableShape.isEmpty(text) { continue }
            let student = try self.student(in: text)
            guard seen.insert(TableReader.KeyMark(student.userID)).inserted else {
                throw failure(
                    .duplicateKey, column: "user_id", "a line before this one has the same user_id; remove one of them")
            }
            return student
        }
        return nil
    }

    // MARK: Objects

    private func student(in text: String) throws -> StudentInput {
        let tree: JSONTree
        do throws(JSONReply.Problem) {
            tree = try JSONReply.tree(of: text, maximumBytes: Self.maximumLine)
        } catch {
            throw failure(.notJSON, error.description)
        }
        guard let members = tree.members else { throw failure(.notJSON, "the line is \(tree.kind), and no object") }
        for member in members where !Self.fields.contains(member.name) && !Self.passedOver.contains(member.name) {
            throw failure(.header, "it has a field that is none; the fields are \(Self.fields.joined(separator: ","))")
        }
        let texts = try Self.fields.map { try value($0, of: tree) }
        guard !TableShape.isEmpty(texts[0]) else {
            throw failure(.missingKey, column: Self.fields[0], "the line has no \(Self.fields[0])")
        }
        let student = StudentInput(
            userID: texts[0], username: texts[1], name: texts[2], hometown: texts[3], course: texts[4],
            interests: texts[5])
        if let excess = student.excess { throw failure(.tooLong, column: excess.column, excess.message) }
        return student
    }

    private func value(_ field: String, of tree: JSONTree) throws -> String {
        let text: String
        switch tree[field] {
        // Not left out: who forgets them would have what somebody said forgotten.
        case nil where field == "interests": throw failure(.header, column: field, "the line has no interests")
        case nil, .null: text = ""
        case .string(let string): text = string
        case .integer(let number) where field == "user_id": text = String(number)
        case .array(let elements) where field == "interests":
            let entries = elements.compactMap(\.text)
            guard entries.count == elements.count else {
                throw failure(.notJSON, column: field, "an interest is not a string")
            }
            text = entries.joined(separator: "; ")
        case .some(let other): throw failure(.notJSON, column: field, "the value is \(other.kind), and no string")
        }
        guard !text.utf8.contains(0) else { throw failure(.notText, column: field, "the value holds U+0000") }
        return text
    }

    private func failure(_ code: MonitorFileError.Code, column: String? = nil, _ message: String) -> MonitorFileError {
        MonitorFileError(code, file: file.path, line: line, column: column, message)
    }

    // MARK: Lines

    /// Without its end; nil at the end of the file.
    private mutating func nextLine() throws -> ArraySlice<UInt8>? {
        var searched = place
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { place = end + 1 }
                return try begun(buffer[place..<end])
            }
            guard !isAtEnd else {
                guard place < buffer.count else { return nil }
                defer { place = buffer.count }
                return try begun(buffer[place...])
            }
            buffer.removeFirst(place)
            place = 0
            searched = buffer.count
            guard buffer.count <= Self.maximumLine else {
                line += 1
                throw failure(.tooLong, "the line has more than \(Self.maximumLine) bytes")
            }
            let piece = try file.bytes(at: offset, upTo: Self.pieceBytes)
            offset += piece.count
            hash.update(data: piece)
            isAtEnd = piece.isEmpty
            buffer += piece
        }
    }

    private mutating func begun(_ bytes: ArraySlice<UInt8>) throws -> ArraySlice<UInt8> {
        line += 1
        // JSON takes a carriage return for a blank; a byte order mark it does not take.
        let mark = CSVWriting.byteOrderMark
        return line == 1 && bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes
    }
}

/// How students stand in a file.
package enum StudentFormat: String, Sendable, CaseIterable {
    case csv, jsonl

    /// By the ending of a name; nil where it tells nothing.
    package init?(fileName: String) {
        switch fileName.split(separator: ".").last?.lowercased() {
        case "csv": self = .csv
        case "jsonl", "ndjson": self = .jsonl
        default: return nil
        }
    }
}

/// Reads students of either format.
struct StudentReader: Sendable {
    // One of them is there. Not an enumeration's: taken out of it and put back, what a reader holds would be copied.
    private var table: StudentFileReader?
    private var lines: StudentLineReader?

    /// - Throws: `MonitorFileError`
    init(_ path: String, _ format: StudentFormat) throws {
        switch format {
        // By far the longest column, and nobody's input.
        case .csv: table = try StudentFileReader(path, without: ["career_recommendations"])
        case .jsonl: lines = try StudentLineReader(path)
        }
    }

    /// Of what was read; of the whole file once there is no more student.
    var digest: FileDigest? { table?.digest ?? lines?.digest }

    /// Whether it has the columns that are ours, too.
    var hasAllColumns: Bool { table?.hasAllColumns ?? false }

    /// The next rows, at most `limit`, without their recommendations, and the lines that they begin in; none at the end.
    mutating func next(_ limit: Int) throws -> [(row: StudentRow, line: Int)] {
        var rows: [(row: StudentRow, line: Int)] = []
        while rows.count < limit, let row = try table?.next() ?? lines?.next().map({ StudentRow(input: $0) }) {
            rows.append((row, table?.line ?? lines?.line ?? 0))
        }
        return rows
    }
}
