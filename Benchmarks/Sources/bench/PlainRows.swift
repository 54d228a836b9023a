import Glibc
import VectorMath

/// Memory of the size of an index's rows, to measure what the machine can do with so many bytes at best.
final class PlainRows: Sendable {
    private let rows: FrozenBuffer<Float>
    private let count: Int
    private let width: Int

    /// - Parameters:
    ///   - count: of rows.
    ///   - width: floats of a row.
    init(count: Int, width: Int) {
        // Filled, so that every page is the process's own and not the system's one page of zeros.
        rows = FrozenBuffer(AlignedBuffer(count: count * width, repeating: Self.filling))
        self.count = count
        self.width = width
    }

    /// Reads every byte once on `workers` threads: the limit of anything that must look at every row.
    ///
    /// The loop is the C library's `memchr` for a byte that is not there: vectors of the widest kind, no arithmetic.
    func read(workers: Int) {
        let share = (count + workers - 1) / workers
        WorkerThreads.concurrently(workers) { worker in
            let range = min(worker * share, count) * width..<min((worker + 1) * share, count) * width
            let found = rows.read(range) { floats in
                unsafe floats.withUnsafeBytes { bytes -> Bool in
                    guard let start = bytes.baseAddress else { return false }
                    // SAFETY: reads the `count` bytes of the buffer.
                    return unsafe memchr(start, Self.absentByte, bytes.count) != nil
                }
            }
            precondition(!found, "the byte that is not there was found")
        }
    }

    /// `sgemm` of `queries` (queryCount, width) with every row, tile by tile: the limit of scoring a batch.
    func multiply(queries: Span<Float>, queryCount: Int, products: inout AlignedBuffer<Float>) {
        let tile = products.count / queryCount
        var start = 0
        while start < count {
            let end = min(start + tile, count)
            var out = products.mutableSpan
            rows.read(start * width..<end * width) { rows in
                RowScan.firstPassProducts(
                    queries: queries, queryCount: queryCount, rows: rows, rowCount: end - start, dimension: width,
                    into: &out)
            }
            start = end
        }
    }

    /// Made of the bytes 00, 00, 80 and 3F.
    private static let filling: Float = 1
    private static let absentByte: Int32 = 0x55
}
