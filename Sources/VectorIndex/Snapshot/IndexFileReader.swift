internal import VectorMath

/// Reads an index file, each section straight to its place.
struct IndexFileReader {
    private let file: BlockFile
    let head: IndexFileHead
    private let memory: IndexMemory

    init(_ path: String, layout: RowLayout, memory: IndexMemory) throws(IndexFileError) {
        guard !BlockFile.isMissing(path) else { throw .missing(path: path) }
        do throws(BlockFileError) { file = try BlockFile(opening: path) } catch { throw .file(error) }
        head = try IndexFileHead.read(file)
        guard head.layout == layout else { throw .otherLayout(path: path) }
        self.memory = memory
        try checkGaps()
    }

    var bytes: Int { file.size }

    private func damaged(_ part: String) -> IndexFileError { .damaged(path: file.path, part: part) }

    /// Bytes that belong to no section must be zero.
    private func checkGaps() throws(IndexFileError) {
        let ends = head.sections.map { $0.offset + $0.size }
        for (end, next) in zip(ends, head.sections.dropFirst().map(\.offset)) where end < next {
            let gap: [UInt8]
            do throws(BlockFileError) { gap = try file.bytes(end..<next) } catch { throw .file(error) }
            guard gap.allSatisfy({ $0 == 0 }) else { throw damaged("bytes between its parts are not zero") }
        }
    }

    // MARK: Sections

    private func section(_ kind: IndexFileHead.Kind, _ number: Int = 0) throws(IndexFileError) -> IndexFileHead.Section
    {
        guard let section = head.section(kind, number) else { throw damaged("a part is missing") }
        return section
    }

    /// Reads a section of `count` elements; any number of them where it is nil.
    private func array<Element: BitwiseCopyable & Sendable>(
        _ kind: IndexFileHead.Kind, of: Element.Type, count: Int? = nil
    ) throws(IndexFileError) -> [Element] {
        let section = try section(kind)
        let count = try elements(of: Element.self, in: section, wanted: count)
        do throws(BlockFileError) {
            return try file.array(
                of: Element.self, count: count, at: section.offset, checksums: section.checksums)
        } catch {
            throw named(error, section)
        }
    }

    private func buffer<Element: BitwiseCopyable>(
        _ kind: IndexFileHead.Kind, _ number: Int = 0, of: Element.Type, count: Int, isMapped: Bool = false
    ) throws(IndexFileError) -> FrozenBuffer<Element> {
        let section = try section(kind, number)
        _ = try elements(of: Element.self, in: section, wanted: count)
        do throws(BlockFileError) {
            return isMapped
                ? try file.mapping(of: Element.self, count: count, at: section.offset, checksums: section.checksums)
                : try file.buffer(of: Element.self, count: count, at: section.offset, checksums: section.checksums)
        } catch {
            throw named(error, section)
        }
    }

    private func elements<Element>(
        of: Element.Type, in section: IndexFileHead.Section, wanted: Int?
    ) throws(IndexFileError) -> Int {
        let stride = MemoryLayout<Element>.stride
        let count = section.size / stride
        guard section.size % stride == 0, wanted.map({ $0 == count }) ?? true else {
            throw damaged("\(section.name): the size does not fit the rows")
        }
        return count
    }

    private func named(_ error: BlockFileError, _ section: IndexFileHead.Section) -> IndexFileError {
        if case .checksum = error { return damaged("\(section.name): \(error)") }
        return .file(error)
    }

    // MARK: Parts

    /// The one segment of the file, and why its codes were made anew where they were.
    ///
    /// Codes come first: what is found wrong with them is mended from the rows, what is found wrong with the rows is not.
    func segment(policy: CodePolicy) throws(IndexFileError) -> (segment: Segment, codesRemade: String?) {
        let rowCount = head.rowCount
        let offsets = try array(.idEnds, of: UInt32.self, count: rowCount + 1)
        let text = try array(.idText, of: UInt8.self)
        guard let ids = RowIDs(offsets: offsets, text: text) else { throw damaged("the ids do not fit each other") }
        let clusters = try array(.clusters, of: UInt32.self, count: rowCount)
        guard let columns = AttributeColumns(try array(.attributes, of: UInt8.self), count: rowCount) else {
            throw damaged("the attributes do not fit each other")
        }
        var codes: RowCodes?
        var remade: String?
        let isDue = rowCount >= policy.leastRows && head.layout.embeddingCount <= CodeScan.greatestDimension
        do throws(IndexFileError) {
            codes = try readCodes(sketchesFrom: policy.sketchesFrom)
            if codes == nil, isDue { remade = "the file has none" }
        } catch {
            // Of fewer rows no codes are made, in place of damaged ones neither.
            if isDue {
                // The file as a whole is not what is made anew.
                if case .damaged(_, let part) = error { remade = part } else { remade = "\(error)" }
            }
        }
        let rows = try buffer(
            .rows, of: Float.self, count: rowCount * head.layout.rowCount, isMapped: memory == .lean)
        if remade != nil {
            codes = policy.codes(of: rows, count: rowCount, layout: head.layout, known: [])
        }
        let segment = Segment(
            rows: rows, layout: head.layout, ids: ids, clusters: clusters, columns: columns,
            greatestNorm: head.greatestNorm, codes: codes)
        return (segment, remade)
    }

    func clusterNames() throws(IndexFileError) -> [String] {
        var reader = ByteReader(try array(.clusterNames, of: UInt8.self))
        var names: [String] = []
        guard let count = reader.next32() else { throw damaged("the clusters do not fit each other") }
        for _ in 0..<count {
            guard let name = reader.nextText() else { throw damaged("the clusters do not fit each other") }
            names.append(name)
        }
        guard reader.isAtEnd, Set(names).count == names.count else {
            throw damaged("the clusters do not fit each other")
        }
        return names
    }

    private func readCodes(sketchesFrom: Int) throws(IndexFileError) -> RowCodes? {
        guard head.section(.codeHeader) != nil else { return nil }
        let rowCount = head.rowCount
        let n = head.layout.embeddingCount
        let description = try array(.codeHeader, of: UInt8.self)
        guard let header = CodeHeader(description.span) else { throw damaged("its codes are of another version") }
        guard n <= CodeScan.greatestDimension, header.recordCount == CodeScan.recordCount,
            header.abilityWidth == RowCodes.abilityWidth(head.layout), header.planes.allSatisfy({ $0.bits == 8 }),
            header.planes.map(\.coordinates) == RowCodes.planes(of: header.coordinateCount)
        else { throw damaged("its codes lie in other planes") }
        let both = try array(.axes, of: Float.self, count: (n + 1) * n)
        var matrix = AlignedBuffer<Float>(zeroed: n * n)
        matrix.write(both.span.extracting(0..<n * n), at: 0)
        guard
            let axes = PrincipalAxes(
                restoring: FrozenBuffer(matrix), variances: Array(both[(n * n)...]), embeddingCount: n),
            axes.coordinateCount == header.coordinateCount
        else { throw damaged("its axes are none") }
        let abilities = try buffer(.abilities, of: Float.self, count: rowCount * header.abilityWidth)
        var planes: [RowCodes.Plane] = []
        for (p, plane) in header.planes.enumerated() {
            planes.append(
                RowCodes.Plane(
                    coordinates: plane.coordinates,
                    codes: try buffer(
                        .planeCodes, p, of: UInt8.self, count: rowCount * plane.coordinates.count),
                    records: try buffer(
                        .planeRecords, p, of: Float.self, count: rowCount * CodeScan.recordCount),
                    greatestResidual: plane.greatestResidual))
        }
        return RowCodes(
            axes: axes, count: rowCount, planes: planes, abilities: abilities, abilityWidth: header.abilityWidth,
            greatestEmbeddingNorm: header.greatestEmbeddingNorm, meanTail: header.meanTail,
            sketchesFrom: sketchesFrom)
    }
}
