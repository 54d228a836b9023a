internal import Foundation
internal import Monitor
internal import Store

/// What is said of a list besides its careers: what made it, and how old it is.
struct ListNote {
    /// Of a list that nobody's own has been made in place of yet.
    static let demo = ListNote(origin: DemoLists.origin, madeAt: nil, generation: nil, isOutdated: true)

    private let origin: String
    /// Nil for demo data.
    private let madeAt: Date?
    /// Of the catalogue that it was made from.
    private let generation: Int64?
    /// Whether the next run makes it anew for its age.
    private let isOutdated: Bool

    init(_ list: InterestListRecord, outdatedBefore: Date, now: Date) {
        self.init(
            origin: list.origin.rawValue, madeAt: list.madeAt, generation: list.generation,
            isOutdated: Self.isOutdated(list.origin, list.madeAt, before: outdatedBefore, now: now))
    }

    init(_ paths: CoursePathsRecord, outdatedBefore: Date, now: Date) {
        self.init(
            origin: paths.origin.rawValue, madeAt: paths.madeAt, generation: paths.generation,
            isOutdated: Self.isOutdated(paths.origin, paths.madeAt, before: outdatedBefore, now: now))
    }

    private init(origin: String, madeAt: Date?, generation: Int64?, isOutdated: Bool) {
        self.origin = origin
        self.madeAt = madeAt
        self.generation = generation
        self.isOutdated = isOutdated
    }

    /// As the repositories tell who is due: nothing is younger than now.
    private static func isOutdated(_ origin: ListOrigin, _ madeAt: Date, before: Date, now: Date) -> Bool {
        origin == .fallback || madeAt < before || madeAt > now
    }

    /// Writes the members of an object that is open.
    func write(to json: inout JSONWriter, now: Date) {
        json.field("demo", madeAt == nil)
        json.field("origin", origin)
        json.name("made_at")
        if let madeAt { json.value(madeAt) } else { json.null() }
        json.name("age_seconds")
        if let madeAt { json.value(Int(max(0, now.timeIntervalSince(madeAt)))) } else { json.null() }
        json.field("is_outdated", isOutdated)
        json.name("generation")
        if let generation { json.value(generation) } else { json.null() }
    }
}
