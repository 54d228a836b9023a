import Synchronization
import VectorMath

// Scratch memory of one encoder call, kept for the next.

/// What one lane needs for the slice it is at.
final class LaneWorkspace: Sendable {
    /// (tokens × 3 · the slice's heads)
    let projections: ActivationMatrix
    /// (tokens × the slice's heads): the attention's result.
    let context: ActivationMatrix
    /// (tokens × the slice's inner numbers)
    let inner: ActivationMatrix
    /// One row.
    let attention: ActivationMatrix

    init(tokens: Int, longest: Int, heads: Int, inner: Int, _ configuration: ModelConfiguration, withCodes: Bool) {
        let size = heads * configuration.headSize
        projections = ActivationMatrix(rows: tokens, columns: 3 * size)
        context = ActivationMatrix(rows: tokens, columns: size, withCodes: withCodes)
        self.inner = ActivationMatrix(rows: tokens, columns: inner, withCodes: withCodes)
        attention = ActivationMatrix(
            rows: 1, columns: ActivationMatrix.attentionScratch(tokens: longest, size: configuration.headSize))
    }
}

/// The intermediate results of one batch.
final class EncoderWorkspace: Sendable {
    let tokens: Int
    let longest: Int
    /// (tokens × hidden): what a layer reads and leaves.
    let state: ActivationMatrix
    /// (slices · tokens × hidden): what each slice adds to the state.
    let parts: ActivationMatrix
    /// Lane × shape: slices of a model may differ in size by one inner number.
    private let lanes: [[Shape: LaneWorkspace]]

    private struct Shape: Hashable {
        let heads: Int
        let inner: Int
    }

    init(tokens: Int, longest: Int, lanes: Int, _ configuration: ModelConfiguration, _ precision: DensePrecision) {
        self.tokens = tokens
        self.longest = longest
        let withCodes = precision == .int8
        state = ActivationMatrix(rows: tokens, columns: configuration.hiddenSize, withCodes: withCodes)
        parts = ActivationMatrix(
            rows: tokens * configuration.sliceHeads.count, columns: configuration.hiddenSize)
        let shapes = Set(
            zip(configuration.sliceHeads, configuration.sliceInner).map { Shape(heads: $0.count, inner: $1.count) })
        self.lanes = (0..<lanes).map { _ in
            var spaces: [Shape: LaneWorkspace] = [:]
            for shape in shapes {
                spaces[shape] = LaneWorkspace(
                    tokens: tokens, longest: longest, heads: shape.heads, inner: shape.inner, configuration,
                    withCodes: withCodes)
            }
            return spaces
        }
    }

    var laneCount: Int { lanes.count }

    /// What `lane` uses for `slice`.
    func space(_ lane: Int, _ slice: LayerSlice) -> LaneWorkspace {
        guard let space = lanes[lane][Shape(heads: slice.heads.count, inner: slice.inner.count)] else {
            preconditionFailure("a workspace belongs to one model")
        }
        return space
    }
}

/// Workspaces waiting for their next call.
final class WorkspacePool: Sendable {
    private let waiting = Mutex<[EncoderWorkspace]>([])
    private let maximum: Int

    /// - Parameter maximum: workspaces kept of each number of lanes; more concurrent calls get theirs for once.
    init(maximum: Int) { self.maximum = maximum }

    /// A workspace for so many tokens and lanes, or more.
    func take(
        tokens: Int, longest: Int, lanes: Int, _ configuration: ModelConfiguration, _ precision: DensePrecision
    ) -> EncoderWorkspace {
        let known = waiting.withLock { waiting -> EncoderWorkspace? in
            let fit = waiting.firstIndex { $0.tokens >= tokens && $0.longest >= longest && $0.laneCount == lanes }
            return fit.map { waiting.remove(at: $0) }
        }
        if let known { return known }
        // Powers of two, so that slowly growing texts do not allocate every time.
        var rows = 32
        while rows < tokens { rows *= 2 }
        return EncoderWorkspace(tokens: rows, longest: rows, lanes: lanes, configuration, precision)
    }

    /// Keeps the workspace, in the place of the smallest one like it if there are enough.
    func give(back workspace: EncoderWorkspace) {
        waiting.withLock { waiting in
            waiting.append(workspace)
            let alike = waiting.indices.filter { waiting[$0].laneCount == workspace.laneCount }
            guard alike.count > maximum else { return }
            if let least = alike.min(by: { waiting[$0].tokens < waiting[$1].tokens }) { waiting.remove(at: least) }
        }
    }
}
