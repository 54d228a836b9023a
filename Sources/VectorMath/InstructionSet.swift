internal import CKernels

/// An instruction set that the scan kernels are written for.
///
/// `best` is resolved at run time from what the CPU reports; the others exist so that tests can hold
/// every kernel against the portable one, bit for bit.
package enum InstructionSet: Sendable, CaseIterable {
    case best
    case portable
    case avx2
    case avx512
    case neon

    /// Whether this CPU can run it.
    package var isAvailable: Bool { pl_isa_available(code) != 0 }

    /// The sets that this CPU can run, `best` left out.
    package static var available: [InstructionSet] {
        allCases.filter { $0 != .best && $0.isAvailable }
    }

    /// What `best` stands for on this CPU.
    package static var detected: InstructionSet {
        let code = pl_isa_best()
        return allCases.first { $0 != .best && $0.code == code } ?? .portable
    }

    var code: Int32 {
        switch self {
        case .best: Int32(PL_ISA_BEST)
        case .portable: Int32(PL_ISA_PORTABLE)
        case .avx2: Int32(PL_ISA_AVX2)
        case .avx512: Int32(PL_ISA_AVX512)
        case .neon: Int32(PL_ISA_NEON)
        }
    }
}
