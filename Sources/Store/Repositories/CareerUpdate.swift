/// A change to the catalogue, made whole or not at all.
package struct CareerUpdate: Sendable, Equatable {
    /// With distinct ids; a career of another source that has the id of one is taken over.
    package var careers: [CareerContent]
    /// Sources to add or describe anew, with distinct names; the others stay.
    package var sources: [CareerSource]
    /// Sources whose active careers are retired unless they are among `careers`.
    package var retiringMissingOf: Set<String>
    /// Retires every active career that is not among `careers`, whatever its source.
    package var retiringAllOtherSources: Bool
    /// Keeps all careers of a source of `retiringMissingOf` that has at least `smallestGuardedSource` of them and would
    /// lose more than half: more likely a file was cut off than a source so changed.
    package var keepingSourcesThatWouldShrink: Bool
    /// By source: a setting that becomes `true` together with an update that retires all other sources, unless that
    /// source was kept.
    package var settingsOfRetiredSources: [String: String]

    /// Active careers from which on a source is kept: of a handful, most may well go at once.
    package static let smallestGuardedSource = 10

    package init(
        careers: [CareerContent], sources: [CareerSource] = [], retiringMissingOf: Set<String> = [],
        retiringAllOtherSources: Bool = false, keepingSourcesThatWouldShrink: Bool = false,
        settingsOfRetiredSources: [String: String] = [:]
    ) {
        self.careers = careers
        self.sources = sources
        self.retiringMissingOf = retiringMissingOf
        self.retiringAllOtherSources = retiringAllOtherSources
        self.keepingSourcesThatWouldShrink = keepingSourcesThatWouldShrink
        self.settingsOfRetiredSources = settingsOfRetiredSources
    }

    /// Refuses what has no one meaning.
    ///
    /// - Throws: `StoreError` of code `invalidValue` for an id or a source given twice.
    func validate() throws {
        for (what, names) in [("careers", careers.map(\.id)), ("sources", sources.map(\.name))] {
            guard Set(names).count < names.count else { continue }
            let twice = Dictionary(grouping: names) { $0 }.filter { $0.value.count > 1 }.keys.sorted()
            throw StoreError(.invalidValue, "\(what) given twice: \(twice.joined(separator: ", "))")
        }
    }
}

/// What an update of the catalogue changed; ids are in ascending order.
package struct CareerUpdateReport: Sendable, Equatable {
    /// What an update did to the careers of one source.
    package struct Counts: Sendable, Equatable {
        package internal(set) var added = 0
        package internal(set) var changed = 0
        package internal(set) var unchanged = 0
        package internal(set) var retired = 0
        /// Missing from the update, and kept because more than half of the source was.
        package internal(set) var kept = 0
        /// Active careers before the update.
        package internal(set) var before = 0
    }

    /// An active career that went from one source to another.
    package struct Takeover: Sendable, Equatable {
        package let id: String
        package let from: String
        package let to: String
    }

    package internal(set) var added: [String] = []
    /// Whose content or source differs, or who were retired and came back.
    package internal(set) var changed: [String] = []
    package internal(set) var unchanged: [String] = []
    package internal(set) var retired: [String] = []
    /// Those of the changed ones that another source gave before.
    package internal(set) var takenOver: [Takeover] = []
    /// Names of the sources that are new or described otherwise than before, ascending.
    package internal(set) var changedSources: [String] = []
    /// By name: every source that gave or lost a career, or whose careers were kept.
    package internal(set) var sources: [String: Counts] = [:]

    /// Whether the catalogue is another one than before.
    package var hasChanges: Bool {
        !(added.isEmpty && changed.isEmpty && retired.isEmpty && changedSources.isEmpty)
    }
}
