/// Scratch memory that one thread fills and several then read.
///
/// The language cannot express "written now, shared later" for one value, so the phases are the caller's to keep:
/// `write` must not run at the same time as `write` or `read`.
@safe package final class SharedScratch<Element: BitwiseCopyable>: @unchecked Sendable {
    // SAFETY (of @unchecked Sendable): reads and writes are kept apart by the caller, as the type demands.
    private let base: UnsafeMutableBufferPointer<Element>

    package init(count: Int, repeating value: Element) {
        unsafe base = .allocate(capacity: count)
        unsafe base.initialize(repeating: value)
    }

    deinit {
        // SAFETY: allocated by `init`, freed once.
        unsafe base.deallocate()
    }

    package func write(_ body: (inout MutableSpan<Element>) -> Void) {
        // SAFETY: the memory lives as long as self, which this call keeps alive.
        var span = unsafe MutableSpan(_unsafeElements: base)
        body(&span)
    }

    package func read<Result>(_ body: (Span<Element>) -> Result) -> Result {
        // SAFETY: as for `write`.
        let span = unsafe Span(_unsafeElements: base)
        return body(span)
    }
}
