/// One thing wrong in an imported file: where it is, what it is and how to mend it.
package struct ImportProblem: Sendable, Hashable, CustomStringConvertible {
    package let file: String
    /// From 1; nil where the whole file is meant.
    package let line: Int?
    package let message: String

    package init(file: String, line: Int?, message: String) {
        self.file = file
        self.line = line
        self.message = message
    }

    /// `file:line: message`
    package var description: String {
        if let line { "\(file):\(line): \(message)" } else { "\(file): \(message)" }
    }
}

/// The problems of one import. All of them are counted, and the first 10,000 kept: a file of another kind altogether
/// has one a row, and nobody reads more.
package struct ImportProblems: Sendable, Equatable {
    package static let maximumKept = 10_000

    package private(set) var kept: [ImportProblem] = []
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    package mutating func add(_ message: @autoclosure () -> String, in file: String, line: Int?) {
        count += 1
        if kept.count < Self.maximumKept { kept.append(ImportProblem(file: file, line: line, message: message())) }
    }
}
