/// Why a file gives no careers at all.
package enum ImportError: Error, Equatable, CustomStringConvertible {
    /// A file that is needed is not there or cannot be read.
    case unreadable(file: String, reason: String)
    /// The file is not what it should be: no header, a column missing, no document.
    case malformed(ImportProblem)
    /// Every row was bad; the problems say why, the first of them is named.
    case nothingGood(file: String, problems: ImportProblems)

    package var description: String {
        switch self {
        case .unreadable(let file, let reason): return "\(file) cannot be read: \(reason)"
        case .malformed(let problem): return problem.description
        case .nothingGood(let file, let problems):
            guard let first = problems.kept.first else { return "\(file) has no careers" }
            let others = problems.count > 1 ? " (and \(problems.count - 1) more problems)" : ""
            return "\(file) has no career that can be imported. \(first)\(others)"
        }
    }
}
