/// Memory that was filled once and is only read since, by any number of threads.
///
/// Made from an `AlignedBuffer` whose ownership it takes: what a builder wrote becomes what is served, without
/// a copy.
@safe package final class FrozenBuffer<Element: BitwiseCopyable>: Sendable {
    @usableFromInline let storage: AlignedBuffer<Element>
    package let count: Int

    package init(_ buffer: consuming AlignedBuffer<Element>) {
        count = buffer.count
        storage = buffer
    }

    /// Copies of parts of other buffers, one after the other.
    package convenience init(copying parts: [(buffer: FrozenBuffer<Element>, range: Range<Int>)]) {
        // SAFETY: the loop writes every element: the parts' counts add up to the buffer's.
        let target = AlignedBuffer<Element>(unsafeUninitialised: parts.reduce(0) { $0 + $1.range.count })
        var next = 0
        for (buffer, range) in parts where !range.isEmpty {
            // Rows one after the other come from the disk together.
            buffer.willNeed(range)
            buffer.read(range) { source in
                unsafe source.withUnsafeBufferPointer { source in
                    guard let start = source.baseAddress else { return }
                    unsafe (target.base + next).initialize(from: start, count: range.count)
                }
            }
            next += range.count
        }
        self.init(target)
    }

    /// Whether the elements lie in a file, of which the system keeps in memory what it likes.
    package var isMapped: Bool { storage.isMapped }

    /// Where the elements lie in a file, asks the system to read those of `range` while something else is done.
    package func willNeed(_ range: Range<Int>) { storage.willNeed(range) }

    @inlinable package subscript(index: Int) -> Element { storage[index] }

    /// Calls `body` with a view of the elements in `range`.
    @inlinable package func read<Result>(_ range: Range<Int>, _ body: (Span<Element>) -> Result) -> Result {
        storage.read(range, body)
    }
}
