internal import Synchronization
internal import VectorMath

/// Keeping an index in a file, so that the next start reads it instead of making it.
extension LiveIndex {
    /// Reads what `save` wrote.
    ///
    /// - Parameters:
    ///   - memory: where float32 rows are to be.
    ///   - codesFrom: as for `init`; codes that the file has are used whatever it says.
    /// - Throws: `IndexFileError`: there is no file, or not one whose rows can be trusted.
    /// - Complexity: O(bytes); nothing is computed but checksums, a table of ids, and the error of the axes.
    package static func open(
        _ path: String, layout: RowLayout = .standard, memory: IndexMemory = .full,
        codesFrom: Int = CodePolicy.defaultLeastRows
    ) throws(IndexFileError) -> IndexFileReading {
        let policy = CodePolicy(leastRows: codesFrom, memory: memory)
        let reader = try IndexFileReader(path, layout: layout, memory: memory)
        let (generation, codesRemade) = try Self.generation(of: reader, policy: policy, path: path)
        return IndexFileReading(
            index: LiveIndex(generation, memory: memory, codePolicy: policy), fingerprint: reader.head.fingerprint,
            codesRemade: codesRemade, bytes: reader.bytes)
    }

    private static func generation(
        of reader: IndexFileReader, policy: CodePolicy, path: String
    ) throws(IndexFileError) -> (Generation, codesRemade: String?) {
        let names = try reader.clusterNames()
        let (segment, codesRemade) = try reader.segment(policy: policy)
        guard segment.clusters.allSatisfy({ $0 < names.count }) else {
            throw .damaged(path: path, part: "the clusters do not fit each other")
        }
        let isEmpty = segment.count == 0
        let generation = Generation(
            number: reader.head.generation, layout: reader.head.layout, segments: isEmpty ? [] : [segment],
            dead: isEmpty ? [] : [Bitmap(count: segment.count)], clusterNames: names)
        return (generation, codesRemade)
    }

    /// Writes the index to a file, all at once: whoever looks sees the old file or the new one.
    ///
    /// Replaced and deleted rows are left out. A lean index goes on from the file: its rows, those in memory included, are
    /// then those of the new mapping, and changes wait until it is in place. A full one is not changed.
    ///
    /// - Parameter fingerprint: of what the index was made from, at most 64 bytes; `open` gives it back.
    /// - Throws: `IndexFileError`; the index is then as before, and the file that was there is, or the new one.
    @discardableResult
    package func save(to path: String, fingerprint: String = "") throws(IndexFileError) -> IndexFileWriting {
        guard memory == .lean else {
            let generation = current
            return try IndexFileWriter(generation, policy: codePolicy, path: path)
                .write(to: path, number: generation.number, fingerprint: fingerprint)
        }
        let result: Result<IndexFileWriting, IndexFileError> = writing.withLock { _ in
            do throws(IndexFileError) {
                let base = current
                let written = try IndexFileWriter(base, policy: codePolicy, path: path)
                    .write(to: path, number: base.number + 1, fingerprint: fingerprint)
                let reader = try IndexFileReader(path, layout: base.layout, memory: .lean)
                let (next, _) = try Self.generation(of: reader, policy: codePolicy, path: path)
                published.withLock { $0 = next }
                return .success(written)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
