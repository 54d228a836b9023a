internal import VectorMath

/// One immutable state of the index: what a request reads from its first byte to its last.
///
/// A generation is a list of segments, each with the set of its rows that a later change replaced or deleted.
/// Generations share segments, so making the next one costs what changed, not what there is.
package final class Generation: Sendable {
    /// Counts up with every change; 0 is the empty index.
    package let number: UInt64
    package let layout: RowLayout
    let segments: [Segment]
    /// One set for each segment.
    let dead: [Bitmap]
    /// `offsets[s]` is the slot of segment s's first row; one more entry than segments.
    let offsets: [Int]
    /// Cluster names by code.
    package let clusterNames: [String]
    /// Items that a search can find.
    package let count: Int

    init(number: UInt64, layout: RowLayout, segments: [Segment], dead: [Bitmap], clusterNames: [String]) {
        precondition(segments.count == dead.count)
        self.number = number
        self.layout = layout
        self.segments = segments
        self.dead = dead
        self.clusterNames = clusterNames
        var offsets = [0]
        for segment in segments { offsets.append(offsets[offsets.count - 1] + segment.count) }
        self.offsets = offsets
        count = offsets[offsets.count - 1] - dead.reduce(0) { $0 + $1.population }
    }

    /// The index without items.
    package static func empty(layout: RowLayout) -> Generation {
        Generation(number: 0, layout: layout, segments: [], dead: [], clusterNames: [])
    }

    /// Where an item is now, or nil.
    package func slot(of id: ItemID) -> Slot? {
        // Newest first: an older segment's row of the same id is dead.
        for s in segments.indices.reversed() {
            if let row = segments[s].row(of: id), !dead[s].contains(row) { return Slot(offsets[s] + row) }
        }
        return nil
    }

    package func id(of slot: Slot) -> ItemID {
        let (segment, row) = place(of: slot)
        return segments[segment].ids[row]
    }

    package func cluster(of slot: Slot) -> String {
        let (segment, row) = place(of: slot)
        return clusterNames[Int(segments[segment].clusters[row])]
    }

    /// The ids of all items, in slot order.
    package var ids: [ItemID] {
        var ids: [ItemID] = []
        ids.reserveCapacity(count)
        for s in segments.indices {
            for row in 0..<segments[s].count where !dead[s].contains(row) { ids.append(segments[s].ids[row]) }
        }
        return ids
    }

    /// At most so many items, spread evenly over the order of slots; all where there are no more.
    package func slots(spread most: Int) -> [Slot] {
        let wanted = min(count, most)
        var slots: [Slot] = []
        slots.reserveCapacity(wanted)
        var passed = 0
        for (offset, dead) in zip(offsets, dead) {
            dead.forEachRunOutside { run in
                while slots.count < wanted, slots.count * count / wanted < passed + run.count {
                    slots.append(Slot(offset + run.lowerBound + slots.count * count / wanted - passed))
                }
                passed += run.count
            }
        }
        return slots
    }

    /// A copy of an item's row: (layout.rowCount).
    package func row(at slot: Slot) -> [Float] {
        let (segment, row) = place(of: slot)
        return segments[segment].read(rows: row..<row + 1) { values in (0..<layout.rowCount).map { values[$0] } }
    }

    /// The canonical inner product of a query row (layout.rowCount) with an item's row.
    package func innerProduct(_ query: [Float], at slot: Slot) -> Float {
        let (segment, row) = place(of: slot)
        return segments[segment].read(rows: row..<row + 1) { RowScan.canonicalScore(query: query.span, row: $0) }
    }

    /// In how many parts the rows lie.
    package var segmentCount: Int { segments.count }

    /// Bytes of float32 and of codes that a row takes, on average over the segments.
    package var bytesPerRow: Int {
        let rows = offsets[segments.count]
        guard rows > 0 else { return layout.rowCount * MemoryLayout<Float>.stride }
        let codes = segments.reduce(0) { $0 + $1.count * ($1.codes?.bytesPerRow ?? 0) }
        return layout.rowCount * MemoryLayout<Float>.stride + (codes + rows / 2) / rows
    }

    /// What the rows and all about them take.
    package var footprint: IndexFootprint {
        var footprint = IndexFootprint()
        for (segment, dead) in zip(segments, dead) {
            let rows = segment.count * layout.rowCount * MemoryLayout<Float>.stride
            if segment.isMapped { footprint.mappedBytes += rows } else { footprint.rowBytes += rows }
            footprint.codeBytes += segment.count * (segment.codes?.bytesPerRow ?? 0)
            footprint.idBytes += segment.ids.byteCount
            footprint.otherBytes += segment.count * 4 + segment.columns.byteCount + dead.words.count * 8
        }
        return footprint
    }

    /// The names of the attributes that any item has.
    package var attributeNames: Set<String> {
        segments.reduce(into: []) { $0.formUnion($1.columns.names) }
    }

    func place(of slot: Slot) -> (segment: Int, row: Int) {
        let index = Int(slot.index)
        precondition(index < offsets[segments.count], "slot \(index) is not of this generation")
        // Few segments (logarithmic in the rows), so a linear search is the quick one.
        var segment = 0
        while offsets[segment + 1] <= index { segment += 1 }
        return (segment, index - offsets[segment])
    }

    /// Traps where the parts disagree; for tests.
    package func checkInvariants() {
        precondition(offsets.count == segments.count + 1)
        var seen: Set<ItemID> = []
        for (segment, dead) in zip(segments, dead) {
            precondition(segment.rows.count == segment.count * layout.rowCount && dead.count == segment.count)
            precondition(segment.ids.count == segment.count && segment.clusters.count == segment.count)
            for row in 0..<segment.count where !dead.contains(row) {
                precondition(seen.insert(segment.ids[row]).inserted, "\(segment.ids[row]) lives twice")
                precondition(Int(segment.clusters[row]) < clusterNames.count)
            }
        }
        precondition(seen.count == count)
    }
}

/// Bytes that an index takes.
package struct IndexFootprint: Sendable, Equatable {
    /// Of float32 rows in memory.
    package var rowBytes = 0
    /// Of float32 rows in a file.
    package var mappedBytes = 0
    package var codeBytes = 0
    package var idBytes = 0
    /// Of clusters, attributes and sets of dead rows.
    package var otherBytes = 0
}
