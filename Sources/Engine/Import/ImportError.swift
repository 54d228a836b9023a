/// Why a file gives no careers at all.
package enum ImportError: Error, Equatable, CustomStringConvertible {
    /// A file that is needed is not there or cannot be read.
    case unreadable(file: String, reason: String)
    /// The file is not what it should be: no header, a column missing, no document.
    case malformed(ImportProblem)
    /// A folder that is no release of O*NET, and what is wrong with it.
    case noRelease(folder: String, reason: String)
    /// Every row was bad; the problems say why, the first of them is named.
    case nothingGood(file: String, problems: ImportProblems)

    package var description: String {
        switch self {
        case .unreadable(let file, let reason): return "\(file) cannot be read: \(reason)"
        case .malformed(let problem): return problem.description
        case .noRelease(let folder, let reason):
            return "\(folder) \(reason); name the folder that holds a release of O*NET as text: "
                + "Occupation Data.txt and at least one of \(OnetRelease.ratingFiles.joined(separator: ", "))"
        case .nothingGood(let file, let problems):
            guard let first = problems.kept.first else { return "\(file) has no careers" }
            let others =
                problems.count > 1
                ? " (and \(problems.count == 2 ? "1 more problem" : "\(problems.count - 1) more problems"))" : ""
            return "\(file) has no career that can be imported. \(first)\(others)"
        }
    }
}
