import Synchronization
import VectorMath

// Scratch memory of one encoder call, kept for the next.

/// The intermediate results of one batch; grows to the largest batch it has served and stays.
struct EncoderWorkspace: ~Copyable {
    /// Tokens that the matrices hold.
    private(set) var tokens = 0
    /// Tokens of the longest text that `scores` holds.
    private(set) var longest = 0
    /// (tokens × hidden): what a layer reads and leaves.
    var state = AlignedBuffer<Float>(count: 0, repeating: 0)
    /// (tokens × 3 · hidden)
    var projections = AlignedBuffer<Float>(count: 0, repeating: 0)
    /// (tokens × hidden): the attention's result, then that of a dense layer.
    var context = AlignedBuffer<Float>(count: 0, repeating: 0)
    var output = AlignedBuffer<Float>(count: 0, repeating: 0)
    /// (tokens × intermediate)
    var inner = AlignedBuffer<Float>(count: 0, repeating: 0)
    /// (longest × longest): one head's attention.
    var scores = AlignedBuffer<Float>(count: 0, repeating: 0)

    mutating func reserve(tokens wanted: Int, longest wantedLongest: Int, _ configuration: ModelConfiguration) {
        if wanted > tokens {
            // Powers of two, so that slowly growing batches do not allocate every time.
            tokens = 32
            while tokens < wanted { tokens *= 2 }
            state = AlignedBuffer(count: tokens * configuration.hiddenSize, repeating: 0)
            projections = AlignedBuffer(count: tokens * configuration.hiddenSize * 3, repeating: 0)
            context = AlignedBuffer(count: tokens * configuration.hiddenSize, repeating: 0)
            output = AlignedBuffer(count: tokens * configuration.hiddenSize, repeating: 0)
            inner = AlignedBuffer(count: tokens * configuration.intermediateSize, repeating: 0)
        }
        if wantedLongest > longest {
            longest = wantedLongest
            scores = AlignedBuffer(count: longest * longest, repeating: 0)
        }
    }
}

/// A workspace that can be kept in an array.
///
/// SAFETY of `@unchecked Sendable`: the pool hands a box to one call at a time, and that call alone touches it.
final class WorkspaceBox: @unchecked Sendable {
    var workspace = EncoderWorkspace()
}

/// Workspaces waiting for their next call.
final class WorkspacePool: Sendable {
    private let waiting = Mutex<[WorkspaceBox]>([])
    private let maximum: Int

    /// - Parameter maximum: workspaces kept; more concurrent calls get theirs for once.
    init(maximum: Int) { self.maximum = maximum }

    func take() -> WorkspaceBox { waiting.withLock { $0.popLast() } ?? WorkspaceBox() }

    func give(back box: WorkspaceBox) {
        waiting.withLock { if $0.count < maximum { $0.append(box) } }
    }
}
