internal import ArgumentParser
internal import Engine

extension CareerFileFormat: ExpressibleByArgument {}

/// The format of a file of careers, which its name tells where nobody says it.
struct FormatOption: ParsableArguments {
    @Option(name: .customLong("format"), help: "The file's format (default: by its name).")
    var named: CareerFileFormat?

    /// - Throws: `StartProblem` where neither tells it.
    func format(of file: String) throws -> CareerFileFormat {
        if let format = named ?? CareerFileFormat(fileName: file) { return format }
        let names = CareerFileFormat.allCases.map(\.rawValue).joined(separator: ", ")
        throw StartProblem("\(file): the name does not tell the format; add --format with one of \(names)")
    }
}
