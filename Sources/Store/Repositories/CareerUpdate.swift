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

    package init(
        careers: [CareerContent], sources: [CareerSource] = [], retiringMissingOf: Set<String> = [],
        retiringAllOtherSources: Bool = false
    ) {
        self.careers = careers
        self.sources = sources
        self.retiringMissingOf = retiringMissingOf
        self.retiringAllOtherSources = retiringAllOtherSources
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
    package internal(set) var added: [String] = []
    /// Whose content or source differs, or who were retired and came back.
    package internal(set) var changed: [String] = []
    package internal(set) var unchanged: [String] = []
    package internal(set) var retired: [String] = []
    /// Names of the sources that are new or described otherwise than before, ascending.
    package internal(set) var changedSources: [String] = []

    /// Whether the catalogue is another one than before.
    package var hasChanges: Bool {
        !(added.isEmpty && changed.isEmpty && retired.isEmpty && changedSources.isEmpty)
    }
}
