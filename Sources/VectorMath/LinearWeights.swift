internal import CKernels

/// A dense layer, or a part of one, packed for products with few rows.
///
/// Filled once, then read by any number of threads.
package struct LinearWeights: ~Copyable, Sendable {
    package let inputs: Int
    package let outputs: Int
    package let precision: DensePrecision
    /// Outputs rounded up to whole panels.
    private let width: Int
    /// Panels of (inputs × panel), in float32; empty in int8.
    private var values: AlignedBuffer<Float>
    /// Panels of (inputs / 4 × panel × 4), in int8; empty in float32.
    private var codes: AlignedBuffer<Int8>
    /// (width): a code's worth; and the sum of the codes of an output.
    private var scales: AlignedBuffer<Float>
    private var sums: AlignedBuffer<Float>
    /// (width)
    private var bias: AlignedBuffer<Float>

    private static var panel: Int { Int(PL_LINEAR_PANEL) }

    /// A layer of zeros.
    package init(inputs: Int, outputs: Int, precision: DensePrecision) {
        precondition(inputs > 0 && outputs > 0, "a layer has inputs and outputs")
        self.inputs = inputs
        self.outputs = outputs
        self.precision = precision
        width = (outputs + Self.panel - 1) / Self.panel * Self.panel
        let isFloat = precision == .float32
        values = AlignedBuffer(zeroed: isFloat ? inputs * width : 0)
        codes = AlignedBuffer(zeroed: isFloat ? 0 : (inputs + 3) / 4 * 4 * width)
        scales = AlignedBuffer(zeroed: isFloat ? 0 : width)
        sums = AlignedBuffer(zeroed: isFloat ? 0 : width)
        bias = AlignedBuffer(zeroed: width)
    }

    /// Bytes of memory.
    package var byteCount: Int { values.count * 4 + codes.count + (scales.count + sums.count + bias.count) * 4 }

    /// Sets some outputs.
    ///
    /// - Parameters:
    ///   - start: the first of the outputs.
    ///   - weights: as models store them: (outputs to set × inputs).
    ///   - bias: of those outputs; empty for none.
    package mutating func fill(from start: Int, weights: DenseMatrixView, bias: Span<Float>) {
        precondition(start >= 0 && start + weights.rows <= outputs, "more outputs than the layer has")
        precondition(weights.columns == inputs, "weights for each input")
        precondition(bias.isEmpty || bias.count == weights.rows, "a bias for each output")
        for row in 0..<weights.rows {
            let line = weights.elements.extracting(row * weights.stride..<row * weights.stride + inputs)
            switch precision {
            case .float32: fillFloats(start + row, line)
            case .int8: fillCodes(start + row, line)
            }
            if !bias.isEmpty { self.bias[start + row] = bias[row] }
        }
    }

    private mutating func fillFloats(_ output: Int, _ weights: Span<Float>) {
        let place = output / Self.panel * Self.panel * inputs + output % Self.panel
        for input in 0..<inputs { values[place + input * Self.panel] = weights[input] }
    }

    private mutating func fillCodes(_ output: Int, _ weights: Span<Float>) {
        var most: Float = 0
        for input in 0..<inputs { most = max(most, abs(weights[input])) }
        // A layer that is not finite must not be told apart from one that is by its codes: its scale says so.
        let scale = most / 127
        let inverse = most > 0 && most.isFinite ? 127 / most : 0
        let place = output / Self.panel * Self.panel * ((inputs + 3) / 4 * 4) + output % Self.panel * 4
        var sum = 0
        for input in 0..<inputs {
            let value = weights[input] * inverse
            let code = Int8(value.isFinite ? max(-127, min(127, value.rounded(.toNearestOrEven))) : 0)
            codes[place + input / 4 * 4 * Self.panel + input % 4] = code
            sum += Int(code)
        }
        scales[output] = weights.allFinite ? scale : .nan
        sums[output] = Float(sum)
    }

    /// `output[range + offset] = activation(input[range] · weights + bias)`.
    ///
    /// - Parameters:
    ///   - input: its values in float32; its codes, which must be up to date, in int8.
    ///   - offset: from a row of the input to its row in the output.
    package func apply(
        to input: ActivationMatrix, _ range: Range<Int>, activation: DenseMath.Activation? = nil,
        into output: ActivationMatrix, offset: Int = 0, set: InstructionSet = .best
    ) {
        input.check(range)
        output.check(range.lowerBound + offset..<range.upperBound + offset)
        precondition(input.columns == inputs && output.columns == outputs, "matrices fit the layer")
        let target = unsafe output.values + (range.lowerBound + offset) * output.stride
        let first = range.lowerBound
        switch precision {
        case .float32:
            // SAFETY: rows in bounds; the output's rows have room for whole panels; packed as the kernel reads it.
            unsafe pl_linear_f32(
                set.code, input.values + first * input.stride, input.stride, range.count, values.span.unsafeBase,
                inputs, outputs, bias.span.unsafeBase, activation.code, target, output.stride)
        case .int8:
            precondition(input.codeStride > 0, "the input was made without codes")
            // SAFETY: as above; codes have a multiple of 4 a row, zeros beyond the columns.
            unsafe codes.span.withUnsafeBufferPointer { packed in
                var rows = unsafe pl_linear_rows(
                    codes: input.codes + first * input.codeStride, scales: input.scales + first,
                    lows: input.lows + first, stride: input.codeStride)
                var weights = unsafe pl_linear_codes(
                    packed: packed.baseAddress, scales: scales.span.unsafeBase, sums: sums.span.unsafeBase,
                    inputs: inputs, outputs: outputs)
                unsafe pl_linear_i8(
                    set.code, &rows, range.count, &weights, bias.span.unsafeBase, activation.code, target,
                    output.stride)
            }
        }
    }
}

extension Span where Element == Float {
    /// Whether no element is infinite or not a number.
    fileprivate var allFinite: Bool { DenseMath.allFinite(self) }
}

extension DenseMath.Activation? {
    fileprivate var code: Int32 {
        switch self {
        case nil: Int32(PL_LINEAR_PLAIN)
        case .gelu: Int32(PL_LINEAR_GELU)
        case .geluTanh: Int32(PL_LINEAR_GELU_TANH)
        case .relu: Int32(PL_LINEAR_RELU)
        }
    }
}
