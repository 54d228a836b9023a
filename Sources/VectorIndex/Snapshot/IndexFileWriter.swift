internal import VectorMath

/// Writes the live rows of a generation as one segment, straight from where they are.
struct IndexFileWriter {
    private let generation: Generation
    private let parts: [(segment: Segment, dead: Bitmap)]
    /// One for each part, along the same axes; nil for none.
    private let codes: [RowCodes]?
    private let ids: RowIDs
    private let clusterNames: [UInt8]
    private let attributes: [UInt8]

    /// - Throws: `IndexFileError.unwritable` where an attribute has words for some rows and numbers for others.
    init(_ generation: Generation, policy: CodePolicy, path: String) throws(IndexFileError) {
        self.generation = generation
        parts = zip(generation.segments, generation.dead).map { ($0, $1) }
        codes = policy.common(of: parts, layout: generation.layout)
        var ids = RowIDs(capacity: generation.count)
        for (segment, dead) in parts {
            dead.forEachRunOutside { run in
                for row in run { _ = ids.append(row, of: segment.ids) }
            }
        }
        self.ids = ids
        var names: [UInt8] = []
        names.append32(generation.clusterNames.count)
        for name in generation.clusterNames { names.append(sized: name) }
        clusterNames = names
        do throws(IndexError) {
            attributes = try AttributeColumns(merging: parts.map { ($0.segment.columns, $0.dead) }).bytes
        } catch {
            throw .unwritable(path: path, reason: "\(error)")
        }
    }

    func write(to path: String, number: UInt64, fingerprint: String) throws(IndexFileError) -> IndexFileWriting {
        var head = IndexFileHead(
            rowCount: ids.count, layout: generation.layout,
            greatestNorm: parts.reduce(0) { max($0, $1.segment.greatestNorm) }, generation: number,
            fingerprint: fingerprint, sizes: sizes)
        do throws(BlockFileError) {
            let writer = try BlockFileWriter(replacing: path)
            for i in head.sections.indices {
                writer.begin(at: head.sections[i].offset)
                append(head.sections[i], to: writer)
                head.sections[i].checksums = writer.end()
            }
            try writer.finish(head: head.encoded(), size: head.size)
        } catch {
            throw .notSaved(path: path, cause: error)
        }
        return IndexFileWriting(rows: ids.count, bytes: head.size)
    }

    private var codeHeader: CodeHeader? {
        guard let codes, let first = codes.first else { return nil }
        let rows = codes.reduce(0) { $0 + $1.count }
        return CodeHeader(
            recordCount: CodeScan.recordCount, abilityWidth: first.abilityWidth,
            coordinateCount: first.axes.coordinateCount,
            greatestEmbeddingNorm: codes.reduce(0) { max($0, $1.greatestEmbeddingNorm) },
            // One segment's mean is to come back with the same bits.
            meanTail: codes.count == 1
                ? first.meanTail : codes.reduce(0) { $0 + $1.meanTail * Double($1.count) } / Double(max(rows, 1)),
            planes: first.planes.indices.map { p in
                CodeHeader.Plane(
                    coordinates: first.planes[p].coordinates,
                    greatestResidual: codes.reduce(0) { max($0, $1.planes[p].greatestResidual) })
            })
    }

    private var sizes: [(kind: IndexFileHead.Kind, number: Int, size: Int)] {
        let rows = ids.count
        var sizes: [(kind: IndexFileHead.Kind, number: Int, size: Int)] = [
            (.idEnds, 0, (rows + 1) * 4), (.idText, 0, ids.text.count), (.clusters, 0, rows * 4),
            (.clusterNames, 0, clusterNames.count), (.attributes, 0, attributes.count),
        ]
        if let codes = codes?.first, let codeHeader {
            let n = codes.axes.embeddingCount
            sizes.append((.codeHeader, 0, codeHeader.encoded().count))
            sizes.append((.axes, 0, (n + 1) * n * 4))
            sizes.append((.abilities, 0, rows * codes.abilityWidth * 4))
            for (p, plane) in codes.planes.enumerated() {
                sizes.append((.planeCodes, p, rows * plane.coordinates.count))
                sizes.append((.planeRecords, p, rows * CodeScan.recordCount * 4))
            }
        }
        // Last, so that all else lies together at the front.
        sizes.append((.rows, 0, rows * generation.layout.rowCount * 4))
        return sizes
    }

    private func append(_ section: IndexFileHead.Section, to writer: BlockFileWriter) {
        switch section.kind {
        case .idEnds: writer.append(ids.offsets.span)
        case .idText: writer.append(ids.text.span)
        case .clusters:
            for (segment, dead) in parts {
                let clusters = segment.clusters
                dead.forEachRunOutside { run in
                    let all = clusters.span
                    writer.append(all.extracting(run))
                }
            }
        case .clusterNames: writer.append(clusterNames.span)
        case .attributes: writer.append(attributes.span)
        case .rows:
            for (segment, dead) in parts {
                append(segment.rows, width: generation.layout.rowCount, outside: dead, to: writer)
            }
        case .codeHeader:
            if let bytes = codeHeader?.encoded() { writer.append(bytes.span) }
        case .axes:
            guard let axes = codes?.first?.axes else { return }
            axes.axes.read(0..<axes.axes.count) { writer.append($0) }
            let variances = Array(axes.variances.prefix(axes.embeddingCount))
            writer.append(variances.span)
        case .abilities: appendCodes(to: writer) { ($0.abilities, $0.abilityWidth) }
        case .planeCodes:
            appendCodes(to: writer) {
                ($0.planes[section.number].codes, $0.planes[section.number].coordinates.count)
            }
        case .planeRecords: appendCodes(to: writer) { ($0.planes[section.number].records, CodeScan.recordCount) }
        }
    }

    private func appendCodes<Element: BitwiseCopyable>(
        to writer: BlockFileWriter, _ part: (RowCodes) -> (buffer: FrozenBuffer<Element>, width: Int)
    ) {
        for (codes, source) in zip(codes ?? [], parts) {
            let (buffer, width) = part(codes)
            append(buffer, width: width, outside: source.dead, to: writer)
        }
    }

    private func append<Element: BitwiseCopyable>(
        _ buffer: FrozenBuffer<Element>, width: Int, outside dead: Bitmap, to writer: BlockFileWriter
    ) {
        guard width > 0 else { return }
        dead.forEachRunOutside { run in
            buffer.read(run.lowerBound * width..<run.upperBound * width) { writer.append($0) }
        }
    }
}
