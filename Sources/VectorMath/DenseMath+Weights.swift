import CKernels

// Bringing stored weights into the form that the products want.

extension DenseMath {
    /// How a weight lies in a file, little-endian.
    package enum StoredFloat: Sendable {
        case float32
        case float16
        case bfloat16

        /// Bytes of one number.
        package var byteCount: Int { self == .float32 ? 4 : 2 }
    }

    /// Converts stored numbers to float32, exactly.
    ///
    /// - Parameter bytes: `output.count` numbers; needs no alignment.
    package static func widen(
        _ bytes: RawSpan, from format: StoredFloat, into output: inout MutableSpan<Float>
    ) {
        precondition(bytes.byteCount == output.count * format.byteCount, "the output must hold every stored number")
        guard !output.isEmpty, let target = unsafe output.unsafeBase else { return }
        let count = output.count
        unsafe bytes.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            // SAFETY: the source has count · byteCount bytes, the target count floats.
            switch format {
            case .float32: unsafe UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: count * 4)
            case .float16: unsafe pl_dense_widen_f16(source, target, count)
            case .bfloat16: unsafe pl_dense_widen_bf16(source, target, count)
            }
        }
    }

    /// Whether no element is infinite or not a number.
    package static func allFinite(_ x: Span<Float>) -> Bool {
        // SAFETY: the kernel reads x.count elements.
        unsafe pl_dense_all_finite(x.unsafeBase, x.count) != 0
    }
}
