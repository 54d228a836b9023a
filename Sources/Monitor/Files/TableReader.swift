internal import Crypto

/// Reads the rows of one kind of file, cells in the order of its shape and as they were before they were guarded.
///
/// Holds a chunk of the file, one row, and 16 bytes for each row before it, by which it knows a key that comes again.
struct TableReader: Sendable {
    /// Half a SHA-256: keys are as long as somebody likes, and two that agree in it are not to be found.
    struct KeyMark: Hashable, Sendable {
        let high: UInt64
        let low: UInt64

        init(_ key: String) {
            var words: (UInt64, UInt64) = (0, 0)
            for (place, byte) in SHA256.hash(data: Array(key.utf8)).prefix(16).enumerated() {
                if place < 8 { words.0 = words.0 << 8 | UInt64(byte) } else { words.1 = words.1 << 8 | UInt64(byte) }
            }
            high = words.0
            low = words.1
        }
    }

    private let shape: TableShape
    private let places: [Int?]
    private let width: Int
    private var csv: CSVReader
    private var seen: Set<KeyMark> = []
    /// Where the row begins that was given last.
    private(set) var line = 1

    var file: String { csv.file }
    /// Whether the file has all columns, not those of the input alone.
    var hasAllColumns: Bool { places.allSatisfy { $0 != nil } }

    /// Of what was read; of the whole file once `next` gave nil.
    var digest: FileDigest { csv.digest }

    /// Opens a file and reads its header.
    ///
    /// - Throws: `MonitorFileError`
    init(
        _ path: String, shape: TableShape, without unwanted: Set<String> = [],
        limits: CSVReader.Limits = CSVReader.Limits()
    ) throws {
        let file = try OpenedFile(path)
        try self.init(
            CSVReader(file: path, limits: limits) { offset, count in try file.bytes(at: offset, upTo: count) },
            shape: shape, without: unwanted)
    }

    /// - Parameter unwanted: columns whose cells are given as empty, and not looked at.
    init(_ reader: CSVReader, shape: TableShape, without unwanted: Set<String> = []) throws {
        var reader = reader
        var first = try reader.next()
        while let row = first, row.isBlank { first = try reader.next() }
        guard let header = first else {
            throw MonitorFileError(.empty, file: reader.file, line: 1, "the file is empty; a header was expected")
        }
        let places = try shape.places(in: header, file: reader.file)
        // Every cell of the header is one of the columns, as `places` has seen to.
        reader.columns = header.cells.indices.map { place in
            places.firstIndex { $0 == place }.map { shape.columns[$0] } ?? String(place + 1)
        }
        reader.passedOver = Set(
            zip(shape.columns, places).compactMap { unwanted.contains($0) ? $1 : nil })
        self.shape = shape
        self.places = places
        width = header.cells.count
        csv = reader
    }

    /// A cell for each column of the shape, empty for those that the file does not have; nil at the end.
    ///
    /// - Throws: `MonitorFileError`; there is nothing to be had behind it.
    mutating func next() throws -> [String]? {
        while let row = try csv.next() {
            if row.isBlank { continue }
            guard row.cells.count == width else {
                throw MonitorFileError(
                    .cells, file: csv.file, line: row.line,
                    "the row has \(row.cells.count) cells, the header \(width); is a cell with a separator in it not "
                        + "quoted?")
            }
            let cells = places.map { place in place.map { SpreadsheetCell.unguarded(row.cells[$0]) } ?? "" }
            line = row.line
            guard !TableShape.isEmpty(cells[0]) else {
                throw MonitorFileError(
                    .missingKey, file: csv.file, line: row.line, column: shape.key, "the row has no \(shape.key)")
            }
            guard seen.insert(KeyMark(cells[0])).inserted else {
                throw MonitorFileError(
                    .duplicateKey, file: csv.file, line: row.line, column: shape.key,
                    "a row before this one has the same \(shape.key); remove one of them")
            }
            return cells
        }
        return nil
    }
}
