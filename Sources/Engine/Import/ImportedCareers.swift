package import Store

/// What an import read: careers that are good, where they come from, and what was wrong with the others.
package struct ImportedCareers: Sendable {
    /// Distinct ids, in the order of the file.
    package var careers: [Career]
    /// One for every `source` that a career names, in the order of their first appearance.
    package var sources: [CareerSource]
    package var problems: ImportProblems
    /// What a person should know although nothing is wrong: “Job Zones.txt is not there: …”.
    package var notes: [String]
    /// Counts by name, such as `rows_read` and `wages_joined`, in the order to print them.
    package var statistics: [ImportStatistic]

    package init(
        careers: [Career] = [], sources: [CareerSource] = [], problems: ImportProblems = ImportProblems(),
        notes: [String] = [], statistics: [ImportStatistic] = []
    ) {
        self.careers = careers
        self.sources = sources
        self.problems = problems
        self.notes = notes
        self.statistics = statistics
    }

    /// The count of that name; 0 where there is none.
    package func count(_ name: String) -> Int { statistics.first { $0.name == name }?.count ?? 0 }
}

/// One count of an import.
package struct ImportStatistic: Sendable, Hashable {
    /// In lower case with underscores: `wages_joined`.
    package let name: String
    package let count: Int

    package init(_ name: String, _ count: Int) {
        self.name = name
        self.count = count
    }
}
