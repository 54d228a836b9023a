internal import Engine
internal import Store

/// The careers of a generation by what people call them.
struct CareerNames: Sendable {
    let generation: UInt64
    private let careers: [String: Career]

    /// - Complexity: linear in the names and aliases; of a large catalogue not for the threads that answer requests.
    init(_ generation: CareerGeneration) {
        self.generation = generation.number
        var careers: [String: Career] = [:]
        // A name goes before every alias, and of equal ones the first in alphabetical order: the same each time.
        for career in generation.orderedCareers { Self.add(career.name, career, to: &careers) }
        for career in generation.orderedCareers {
            for alias in career.aliases { Self.add(alias, career, to: &careers) }
        }
        self.careers = careers
    }

    private static func add(_ name: String, _ career: Career, to careers: inout [String: Career]) {
        let key = key(name)
        if !key.isEmpty, careers[key] == nil { careers[key] = career }
    }

    /// The career of that name or alias; spelling counts, capitals, spaces and hyphens do not.
    func career(named name: String) -> Career? { careers[Self.key(name)] }

    /// Two names with equal keys are the same name. Empty where there is no letter in it.
    static func key(_ name: String) -> String {
        guard name.contains(where: \.isLetter) else { return "" }
        return InputMarker.normalised(name)
            .split { !($0.isLetter || $0.isNumber || $0 == "+" || $0 == "#") }
            .joined(separator: " ")
    }
}

/// The names of the generation that was asked for last, made on a thread of their own and kept.
struct LatestCareerNames: Sendable {
    private let latest = Guarded<CareerNames?>(nil)

    func names(of generation: CareerGeneration) async throws -> CareerNames {
        if let known = latest.withLock({ $0 }), known.generation == generation.number { return known }
        // Outside the lock: two may both do this once, and nobody waits.
        let made = try await OwnThread.run { CareerNames(generation) }
        latest.withLock { $0 = made }
        return made
    }
}
