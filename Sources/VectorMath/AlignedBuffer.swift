internal import Glibc

// Owned, cache-line aligned memory: what every kernel and BLAS call reads and writes.

private let systemPageBytes = Int(getpagesize())

/// Fixed-size storage of `count` elements whose first element lies on a cache line (64 bytes).
///
/// Owned (`~Copyable`): freed once, when its owner goes. Rows of a multiple of 16 floats therefore
/// each start on a cache line, which the scan kernels rely on for speed, not for correctness.
@safe package struct AlignedBuffer<Element: BitwiseCopyable>: ~Copyable {
    /// Bytes; one x86-64 or AArch64 cache line, and the width of an AVX-512 register.
    package static var alignment: Int { 64 }

    package let count: Int
    @usableFromInline let base: UnsafeMutablePointer<Element>
    /// Bytes of the file's mapping that the elements lie in; 0 where they were allocated.
    private let mappedBytes: Int

    /// Storage of `count` elements, all equal to `value`.
    ///
    /// - Complexity: O(count).
    package init(count: Int, repeating value: Element) {
        let raw = unsafe Self.allocate(count)
        // SAFETY: `raw` holds `count` elements and is bound once, here, to the type it is freed as.
        unsafe base = raw.bindMemory(to: Element.self, capacity: count)
        unsafe base.initialize(repeating: value, count: count)
        self.count = count
        mappedBytes = 0
    }

    /// Storage of `count` elements whose bytes are all 0.
    package init(zeroed count: Int) {
        let raw = unsafe Self.allocate(count)
        // SAFETY: `raw` holds `count` elements; Element is bitwise copyable, and every caller's zero is a value of it.
        unsafe memset(raw, 0, count * MemoryLayout<Element>.stride)
        unsafe base = raw.bindMemory(to: Element.self, capacity: count)
        self.count = count
        mappedBytes = 0
    }

    /// Storage that nothing was written to yet: the caller fills it before anybody reads it.
    ///
    /// For what comes from a file: gigabytes of zeros that are overwritten at once would cost as much as reading does.
    init(unsafeUninitialised count: Int) {
        let raw = unsafe Self.allocate(count)
        unsafe base = raw.bindMemory(to: Element.self, capacity: count)
        self.count = count
        mappedBytes = 0
    }

    /// Takes a read-only mapping over; `FrozenBuffer` alone may hold it, since a write to it would end the program.
    ///
    /// - Parameter bytes: of the mapping, more than 0; it holds `count` elements.
    init(unsafeMapping start: UnsafeMutableRawPointer, bytes: Int, count: Int) {
        precondition(bytes > 0 && count * MemoryLayout<Element>.stride <= bytes)
        unsafe base = start.bindMemory(to: Element.self, capacity: count)
        self.count = count
        mappedBytes = bytes
    }

    var isMapped: Bool { mappedBytes > 0 }

    /// Asks the system to read the elements of `range` from their file while something else is done.
    func willNeed(_ range: Range<Int>) {
        guard isMapped, !range.isEmpty else { return }
        let page = systemPageBytes
        let start = range.lowerBound * MemoryLayout<Element>.stride / page * page
        let end = min(mappedBytes, range.upperBound * MemoryLayout<Element>.stride)
        // SAFETY: advice on pages of the mapping, which begins on a page.
        unsafe _ = madvise(UnsafeMutableRawPointer(base) + start, end - start, MADV_WILLNEED)
    }

    private static func allocate(_ count: Int) -> UnsafeMutableRawPointer {
        precondition(count >= 0, "a buffer cannot have \(count) elements")
        let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        precondition(!overflow, "a buffer of \(count) elements does not fit the address space")
        let isLarge = bytes >= 2 * hugePage
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: max(bytes, 1), alignment: isLarge ? hugePage : alignment)
        // A scan of gigabytes in pages of 4 KB spends part of its time on their addresses. Where the system declines,
        // the memory is as good as before.
        // SAFETY: advice on memory that is ours alone, and that nobody has touched yet.
        if isLarge { unsafe _ = madvise(raw, bytes, MADV_HUGEPAGE) }
        return unsafe raw
    }

    /// Bytes of a large page on x86-64, and on AArch64 with base pages of 4 KB.
    private static var hugePage: Int { 2 << 20 }

    deinit {
        // SAFETY: `base` was allocated or mapped by `init` and nobody else frees it; Element needs no deinitialisation.
        if mappedBytes > 0 {
            unsafe _ = munmap(base, mappedBytes)
        } else {
            unsafe UnsafeMutableRawPointer(base).deallocate()
        }
    }

    // Inlinable, so that users in other modules index memory and call nothing.
    @inlinable package var span: Span<Element> {
        @_lifetime(borrow self)
        get {
            // SAFETY: `count` elements were initialised by `init`; the span cannot outlive the borrow of self.
            let span = unsafe Span(_unsafeStart: base, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    @inlinable package var mutableSpan: MutableSpan<Element> {
        @_lifetime(&self)
        mutating get {
            // SAFETY: as for `span`; the exclusive borrow of self makes this the only view.
            let span = unsafe MutableSpan(_unsafeStart: base, count: count)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }

    /// Calls `body` with a view of the elements in `range`.
    @inlinable package func read<Result>(_ range: Range<Int>, _ body: (Span<Element>) -> Result) -> Result {
        let whole = span
        return body(whole.extracting(range))
    }

    /// Copies `source` to the elements from `start` on.
    package mutating func write(_ source: Span<Element>, at start: Int) {
        precondition(start >= 0 && start + source.count <= count, "\(source.count) elements do not fit at \(start)")
        unsafe source.withUnsafeBufferPointer { source in
            guard let from = source.baseAddress else { return }
            // SAFETY: both ranges are in bounds, and `self` is exclusively ours, so they cannot overlap.
            unsafe (base + start).update(from: from, count: source.count)
        }
    }

    @inlinable package subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count, "index \(index) is outside 0..<\(count)")
            return unsafe base[index]
        }
        set {
            precondition(index >= 0 && index < count, "index \(index) is outside 0..<\(count)")
            unsafe base[index] = newValue
        }
    }
}

// SAFETY: the memory has one owner, and every mutation needs exclusive access to it, which the language
// enforces for a noncopyable value: a shared `let` can only be read.
extension AlignedBuffer: @unchecked Sendable {}
