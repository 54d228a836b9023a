package import Foundation
package import Store

/// Reads careers from a file of an institution's own: JSON, JSON Lines or CSV (docs/import.md).
///
/// A bad career is reported with its line and left out; the others are read.
package enum CareerFileReader {
    /// The careers of a file.
    ///
    /// - Parameters:
    ///   - name: what problems call the file.
    ///   - defaultSource: who gave the careers that name no source.
    /// - Throws: `ImportError` where the file is not of that format at all or has not one good career.
    package static func read(
        _ data: Data, named name: String, format: CareerFileFormat, defaultSource: CareerSource
    ) throws(ImportError) -> ImportedCareers {
        var collection = CareerCollection(file: name, defaultSource: defaultSource)
        let bytes = Array(data)
        if let objection = ImportText.objection(to: bytes) {
            throw .malformed(ImportProblem(file: name, line: nil, message: objection))
        }
        switch format {
        case .json: try readJSON(bytes, into: &collection)
        case .jsonl: readJSONLines(bytes, into: &collection)
        case .csv: try readCSV(bytes, into: &collection)
        }
        return try collection.finished()
    }
}

/// What has been read of a file so far.
struct CareerCollection {
    private static let maximumRefused = 20_000

    let file: String
    let defaultSource: CareerSource
    var sources: SourceReading
    private(set) var problems = ImportProblems()
    private var careers: [Career] = []
    private var lines: [String: Int] = [:]
    private var rowsRead = 0
    private var rowsRefused = 0

    init(file: String, defaultSource: CareerSource) {
        self.file = file
        self.defaultSource = defaultSource
        sources = SourceReading(fallback: defaultSource)
    }

    mutating func add(problem message: @autoclosure () -> String, line: Int?) {
        problems.add(message(), in: file, line: line)
    }

    /// Whether so many rows were refused that the file is of another kind: reading on would only take time. Says so once.
    mutating func isHopeless(line: Int) -> Bool {
        guard rowsRefused >= Self.maximumRefused else { return false }
        let refused = rowsRefused
        add(problem: "\(refused) rows were refused; the rest of the file was not read", line: line)
        return true
    }

    /// A row that holds no readable career.
    mutating func refuse(_ complaints: [String], line: Int) {
        rowsRead += 1
        rowsRefused += 1
        for complaint in complaints { add(problem: complaint, line: line) }
    }

    mutating func accept(
        _ fields: [String: ImportedValue], line: Int, cluster: String?, naming: @escaping (String) -> String
    ) {
        var reading = CareerReading(name: naming)
        let career = reading.career(from: fields, cluster: cluster, source: defaultSource.name)
        guard let career else {
            let id: String? = if case .text(let id)? = fields["id"] { ImportText.excerpt(id) } else { nil }
            let prefix = id.map { "career “\($0)”: " } ?? ""
            return refuse(reading.complaints.map { prefix + $0 }, line: line)
        }
        if let first = lines[career.id] {
            return refuse(
                ["the id “\(career.id)” was used in line \(first) already; give each career its own"], line: line)
        }
        lines[career.id] = line
        sources.use(career.source ?? defaultSource.name)
        careers.append(career)
        rowsRead += 1
    }

    func finished() throws(ImportError) -> ImportedCareers {
        guard !careers.isEmpty else { throw .nothingGood(file: file, problems: problems) }
        let strangers = Set(careers.flatMap(\.relatedCareers)).filter { lines[$0] == nil }.count
        let notes =
            strangers == 0 ? [] : ["\(strangers) related careers are not in \(file); they were kept as they are"]
        return ImportedCareers(
            careers: careers, sources: sources.sources, problems: problems, notes: notes,
            statistics: [
                ImportStatistic("rows_read", rowsRead), ImportStatistic("careers", careers.count),
                ImportStatistic("rows_refused", rowsRefused),
            ])
    }
}
