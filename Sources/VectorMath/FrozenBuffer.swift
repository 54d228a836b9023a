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
