internal import VectorMath

/// The index that a service holds: readers take its current generation, writers put the next one in its place.
///
/// Readers never wait for a writer's work: the lock that they share guards one reference, for the time of
/// copying it.
package final class LiveIndex: Sendable {
    // Not `Mutex`, which the thread sanitizer cannot follow where somebody waits.
    let published: LongLock<Generation>
    /// Held for as long as a writer builds; readers never take it.
    let writing = LongLock(Merging())
    /// Merges of at most so many rows are done by the writer that brings them about, greater ones beside.
    let mergedAtOnce: Int
    let codePolicy: CodePolicy
    /// Where `save` leaves the float32 rows. What is put in afterwards lies in memory until the next `save`.
    package let memory: IndexMemory

    /// - Parameters:
    ///   - codesFrom: segments of at least so many rows get codes that bound their scores.
    ///   - mergedAtOnce: a writer merges up to so many rows itself; more are merged beside, by a thread that gives way.
    package convenience init(
        layout: RowLayout = .standard, memory: IndexMemory = .full, codesFrom: Int = CodePolicy.defaultLeastRows,
        mergedAtOnce: Int = LiveIndex.defaultMergedAtOnce
    ) {
        self.init(
            .empty(layout: layout), memory: memory, codePolicy: CodePolicy(leastRows: codesFrom, memory: memory),
            mergedAtOnce: mergedAtOnce)
    }

    init(
        _ generation: Generation, memory: IndexMemory, codePolicy: CodePolicy,
        mergedAtOnce: Int = LiveIndex.defaultMergedAtOnce
    ) {
        self.mergedAtOnce = mergedAtOnce
        published = LongLock(generation)
        self.memory = memory
        self.codePolicy = codePolicy
    }

    /// What to read from; take it once a request.
    package var current: Generation { published.withLock { $0 } }

    /// Puts items in (replacing those of the same id) and takes items out, all at once.
    ///
    /// Nothing changes when it throws. Ids to delete that are not there are passed over.
    ///
    /// - Throws: `IndexError` naming the item that does not fit.
    /// - Returns: the generation in which the change is visible.
    /// - Complexity: O(change · log items) rows copied, amortised: segments are merged so that each is at least
    ///   twice as large as the next (O'Neil et al., The Log-Structured Merge-Tree, 1996). Of these the caller copies
    ///   `mergedAtOnce` at most.
    @discardableResult
    package func apply(upserting items: [IndexItem] = [], deleting ids: [ItemID] = []) throws(IndexError) -> Generation
    {
        let result: Result<Generation, IndexError> = writing.withLock { merging in
            let base = current
            do throws(IndexError) {
                let next = try next(after: base, upserting: items, deleting: ids, merging: merging)
                published.withLock { $0 = next }
                startMerging(&merging)
                return .success(next)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Puts `items` in the place of everything there is.
    @discardableResult
    package func replaceAll(with items: [IndexItem]) throws(IndexError) -> Generation {
        let result: Result<Generation, IndexError> = writing.withLock { _ in
            let base = current
            do throws(IndexError) {
                let empty = Generation(
                    number: base.number, layout: base.layout, segments: [], dead: [], clusterNames: [])
                let next = try next(after: empty, upserting: items, deleting: [], merging: Merging())
                published.withLock { $0 = next }
                return .success(next)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func next(
        after base: Generation, upserting items: [IndexItem], deleting ids: [ItemID], merging: Merging
    ) throws(IndexError) -> Generation {
        var segments = base.segments
        var dead = base.dead
        for id in ids + items.map(\.id) {
            guard let slot = base.slot(of: id) else { continue }
            let (segment, row) = base.place(of: slot)
            dead[segment].insert(row)
        }
        var clusterNames = base.clusterNames
        if !items.isEmpty {
            var codes = Dictionary(uniqueKeysWithValues: clusterNames.enumerated().map { ($1, UInt32($0)) })
            let clusterCodes = items.map { item in
                if let code = codes[item.cluster] { return code }
                let code = UInt32(clusterNames.count)
                codes[item.cluster] = code
                clusterNames.append(item.cluster)
                return code
            }
            let segment = try Segment(items: items, clusterCodes: clusterCodes, layout: base.layout) { rows, count in
                codePolicy.codes(of: rows, count: count, layout: base.layout, known: segments)
            }
            // Here, and not when they are merged: an item is refused by the change that brings it.
            for (other, dead) in zip(segments, dead) { try segment.columns.requireKinds(of: other.columns, dead: dead) }
            segments.append(segment)
            dead.append(Bitmap(count: items.count))
        }
        try mergeTail(&segments, &dead, layout: base.layout, merging: merging)
        return Generation(
            number: base.number + 1, layout: base.layout, segments: segments, dead: dead, clusterNames: clusterNames)
    }
}
