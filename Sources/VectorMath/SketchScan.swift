internal import CKernels

/// Upper bounds of inner products from sketches of rows: the upper five bits of their codes (see `pl_sketch.h`).
package enum SketchScan {
    /// Planes have a multiple of this many coordinates.
    package static var dimensionGranularity: Int { Int(PL_SKETCH_BLOCK) }

    /// Whether this processor has a kernel for sketches; without one their bounds cost more than those of whole codes.
    package static var isWorthwhile: Bool { [.avx2, .avx512].contains(InstructionSet.detected) }

    /// Bytes of a row.
    package static func rowBytes(_ dimension: Int) -> Int {
        CodeScan.recordCount * MemoryLayout<Float>.stride
            + dimension / dimensionGranularity * Int(PL_SKETCH_BLOCK_BYTES)
    }

    /// Rows that one thread packs at a time.
    private static let packedRows = 16_384

    /// Sketches of a plane's rows: (rows, rowBytes).
    ///
    /// - Parameters:
    ///   - codes: (rows, dimension)
    ///   - records: (rows, 4)
    package static func sketches(
        of codes: FrozenBuffer<UInt8>, records: FrozenBuffer<Float>, dimension: Int,
        using instructions: InstructionSet = .best
    ) -> FrozenBuffer<UInt8> {
        let count = records.count / CodeScan.recordCount
        precondition(CodeScan.isDimension(dimension) && dimension % dimensionGranularity == 0)
        precondition(codes.count == count * dimension && instructions.isAvailable)
        let bytes = rowBytes(dimension)
        // SAFETY: every row is written below, each by one thread, before anybody reads it.
        let buffer = AlignedBuffer<UInt8>(unsafeUninitialised: count * bytes)
        nonisolated(unsafe) let target = unsafe buffer.base
        WorkerThreads.concurrently((count + packedRows - 1) / packedRows) { part in
            let rows = part * packedRows..<min((part + 1) * packedRows, count)
            codes.read(rows.lowerBound * dimension..<rows.upperBound * dimension) { codes in
                records.read(
                    rows.lowerBound * CodeScan.recordCount..<rows.upperBound * CodeScan.recordCount
                ) { records in
                    unsafe codes.withUnsafeBufferPointer { codes in
                        unsafe records.withUnsafeBufferPointer { records in
                            guard let u = codes.baseAddress, let r = records.baseAddress else { return }
                            unsafe r.withMemoryRebound(to: pl_codes_row.self, capacity: rows.count) {
                                unsafe pl_sketch_pack(
                                    instructions.code, u, $0, dimension, rows.count, target + rows.lowerBound * bytes)
                            }
                        }
                    }
                }
            }
        }
        return FrozenBuffer(buffer)
    }

    /// Bounds of rows: `partial = base + …` without and `upper` with what later planes may add.
    ///
    /// - Parameters:
    ///   - which: the rows, `partial` and `upper` going with them; nil for all rows.
    ///   - sketches: (rows, rowBytes)
    ///   - partial: (count); holds the base where `hasBase`, and the sum afterwards.
    ///   - upper: (count).
    package static func bounds(
        _ query: CodedPlaneQuery, of which: Span<UInt32>?, sketches: Span<UInt8>, hasBase: Bool,
        partial: inout MutableSpan<Float>, upper: inout MutableSpan<Float>, using instructions: InstructionSet = .best
    ) {
        let dimension = query.values.count
        let bytes = rowBytes(dimension)
        let rows = sketches.count / bytes
        let count = partial.count
        precondition(dimension % dimensionGranularity == 0 && sketches.count == rows * bytes)
        precondition(upper.count == count && (which?.count ?? rows) == count && instructions.isAvailable)
        if let which {
            for i in which.indices { precondition(which[i] < rows, "row \(which[i]) is not among \(rows)") }
        }
        guard count > 0 else { return }
        // SAFETY: every row is among those there are, as checked above.
        unsafe CodeScan.withKernelQuery(query) { kernelQuery in
            unsafe sketches.withUnsafeBufferPointer { sketches in
                unsafe partial.withUnsafeMutableBufferPointer { partial in
                    unsafe upper.withUnsafeMutableBufferPointer { upper in
                        func run(_ picked: UnsafePointer<UInt32>?) {
                            guard let s = sketches.baseAddress, let p = partial.baseAddress, let out = upper.baseAddress
                            else { return }
                            unsafe pl_sketch_bounds_of(
                                instructions.code, kernelQuery, s, picked, hasBase ? UnsafePointer(p) : nil, count, p,
                                out)
                        }
                        if let which {
                            unsafe which.withUnsafeBufferPointer { unsafe run($0.baseAddress) }
                        } else {
                            run(nil)
                        }
                    }
                }
            }
        }
    }
}
