import Engine
import TestSupport
import Testing

struct TitleCodesTests {
    private static func cosine(_ a: [Float], _ b: [Float]) -> Double {
        zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    /// Each number is off by half a step at most, and a step is the greatest number's 127th part: the codes' direction is
    /// off by an angle whose sine is at most √dimension / 2 · greatest / 127.
    @Test(arguments: [1, 2, 16, 384, 768])
    func `rounding turns a vector by no more than its steps allow`(dimension: Int) {
        var random = SeededGenerator(seed: 320)
        for _ in 0..<200 {
            var vector = random.direction(dimension)
            if Bool.random(using: &random) {
                // One great number, beside which all others have coarse steps.
                vector[0] = 10
                let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
                vector = vector.map { $0 / norm }
            }
            let codes = TitleCodes(dimension: dimension, rounding: [vector])
            let greatest = vector.map { abs(Double($0)) }.max() ?? 0
            let sine = Double(dimension).squareRoot() / 2 * greatest / 127
            let least = (1 - min(sine * sine, 1)).squareRoot()
            #expect(Self.cosine(vector, codes.vector(of: 0)) >= least - 1e-6, "\(random)")
            #expect(codes.codes.map { abs(Int($0)) }.max() == 127, "\(random)")
            let scale = 127 / greatest
            for (value, code) in zip(vector, codes.codes) {
                #expect(abs(Double(value) * scale - Double(code)) <= 0.5 + 1e-4, "\(random)")
            }
        }
    }

    @Test func `vectors have unit length, and are rounded to the same codes again`() {
        var random = SeededGenerator(seed: 321)
        let vectors = (0..<100).map { _ in random.direction(384) }
        let codes = TitleCodes(dimension: 384, rounding: vectors)
        #expect(codes.count == 100 && codes.codes.count == 100 * 384)
        let decoded = (0..<100).map { codes.vector(of: $0) }
        for vector in decoded { #expect(abs(Self.cosine(vector, vector) - 1) < 1e-6, "\(random)") }
        #expect(TitleCodes(dimension: 384, rounding: decoded) == codes, "\(random)")
        // Each title's are its own, whatever comes before it.
        for title in [0, 1, 50, 99] {
            let alone = TitleCodes(dimension: 384, rounding: [vectors[title]])
            #expect(alone.codes == Array(codes.codes(of: title)), "\(random)")
            #expect(alone.vector(of: 0) == decoded[title], "\(random)")
        }
    }

    @Test func `length does not count, direction does`() {
        let codes = TitleCodes(dimension: 2, rounding: [[0.6, 0.8], [0.3, 0.4], [-0.6, -0.8], [1, 0]])
        #expect(codes.codes == [95, 127, 95, 127, -95, -127, 127, 0])
    }

    @Test func `a vector of zeros stays one`() {
        let codes = TitleCodes(dimension: 3, rounding: [[0, 0, 0], [0, -0.0, 0], [0, 1, 0]])
        #expect(codes.codes.prefix(6).allSatisfy { $0 == 0 })
        #expect(codes.vector(of: 0) == [0, 0, 0] && codes.vector(of: 1) == [0, 0, 0])
        #expect(codes.vector(of: 2) == [0, 1, 0])
        #expect(TitleCodes(dimension: 3, codes: []).count == 0)
    }
}
