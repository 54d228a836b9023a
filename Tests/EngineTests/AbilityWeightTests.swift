import Engine
import Foundation
import TestSupport
import Testing

/// Sessions in which people want careers by a rule that is known.
struct PlantedFeedback {
    /// What each ability counts for those people.
    let weights: [Double]
    /// How much the abilities count in all; 0 for people who choose by chance.
    let strength: Double

    static let equal = [Double](repeating: 1, count: Ability.count)

    func samples(groups: Int, each: Int, seed: UInt64) -> [AbilityWeightSample] {
        var random = SeededGenerator(seed: seed)
        func unit() -> [Float] {
            let values = (0..<Ability.count).map { _ in random.nextGaussian() }
            let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return values.map { Float($0 / length) }
        }
        return (0..<groups).flatMap { group in
            let person = unit()
            return (0..<each).map { _ in
                let career = unit()
                let text = random.nextGaussian() * 0.1
                let ability = (0..<Ability.count).reduce(0.0) {
                    $0 + weights[$1] * Double(person[$1]) * Double(career[$1])
                }
                let chance = 1 / (1 + exp(-(strength * ability + 8 * text)))
                let wanted = Double.random(in: 0..<1, using: &random) < chance
                return AbilityWeightSample(
                    group: "visit-\(seed)-\(group)", person: person, career: career, offset: text,
                    target: wanted ? 1 : 0)
            }
        }
    }
}

@Suite struct `Ability weights` {
    @Test func `that were planted are found and adopted`() throws {
        let strong: [Ability] = [.creativity, .empathy, .organisation]
        let planted = Ability.allCases.map { strong.contains($0) ? 3.0 : 1 }
        let samples = PlantedFeedback(weights: planted, strength: 4).samples(groups: 600, each: 10, seed: 7)
        let report = AbilityWeightReport.learn(samples)
        #expect(report.isAdopted, "\(report.reason)")
        let order = Ability.allCases.sorted { report.weights[$0] > report.weights[$1] }
        #expect(Set(order.prefix(3)) == Set(strong), "\(report.weights)")
        let equal = try #require(report.equalWeights?.auc)
        let learned = try #require(report.learnedWeights?.auc)
        #expect(learned > equal)
        #expect(try #require(report.learnedWeights).meanSquaredError < #require(report.equalWeights).meanSquaredError)
        let difference = try #require(report.aucDifference)
        #expect(abs(difference.value - (learned - equal)) < 1e-12)
        #expect(difference.low > 0 && difference.low <= difference.value && difference.value <= difference.high)
    }

    /// Whoever chooses by chance, and whoever weighs all abilities alike, must leave the weights as they are; at
    /// 95 % one in forty may be misled.
    @Test(arguments: [(0.0, 60), (4.0, 60), (4.0, 300)])
    func `are not adopted where there is nothing to learn`(strength: Double, groups: Int) {
        var adopted: [UInt64] = []
        for seed in UInt64(1)...20 {
            let samples = PlantedFeedback(weights: PlantedFeedback.equal, strength: strength)
                .samples(groups: groups, each: 8, seed: seed)
            if AbilityWeightReport.learn(samples).isAdopted { adopted.append(seed) }
        }
        #expect(adopted.count <= 1, "seeds \(adopted)")
    }

    @Test func `are not learned from too little, and the reason says so`() {
        let feedback = PlantedFeedback(weights: PlantedFeedback.equal, strength: 4)
        for (groups, each, words) in [
            (10, 10, "100 samples of 10 sessions"), (20, 50, "1000 samples of 20 sessions"),
            (40, 4, "160 samples of 40 sessions"), (0, 0, "0 samples of 0 sessions"),
        ] {
            let report = AbilityWeightReport.learn(feedback.samples(groups: groups, each: each, seed: 3))
            #expect(!report.isAdopted && report.weights == .equal && report.learnedWeights == nil)
            #expect(report.reason.contains("too little feedback") && report.reason.contains(words), "\(report.reason)")
        }
    }

    @Test func `are not learned where only one thing happened or abilities speak against`() {
        let saved = PlantedFeedback(weights: PlantedFeedback.equal, strength: 4).samples(groups: 100, each: 8, seed: 4)
            .map { AbilityWeightSample(group: $0.group, features: $0.features, offset: $0.offset, target: 1) }
        #expect(AbilityWeightReport.learn(saved).reason.contains("all wanted or all unwanted"))
        let contrary = PlantedFeedback(weights: PlantedFeedback.equal, strength: -6)
            .samples(groups: 100, each: 8, seed: 5)
        let report = AbilityWeightReport.learn(contrary)
        #expect(!report.isAdopted && report.reason.contains("do not speak for"))
    }

    @Test func `do not depend on the texts' part being there, on damaged samples or on what comes later`() throws {
        let planted = Ability.allCases.map { $0 == .creativity ? 4.0 : 0.8 }
        let samples = PlantedFeedback(weights: planted, strength: 4).samples(groups: 300, each: 8, seed: 6)
        let without = samples.map {
            AbilityWeightSample(group: $0.group, features: $0.features, offset: 0, target: $0.target)
        }
        #expect(AbilityWeightReport.learn(without).weights[.creativity] > 2)
        let damaged = [Double.nan, .infinity, 1e300, -2].map {
            AbilityWeightSample(
                group: "odd", features: Array(repeating: $0, count: Ability.count), offset: 0, target: 1)
        }
        var report = AbilityWeightReport.learn(samples + damaged)
        #expect(report.leftOut == damaged.count && report.samples == samples.count)
        #expect(report.weights == AbilityWeightReport.learn(samples).weights)
        // A group stays on its side of the split.
        let heldOut = report.heldOutSamples
        let more = PlantedFeedback(weights: planted, strength: 4).samples(groups: 50, each: 8, seed: 60)
        report = AbilityWeightReport.learn(samples + more)
        #expect(report.heldOutSamples == heldOut + AbilityWeightReport.learn(more).heldOutSamples)
        #expect((0.12...0.28).contains(Double(report.heldOutSamples) / Double(report.samples)))
    }

    @Test func `keep their range and mean whatever the coefficients`() throws {
        var random = SeededGenerator(seed: 8)
        for _ in 0..<500 {
            let coefficients = (0..<Ability.count).map { _ in
                exp(random.nextGaussian() * 3) * (Int.random(in: 0..<3, using: &random) == 0 ? -1 : 1)
            }
            guard let weights = AbilityWeights(coefficients: coefficients) else {
                #expect(coefficients.reduce(0, +) <= 0)
                continue
            }
            #expect(weights.values.allSatisfy { (0.25...4).contains($0) }, "\(random)")
            #expect(abs(weights.values.reduce(0, +) / 15 - 1) < 1e-9, "\(random)")
            #expect(AbilityWeights(weights.values) == weights)
            for (a, b) in zip(coefficients, weights.values) {
                for (c, d) in zip(coefficients, weights.values) where a > c { #expect(b >= d, "\(random)") }
            }
            let data = try JSONEncoder().encode(weights)
            #expect(try JSONDecoder().decode(AbilityWeights.self, from: data) == weights)
        }
        #expect(
            AbilityWeights(coefficients: Array(repeating: 0.3, count: 15))?.values.allSatisfy { abs($0 - 1) < 1e-9 }
                == true)
        #expect(AbilityWeights(coefficients: Array(repeating: 0, count: 15)) == nil)
        #expect(AbilityWeights(Array(repeating: 2, count: 15)) == nil && AbilityWeights([1]) == nil)
    }

    @Test(arguments: ["{}", "[1]", #"{"creativity": 1}"#, "null"])
    func `that are none are refused`(json: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(AbilityWeights.self, from: Data(json.utf8))
        }
    }

    @Test func `leave a vector's length alone, and an equal one bit for bit`() throws {
        var random = SeededGenerator(seed: 9)
        let values = (0..<Ability.count).map { _ in Float(random.nextGaussian()) }
        let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let vector = values.map { $0 / length }
        #expect(AbilityWeights.equal.applied(to: vector) == vector)
        let weights = try #require(AbilityWeights(coefficients: (1...15).map(Double.init)))
        let weighted = weights.applied(to: vector)
        #expect(abs(weighted.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
        #expect(
            abs(weighted[14] / weighted[7] / (vector[14] / vector[7]) - Float(weights.values[14] / weights.values[7]))
                < 1e-3)
        let none = [Float](repeating: 0, count: Ability.count)
        #expect(weights.applied(to: none) == none)
    }

    @Test func `are reported as JSON in snake_case and as a table`() throws {
        let samples = PlantedFeedback(weights: PlantedFeedback.equal, strength: 4).samples(
            groups: 80, each: 5, seed: 10)
        let report = AbilityWeightReport.learn(samples)
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(AbilityWeightReport.self, from: data) == report)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect((object["weights"] as? [String: Double])?.count == Ability.count)
        #expect(object["is_adopted"] as? Bool == report.isAdopted && object["held_out_groups"] is Int)
        #expect(report.markdown.contains("| attention to detail |") && report.markdown.contains("| adopted | no |"))
    }
}
