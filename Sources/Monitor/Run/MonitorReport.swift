package import Platform
package import Store

/// What a run looked at, made and met. Counts and words alone: it names nobody.
package struct MonitorReport: Sendable, Equatable {
    /// Of students or of courses.
    package struct Tally: Sendable, Equatable {
        /// All there are.
        package var checked = 0
        package var new = 0
        package var changed = 0
        package var outdated = 0
        /// Lists or paths that were made; students with equal inputs share one.
        package var generated = 0
        /// Those of them that a model worded.
        package var worded = 0
        /// Lists or paths of earlier runs that a model worded now, beside those that were made.
        package var reworded = 0
        /// Lists that others have already, given to who now says the same.
        package var reused = 0
        /// Those that are predefined, for want of anything better.
        package var fallenBack = 0
        /// What stays as old as it was, since nothing as good could be made.
        package var failed = 0
        /// Students, not lists, or courses: those that this run is to see to, and those it has seen to. For who watches
        /// it, and no part of what is reported.
        package var due = 0
        package var seenTo = 0

        package init() {}
    }

    package var students = Tally()
    package var courses = Tally()
    package var roster = RosterChanges()
    /// How often the engine or the model could not do its part, by word.
    package var problems: [String: Int] = [:]
    /// Students whom nothing can be made for, since what is stored of them is damaged.
    package var unreadable = 0
    /// What answers of models cost, in billionths of a US dollar.
    package var costNanodollars: Int64 = 0
    /// Calls of a model that were made; of those that a run may make, a run that goes on has the rest.
    package var modelCalls = 0
    /// Whether a model that was to be asked gave no answer; no part of what is reported.
    package var isModelSilent = false
    /// Names of the files that were written.
    package var written: [String] = []
    /// Files that were set aside, under their new names, and why.
    package var setAside: [String: String] = [:]
    /// What went wrong with files that were left as they are, by name.
    package var fileProblems: [String: String] = [:]
    /// Until it was known who is due.
    package var checkSeconds = 0.0
    package var seconds = 0.0

    package init() {}

    /// Whether something is to be mended by somebody.
    package var hasFailed: Bool { !fileProblems.isEmpty || students.failed + courses.failed + unreadable > 0 }

    /// One JSON object.
    package var json: String { tree.json }

    package var tree: JSONTree {
        .members([
            "students": students.tree, "courses": courses.tree,
            "roster": .members([
                "added": .int(roster.added), "changed": .int(roster.changed), "renamed": .int(roster.renamed),
                "unchanged": .int(roster.unchanged),
            ]),
            "problems": Self.sorted(problems.mapValues { .int($0) }),
            "unreadable": .int(unreadable), "model_calls": .int(modelCalls),
            "cost_usd": .number(Double(costNanodollars) / 1e9),
            "files": .members([
                "written": .array(written.map(JSONTree.string)),
                "set_aside": Self.sorted(setAside.mapValues(JSONTree.string)),
                "problems": Self.sorted(fileProblems.mapValues(JSONTree.string)),
            ]),
            "check_seconds": .number(checkSeconds), "seconds": .number(seconds),
        ])
    }

    /// Members by their names: equal reports give equal text.
    private static func sorted(_ members: [String: JSONTree]) -> JSONTree {
        .object(members.sorted { $0.key < $1.key }.map { JSONTree.Member($0.key, $0.value) })
    }

    mutating func note(_ problem: String?) {
        if let problem { problems[problem, default: 0] += 1 }
    }
}

extension MonitorReport.Tally {
    var tree: JSONTree {
        .members([
            "checked": .int(checked), "new": .int(new), "changed": .int(changed), "outdated": .int(outdated),
            "generated": .int(generated), "worded": .int(worded), "reworded": .int(reworded), "reused": .int(reused),
            "fallen_back": .int(fallenBack), "failed": .int(failed),
        ])
    }
}
