/// What is wrong with one line of an evaluation's files.
package struct RetrievalProblem: Sendable, Hashable, CustomStringConvertible {
    package let file: String
    /// From 1.
    package let line: Int
    package let problem: String

    package init(file: String, line: Int, problem: String) {
        self.file = file
        self.line = line
        self.problem = problem
    }

    package var description: String { "\(file):\(line): \(problem)" }
}

/// Why a collection cannot be evaluated.
///
/// A file with a bad line is refused as a whole: figures over whatever could be read would not be those of the
/// collection they are named after.
package enum RetrievalError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The first `RetrievalProblems.limit` problems, and how many there are.
    case malformed(problems: [RetrievalProblem], count: Int)
    /// A file has no lines with data.
    case empty(file: String)
    /// No query has a relevant document, so there is nothing to average over.
    case nothingJudged
    /// Two runs that are to be compared have no query in common.
    case nothingInCommon

    package var description: String {
        switch self {
        case .malformed(let problems, let count):
            let more = count > problems.count ? ["and \(count - problems.count) more"] : []
            return (problems.map(\.description) + more).joined(separator: "\n")
        case .empty(let file): return "\(file) is empty"
        case .nothingJudged: return "no query has a relevant document"
        case .nothingInCommon: return "the two runs have no query in common"
        }
    }
}

/// Problems as they are found; bounded, so that a file of something else does not fill the memory with complaints.
struct RetrievalProblems {
    static let limit = 50

    let file: String
    private(set) var kept: [RetrievalProblem] = []
    private(set) var count = 0

    init(file: String) { self.file = file }

    mutating func add(_ line: Int, _ problem: String) {
        count += 1
        if kept.count < Self.limit { kept.append(RetrievalProblem(file: file, line: line, problem: problem)) }
    }

    /// - Throws: `RetrievalError.malformed` where there is any.
    func check() throws(RetrievalError) {
        if count > 0 { throw .malformed(problems: kept, count: count) }
    }
}
