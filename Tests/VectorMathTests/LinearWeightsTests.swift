import Foundation
import TestSupport
import Testing
import VectorMath

/// Packed dense layers, on every instruction set, against plain arithmetic in Double.
struct LinearWeightsTests {
    struct Shape: Sendable {
        let rows: Int
        let inputs: Int
        let outputs: Int
    }

    private static let shapes = [
        Shape(rows: 1, inputs: 1, outputs: 1), Shape(rows: 2, inputs: 5, outputs: 3),
        Shape(rows: 9, inputs: 17, outputs: 48), Shape(rows: 16, inputs: 96, outputs: 49),
        Shape(rows: 23, inputs: 384, outputs: 288), Shape(rows: 8, inputs: 130, outputs: 100),
    ]

    private static func numbers(_ count: Int, _ random: inout SeededGenerator) -> [Float] {
        (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
    }

    private static func layer(
        _ shape: Shape, _ precision: DensePrecision, weights: [Float], bias: [Float]
    ) -> LinearWeights {
        var layer = LinearWeights(inputs: shape.inputs, outputs: shape.outputs, precision: precision)
        layer.fill(
            from: 0, weights: DenseMatrixView(weights.span, rows: shape.outputs, columns: shape.inputs),
            bias: bias.span)
        return layer
    }

    private static func matrix(_ rows: Int, _ columns: Int, _ values: [Float]) -> ActivationMatrix {
        let matrix = ActivationMatrix(rows: rows, columns: columns, withCodes: true)
        for row in 0..<rows {
            matrix.write(row: row) { span in
                for column in 0..<columns { span[column] = values[row * columns + column] }
            }
        }
        matrix.quantise(0..<rows)
        return matrix
    }

    private static func values(_ matrix: ActivationMatrix) -> [Float] {
        var all: [Float] = []
        for row in 0..<matrix.rows {
            matrix.write(row: row) { span in
                for column in 0..<span.count { all.append(span[column]) }
            }
        }
        return all
    }

    private static func activated(_ x: Double, _ activation: DenseMath.Activation?) -> Double {
        switch activation {
        case nil: x
        case .relu: max(x, 0)
        case .gelu: 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
        case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        }
    }

    @Test(arguments: shapes, [nil, .gelu, .geluTanh, .relu] as [DenseMath.Activation?])
    func `multiplies, adds the bias and activates`(shape: Shape, activation: DenseMath.Activation?) {
        var random = SeededGenerator(seed: 11)
        let input = Self.numbers(shape.rows * shape.inputs, &random)
        let weights = Self.numbers(shape.outputs * shape.inputs, &random)
        let bias = Self.numbers(shape.outputs, &random)
        var exact: [Double] = []
        for row in 0..<shape.rows {
            for output in 0..<shape.outputs {
                var sum = Double(bias[output])
                for index in 0..<shape.inputs {
                    sum += Double(input[row * shape.inputs + index]) * Double(weights[output * shape.inputs + index])
                }
                exact.append(Self.activated(sum, activation))
            }
        }
        let size = Double(shape.inputs).squareRoot()
        for precision in DensePrecision.allCases {
            let layer = Self.layer(shape, precision, weights: weights, bias: bias)
            let matrix = Self.matrix(shape.rows, shape.inputs, input)
            for set in InstructionSet.available {
                let output = ActivationMatrix(rows: shape.rows + 3, columns: shape.outputs)
                layer.apply(to: matrix, 0..<shape.rows, activation: activation, into: output, offset: 3, set: set)
                let found = Self.values(output).dropFirst(3 * shape.outputs)
                let worst = zip(found, exact).map { abs(Double($0) - $1) }.max() ?? 1
                // Half a code of either side, for each input, adds up as a random walk does; six of its deviations.
                let limit = precision == .float32 ? 2e-6 * size : 6 * size * (1.0 / 255 + 0.5 / 127) * 0.58
                #expect(worst <= limit, "\(precision) on \(set)")
            }
        }
    }

    @Test(arguments: shapes)
    func `gives a row the same numbers whatever rows are beside it`(shape: Shape) {
        var random = SeededGenerator(seed: 12)
        let matrix = Self.matrix(
            shape.rows, shape.inputs, Self.numbers(shape.rows * shape.inputs, &random))
        let weights = Self.numbers(shape.outputs * shape.inputs, &random)
        let bias = Self.numbers(shape.outputs, &random)
        for precision in DensePrecision.allCases {
            let layer = Self.layer(shape, precision, weights: weights, bias: bias)
            for set in InstructionSet.available {
                let together = ActivationMatrix(rows: shape.rows, columns: shape.outputs)
                layer.apply(to: matrix, 0..<shape.rows, into: together, set: set)
                let alone = ActivationMatrix(rows: shape.rows, columns: shape.outputs)
                for row in 0..<shape.rows { layer.apply(to: matrix, row..<row + 1, into: alone, set: set) }
                #expect(Self.values(together) == Self.values(alone), "\(precision) on \(set)")
            }
        }
    }

    @Test func `multiplies codes exactly`() {
        // Values that are codes themselves: whole numbers from 0 to 255, and from -127 to 127.
        var random = SeededGenerator(seed: 13)
        let shape = Shape(rows: 11, inputs: 50, outputs: 97)
        var input = (0..<shape.rows * shape.inputs).map { _ in Float(Int.random(in: 0...255, using: &random)) }
        var weights = (0..<shape.outputs * shape.inputs).map { _ in Float(Int.random(in: -127...127, using: &random)) }
        for row in 0..<shape.rows { input[row * shape.inputs] = 0; input[row * shape.inputs + 1] = 255 }
        for output in 0..<shape.outputs { weights[output * shape.inputs + 2] = -127 }
        let layer = Self.layer(shape, .int8, weights: weights, bias: [Float](repeating: 0, count: shape.outputs))
        let matrix = Self.matrix(shape.rows, shape.inputs, input)
        for set in InstructionSet.available {
            let output = ActivationMatrix(rows: shape.rows, columns: shape.outputs)
            layer.apply(to: matrix, 0..<shape.rows, into: output, set: set)
            let found = Self.values(output)
            for row in 0..<shape.rows {
                for column in 0..<shape.outputs {
                    var sum: Float = 0
                    for index in 0..<shape.inputs {
                        sum += input[row * shape.inputs + index] * weights[column * shape.inputs + index]
                    }
                    #expect(found[row * shape.outputs + column] == sum, "on \(set)")
                }
            }
        }
    }

    @Test func `keeps what is not finite`() {
        for (place, value) in [(0, Float.nan), (7, .infinity), (19, -.infinity)] {
            var input = [Float](repeating: 0.5, count: 20)
            input[place] = value
            let matrix = Self.matrix(1, 20, input)
            let shape = Shape(rows: 1, inputs: 20, outputs: 2)
            let layer = Self.layer(
                shape, .int8, weights: [Float](repeating: 1, count: 40), bias: [0, 0])
            let output = ActivationMatrix(rows: 1, columns: 2)
            layer.apply(to: matrix, 0..<1, into: output)
            #expect(Self.values(output).allSatisfy { !$0.isFinite })
        }
    }
}
