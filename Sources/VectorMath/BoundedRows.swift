internal import CKernels

/// Rows of a tile with the upper bounds of their scores, and the partial sums that later steps add to.
///
/// Each step of a scan writes bounds for the rows that are left and keeps those that may enter.
package struct BoundedRows: ~Copyable {
    /// The most rows.
    package let capacity: Int
    /// Those that there are.
    package private(set) var count = 0
    private var rows: AlignedBuffer<UInt32>
    private var uppers: AlignedBuffer<Float>
    private var partials: AlignedBuffer<Float>

    package init(capacity: Int) {
        self.capacity = capacity
        rows = AlignedBuffer(zeroed: capacity)
        uppers = AlignedBuffer(zeroed: capacity)
        partials = AlignedBuffer(zeroed: capacity)
    }

    package func row(_ index: Int) -> UInt32 { rows[index] }
    package func upper(_ index: Int) -> Float { uppers[index] }
    package func partial(_ index: Int) -> Float { partials[index] }

    package mutating func removeAll() { count = 0 }

    /// Rows 0 ..< `count`, whose bounds are written next.
    package mutating func fill(_ count: Int) {
        precondition(count <= capacity, "\(count) rows do not fit \(capacity)")
        for i in 0..<count { rows[i] = UInt32(i) }
        self.count = count
    }

    package mutating func append(row: UInt32, upper: Float, partial: Float) {
        rows[count] = row
        uppers[count] = upper
        partials[count] = partial
        count += 1
    }

    /// Calls `body` with the rows, and with their partial sums and bounds to be written.
    package mutating func write(_ body: (Span<UInt32>, inout MutableSpan<Float>, inout MutableSpan<Float>) -> Void) {
        Self.lend(rows, &partials, &uppers, count, body)
    }

    /// Writes the numbers of those of `bounds` that are at least `threshold` over the rows; returns how many.
    mutating func select(_ bounds: Span<Float>, atLeast threshold: Float) -> Int {
        var selected = rows.mutableSpan
        return RowScan.select(scores: bounds, atLeast: threshold, into: &selected)
    }

    /// Apart from `self`, of which it reads one part and writes two.
    private static func lend(
        _ rows: borrowing AlignedBuffer<UInt32>, _ partials: inout AlignedBuffer<Float>,
        _ uppers: inout AlignedBuffer<Float>, _ count: Int,
        _ body: (Span<UInt32>, inout MutableSpan<Float>, inout MutableSpan<Float>) -> Void
    ) {
        var allPartials = partials.mutableSpan
        var partial = allPartials._mutatingExtracting(0..<count)
        var allUppers = uppers.mutableSpan
        var upper = allUppers._mutatingExtracting(0..<count)
        rows.read(0..<count) { body($0, &partial, &upper) }
    }

    /// Drops the rows whose bounds lie outside `range`.
    package mutating func keep(_ range: ClosedRange<Float>, using instructions: InstructionSet = .best) {
        precondition(instructions.isAvailable)
        // SAFETY: the three buffers hold `count` elements, and the kernel may write what it reads.
        count = unsafe Int(
            pl_keep_between(
                instructions.code, range.lowerBound, range.upperBound, rows.base, uppers.base, partials.base, count,
                rows.base, uppers.base, partials.base))
    }

    /// Drops the rows whose bounds are below the floor of their cluster.
    ///
    /// - Parameters:
    ///   - clusters: those of the rows 0, 1, … begin at `first`.
    ///   - floors: by cluster; every cluster has one.
    package mutating func keep(
        above floors: [Float], clusters: [UInt32], from first: Int, using instructions: InstructionSet = .best
    ) {
        precondition(instructions.isAvailable && clusters.count <= Int32.max && floors.count <= Int32.max)
        guard count > 0 else { return }
        // Rows ascend, so the last is the greatest.
        precondition(first >= 0 && first + Int(rows[count - 1]) < clusters.count, "a row has no cluster")
        // SAFETY: the buffers hold `count` elements, each row has a cluster, as checked above, and each cluster a floor, as
        // the caller promises.
        unsafe clusters.withUnsafeBufferPointer { clusters in
            unsafe floors.withUnsafeBufferPointer { floors in
                guard let names = clusters.baseAddress, let least = floors.baseAddress else { return }
                count = unsafe Int(
                    pl_keep_above_floors(
                        instructions.code, names + first, least, rows.base, uppers.base, partials.base, count,
                        rows.base, uppers.base, partials.base))
            }
        }
    }

    /// Drops the rows for which `isKept` says no.
    package mutating func keep(where isKept: (_ row: UInt32, _ upper: Float) -> Bool) {
        var kept = 0
        for i in 0..<count where isKept(rows[i], uppers[i]) {
            rows[kept] = rows[i]
            uppers[kept] = uppers[i]
            partials[kept] = partials[i]
            kept += 1
        }
        count = kept
    }

    /// Takes the rows of `other` whose bounds lie in `range` in the place of its own.
    package mutating func take(
        _ range: ClosedRange<Float>, of other: borrowing BoundedRows, using instructions: InstructionSet = .best
    ) {
        precondition(other.count <= capacity && instructions.isAvailable)
        // SAFETY: the buffers of each hold its count of elements, and `other` has no more than fit here.
        count = unsafe Int(
            pl_keep_between(
                instructions.code, range.lowerBound, range.upperBound, other.rows.base, other.uppers.base,
                other.partials.base, other.count, rows.base, uppers.base, partials.base))
    }

    /// Some of the bounds, evenly spread.
    package func sample(every step: Int) -> [Float] { stride(from: 0, to: count, by: step).map { uppers[$0] } }
}
