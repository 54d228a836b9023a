internal import VectorMath

/// The head of an index file: what it has, where, and the checksums of all of it.
///
/// An index file is a copy of an index as it is in memory, so that a start reads it straight to its place and computes
/// nothing: float32 rows, ids, clusters, attributes, and the codes with their axes. What it is made from (the rows in the
/// database, the catalogue) stays the truth; a file that cannot be trusted is made anew from it.
///
/// All numbers are little-endian; sizes and offsets are in bytes. Sections begin at multiples of 65,536, in the order of
/// the table, and are covered by a CRC-32C (RFC 3720) for every 4 MiB of them; all other bytes are covered by the head's
/// checksum, or must be zero. So every changed byte is found.
///
///     format 1
///       0        8    magic: 89 50 4C 49 44 58 0D 0A
///       8        4    format
///      12        4    checksum of bytes 0 … 11
///      16        4    H, size of the head, a multiple of 65,536
///      20        4    count of sections
///      24        8    size of the file
///      32        8    n, rows
///      40        4    d, floats of an embedding
///      44        4    a, abilities
///      48        4    bytes under a checksum, 4,194,304
///      52        4    zero
///      56        8    the greatest norm of a row, float64
///      64        8    number of the generation
///      72       64    fingerprint of what the file was made from, text, zeros
///     136             for each section: kind (4), number (4), offset (8), size (8)
///                     for each section, for each 4 MiB of it: checksum (4)
///                     zeros
///     H − 4      4    checksum of bytes 0 … H − 5
///
///     kinds of sections
///       1    where ids end: 0, then for each row the end of its id in section 2: (n + 1) uint32
///       2    ids, UTF-8
///       3    clusters of rows, places in section 4: (n) uint32
///       4    names of clusters: a count (4), then for each its size (4) and UTF-8
///       5    attributes (`AttributeColumns.bytes`)
///       6    rows: (n, w) float32, w = d + a rounded up to a multiple of 16
///      16    description of the codes (`CodeHeader`)
///      17    axes: (d, d) float32, then (d) variances
///      18    abilities as codes are read with them: (n, the width that 16 names) float32
///      19    codes of the plane of this number: (n, width) uint8
///      20    their records: (n, floats that 16 names) float32
///
/// Without section 16 there are no codes; they are then made from the rows.
struct IndexFileHead: Equatable {
    enum Kind: UInt32 {
        case idEnds = 1
        case idText = 2
        case clusters = 3
        case clusterNames = 4
        case attributes = 5
        case rows = 6
        case codeHeader = 16
        case axes = 17
        case abilities = 18
        case planeCodes = 19
        case planeRecords = 20

        /// Whether what it holds can be made from the other sections.
        var isDerived: Bool { rawValue >= Kind.codeHeader.rawValue }
    }

    struct Section: Equatable {
        let kind: Kind
        /// Of a plane; 0 elsewhere.
        var number = 0
        let offset: Int
        let size: Int
        var checksums: [UInt32] = []

        var name: String {
            switch kind {
            case .idEnds, .idText: "ids"
            case .clusters, .clusterNames: "clusters"
            case .attributes: "attributes"
            case .rows: "rows"
            case .codeHeader: "description of the codes"
            case .axes: "axes"
            case .abilities: "abilities of the codes"
            case .planeCodes, .planeRecords: "codes of plane \(number)"
            }
        }
    }

    static let magic: [UInt8] = [0x89, 0x50, 0x4C, 0x49, 0x44, 0x58, 0x0D, 0x0A]
    static let currentFormat = 1
    static let alignment = 65_536
    static let fixedBytes = 136
    private static let sectionBytes = 24
    private static let fingerprintBytes = 64
    private static let greatestHead = 64 << 20

    let rowCount: Int
    let layout: RowLayout
    let greatestNorm: Double
    let generation: UInt64
    let fingerprint: String
    var sections: [Section]

    /// Places sections of these sizes one after the other.
    ///
    /// - Parameter fingerprint: at most 64 bytes.
    init(
        rowCount: Int, layout: RowLayout, greatestNorm: Double, generation: UInt64, fingerprint: String,
        sizes: [(kind: Kind, number: Int, size: Int)]
    ) {
        precondition(fingerprint.utf8.count <= Self.fingerprintBytes, "a fingerprint has at most 64 bytes")
        self.rowCount = rowCount
        self.layout = layout
        self.greatestNorm = greatestNorm
        self.generation = generation
        self.fingerprint = fingerprint
        var offset = Self.headBytes(sizes.map(\.size))
        sections = []
        for (kind, number, size) in sizes {
            sections.append(Section(kind: kind, number: number, offset: offset, size: size))
            offset = Self.aligned(offset + size)
        }
    }

    static func aligned(_ offset: Int) -> Int { (offset + alignment - 1) / alignment * alignment }

    private static func headBytes(_ sizes: [Int]) -> Int {
        let sums = sizes.reduce(0) { $0 + BlockFile.blockCount(of: $1) }
        return aligned(fixedBytes + sizes.count * sectionBytes + sums * 4 + 4)
    }

    var headBytes: Int { Self.headBytes(sections.map(\.size)) }

    /// Of the file.
    var size: Int { sections.last.map { $0.offset + $0.size } ?? headBytes }

    func section(_ kind: Kind, _ number: Int = 0) -> Section? {
        sections.first { $0.kind == kind && $0.number == number }
    }

    // MARK: Bytes

    /// The head's bytes; every section has its checksums.
    func encoded() -> [UInt8] {
        var bytes = ByteWriter(count: headBytes)
        bytes.put(Self.magic, at: 0)
        bytes.put(UInt32(Self.currentFormat), at: 8)
        bytes.put(CRC32C.checksum(of: bytes.view.extracting(0..<12)), at: 12)
        bytes.put(UInt32(headBytes), at: 16)
        bytes.put(UInt32(sections.count), at: 20)
        bytes.put(UInt64(size), at: 24)
        bytes.put(UInt64(rowCount), at: 32)
        bytes.put(UInt32(layout.embeddingCount), at: 40)
        bytes.put(UInt32(layout.abilityCount), at: 44)
        bytes.put(UInt32(BlockFile.blockBytes), at: 48)
        bytes.put(greatestNorm.bitPattern, at: 56)
        bytes.put(generation, at: 64)
        bytes.put(Array(fingerprint.utf8), at: 72)
        var next = Self.fixedBytes
        for section in sections {
            bytes.put(section.kind.rawValue, at: next)
            bytes.put(UInt32(section.number), at: next + 4)
            bytes.put(UInt64(section.offset), at: next + 8)
            bytes.put(UInt64(section.size), at: next + 16)
            next += Self.sectionBytes
        }
        for section in sections {
            precondition(section.checksums.count == BlockFile.blockCount(of: section.size))
            for checksum in section.checksums {
                bytes.put(checksum, at: next)
                next += 4
            }
        }
        bytes.put(CRC32C.checksum(of: bytes.view.extracting(0..<headBytes - 4)), at: headBytes - 4)
        return bytes.bytes
    }

    /// Reads the head of a file.
    ///
    /// Whatever the bytes are, no size is believed before it was held against the file's.
    static func read(_ file: BlockFile) throws(IndexFileError) -> IndexFileHead {
        func damaged(_ part: String) -> IndexFileError { .damaged(path: file.path, part: part) }
        guard file.size >= fixedBytes else { throw damaged("it ends after \(file.size) bytes") }
        let start = try file.headBytes(0..<fixedBytes)
        for i in magic.indices where start[i] != magic[i] { throw damaged("it does not begin as an index file does") }
        let fixed = start.span
        guard fixed.number32(at: 12) == CRC32C.checksum(of: fixed.extracting(0..<12)) else {
            throw damaged("the head has another checksum than was written")
        }
        let format = Int(fixed.number32(at: 8))
        guard format <= currentFormat else {
            throw .newerFormat(path: file.path, found: format, supported: currentFormat)
        }
        let headBytes = Int(fixed.number32(at: 16))
        guard headBytes % alignment == 0, headBytes > 0, headBytes <= min(file.size, greatestHead) else {
            throw damaged("the head's size is impossible, or the file was cut")
        }
        let bytes = try file.headBytes(0..<headBytes)
        let view = bytes.span
        guard CRC32C.checksum(of: view.extracting(0..<headBytes - 4)) == view.number32(at: headBytes - 4) else {
            throw damaged("the head has another checksum than was written")
        }
        guard view.number64(at: 24) == UInt64(file.size) else {
            throw damaged("it has \(file.size) bytes where \(view.number64(at: 24)) were written")
        }
        guard let head = IndexFileHead(view, headBytes: headBytes, fileBytes: file.size) else {
            throw damaged("the head's fields do not fit each other")
        }
        return head
    }

    /// - Parameter bytes: whose checksum was right.
    private init?(_ bytes: Span<UInt8>, headBytes: Int, fileBytes: Int) {
        let count = Int(bytes.number32(at: 20))
        let (embedding, abilities) = (Int(bytes.number32(at: 40)), Int(bytes.number32(at: 44)))
        guard count <= (headBytes - Self.fixedBytes - 4) / Self.sectionBytes,
            let rowCount = Int(exactly: bytes.number64(at: 32)), rowCount < Int(UInt32.max),
            (1...1 << 20).contains(embedding), abilities <= 1 << 20,
            bytes.number32(at: 48) == UInt32(BlockFile.blockBytes)
        else { return nil }
        self.rowCount = rowCount
        layout = RowLayout(embeddingCount: embedding, abilityCount: abilities)
        greatestNorm = Double(bitPattern: bytes.number64(at: 56))
        generation = bytes.number64(at: 64)
        let end = (72..<Self.fixedBytes).first { bytes[$0] == 0 } ?? Self.fixedBytes
        // The generation after this one has a number too.
        guard let fingerprint = bytes.text(at: 72..<end), greatestNorm.isFinite, greatestNorm >= 0,
            generation < UInt64.max
        else { return nil }
        self.fingerprint = fingerprint
        sections = []
        var next = Self.fixedBytes
        var offset = headBytes
        for _ in 0..<count {
            guard let kind = Kind(rawValue: bytes.number32(at: next)),
                let size = Int(exactly: bytes.number64(at: next + 16)), size <= fileBytes,
                bytes.number64(at: next + 8) == UInt64(offset), offset <= fileBytes - size
            else { return nil }
            let number = Int(bytes.number32(at: next + 4))
            guard section(kind, number) == nil else { return nil }
            sections.append(Section(kind: kind, number: number, offset: offset, size: size))
            offset = Self.aligned(offset + size)
            next += Self.sectionBytes
        }
        guard self.size == fileBytes, self.headBytes == headBytes else { return nil }
        for i in sections.indices {
            sections[i].checksums = (0..<BlockFile.blockCount(of: sections[i].size)).map {
                bytes.number32(at: next + $0 * 4)
            }
            next += sections[i].checksums.count * 4
        }
    }
}

extension BlockFile {
    /// As `bytes`, with the errors of an index file.
    fileprivate func headBytes(_ range: Range<Int>) throws(IndexFileError) -> [UInt8] {
        do throws(BlockFileError) { return try bytes(range) } catch { throw .file(error) }
    }
}
