/// Inner products in double precision.
enum WideSum {
    /// The inner product of `vector` with as many numbers of `row` from `start` on.
    ///
    /// Eight sums side by side, always in the same order: one alone waits for each addition to end before the next.
    static func product(_ vector: [Float], _ row: [Float], from start: Int) -> Double {
        precondition(start >= 0 && start + vector.count <= row.count, "the row is too short for the vector")
        var sums = SIMD8<Double>(repeating: 0)
        let whole = vector.count / 8 * 8
        for i in stride(from: 0, to: whole, by: 8) {
            var (a, b) = (SIMD8<Float>(repeating: 0), SIMD8<Float>(repeating: 0))
            for lane in 0..<8 {
                a[lane] = vector[i + lane]
                b[lane] = row[start + i + lane]
            }
            sums += SIMD8<Double>(a) * SIMD8<Double>(b)
        }
        var sum = sums.sum()
        for i in whole..<vector.count { sum += Double(vector[i]) * Double(row[start + i]) }
        return sum
    }
}
