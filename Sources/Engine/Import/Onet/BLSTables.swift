internal import Foundation

/// A CSV file of the Bureau of Labor Statistics: fields by the names of the columns.
struct BLSRows {
    let file: String
    private(set) var rows: [(line: Int, cells: [String])] = []
    private let columns: [String: Int]

    init(_ url: URL, columns needed: [String], problems: inout ImportProblems) throws(ImportError) {
        let file = url.lastPathComponent
        let data: Data
        do {
            data = try Data(contentsOf: url)
        } catch {
            throw .unreadable(file: file, reason: (error as NSError).localizedDescription)
        }
        try self.init(file: file, bytes: Array(data), columns: needed, problems: &problems)
    }

    init(
        file: String, bytes: [UInt8], columns needed: [String], problems: inout ImportProblems
    ) throws(ImportError) {
        self.file = file
        var records = CSVRecords(bytes)
        let header = records.next()?.cells.map(ImportText.trimmed) ?? []
        columns = Dictionary(header.enumerated().map { ($1, $0) }) { first, _ in first }
        for name in needed where columns[name] == nil {
            throw .malformed(ImportProblem(file: file, line: 1, message: "the column “\(name)” is missing"))
        }
        while let record = records.next() {
            if record.isBlank { continue }
            if let complaint = record.complaint {
                problems.add(complaint.message, in: file, line: complaint.line)
            } else if record.cells.count != header.count {
                problems.add(
                    "the row has \(record.cells.count) cells, the header \(header.count)", in: file, line: record.line)
            } else {
                rows.append((record.line, record.cells))
            }
        }
    }

    /// The names of the columns, in no order.
    var names: [String] { Array(columns.keys) }

    func cell(_ row: Int, _ column: String) -> String {
        columns[column].map { ImportText.trimmed(rows[row].cells[$0]) } ?? ""
    }
}

/// National wages by SOC code: the middle half of what people earn in a year.
struct BLSWages {
    let file: String
    let year: Int
    private(set) var titles: [String: String] = [:]
    private var salaries: [String: SalaryRange] = [:]

    /// “#” means that and more: the bound of annual wages in the survey of May 2021.
    private static let topCode = 208_000

    init(_ rows: BLSRows, problems: inout ImportProblems) throws(ImportError) {
        file = rows.file
        guard let found = rows.file.firstMatch(of: /(19|20)\d\d/), let year = Int(found.output.0) else {
            throw .malformed(
                ImportProblem(
                    file: rows.file, line: nil,
                    message:
                        "the year of the wages is not in the file's name; name it as BLS does: national_May2021_dl.csv"
                ))
        }
        self.year = year
        let groups = ["detailed", "broad"]
        for row in rows.rows.indices where groups.contains(rows.cell(row, "O_GROUP")) {
            let code = rows.cell(row, "OCC_CODE")
            guard code.wholeMatch(of: /\d\d-\d{4}/) != nil else {
                problems.add(
                    "“\(ImportText.excerpt(code))” is not a SOC code; codes look like 15-1252", in: file,
                    line: rows.rows[row].line)
                continue
            }
            // A combination of occupations stands twice, as broad and as detailed, with the same figures.
            if titles[code] != nil { continue }
            do {
                salaries[code] = try Self.salary(
                    low: rows.cell(row, "A_PCT25"), high: rows.cell(row, "A_PCT75"), year: year)
                titles[code] = rows.cell(row, "OCC_TITLE")
            } catch {
                problems.add(error.message, in: file, line: rows.rows[row].line)
            }
        }
    }

    private struct Complaint: Error {
        let message: String
    }

    /// Nil where a bound is withheld (`*`), or where even the lower one is above what BLS tells (`#`).
    private static func salary(low: String, high: String, year: Int) throws(Complaint) -> SalaryRange? {
        guard let min = try amount(low), let max = high == "#" ? topCode : try amount(high) else { return nil }
        guard max >= min else { throw Complaint(message: "A_PCT75 of \(max) is less than A_PCT25 of \(min)") }
        return SalaryRange(min: min, max: max, currency: "USD", year: year)
    }

    private static func amount(_ text: String) throws(Complaint) -> Int? {
        if ["*", "#", "**", ""].contains(text) { return nil }
        let digits = text.replacing(",", with: "")
        guard digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let amount = Int(digits), amount <= 1 << 40 else {
            throw Complaint(message: "“\(ImportText.excerpt(text))” is not a wage; numbers look like 58,260")
        }
        return amount
    }

    /// The row of a detailed occupation, or of the broad one that it belongs to; BLS publishes some only so.
    private func key(_ soc: String) -> String? {
        if titles[soc] != nil { return soc }
        let broad = soc.dropLast() + "0"
        return titles[String(broad)] == nil ? nil : String(broad)
    }

    /// The salary of a six-digit code, and whether it is that of the broad occupation.
    func salary(of soc: String) -> (range: SalaryRange, isBroad: Bool)? {
        guard let key = key(soc), let range = salaries[key] else { return nil }
        return (range, key != soc)
    }

    /// What BLS calls a six-digit code, or the broad occupation around it.
    func title(of soc: String) -> String? { key(soc).flatMap { titles[$0] } }
}

/// How employment is expected to change, by the title of an occupation.
struct BLSProjections {
    let file: String
    private var growth: [String: JobGrowth] = [:]

    init(_ rows: BLSRows, problems: inout ImportProblems) throws(ImportError) {
        file = rows.file
        var found: (column: String, from: Int, to: Int)?
        for name in rows.names.sorted() {
            if let match = name.wholeMatch(of: /pct_emp_change_(\d{4})_(\d{4})/), let from = Int(match.output.1),
                let to = Int(match.output.2), from < to
            {
                found = (name, from, to)
            }
        }
        guard let found else {
            throw .malformed(
                ImportProblem(
                    file: rows.file, line: 1, message: "no column is named as in pct_emp_change_2020_2030"))
        }
        var ambiguous: Set<String> = []
        for row in rows.rows.indices {
            let title = Self.normalised(rows.cell(row, "occupation"))
            let cell = rows.cell(row, found.column)
            if ["", "-", "—"].contains(cell) { continue }
            guard let percent = ImportText.double(cell), (-100...10_000).contains(percent) else {
                problems.add(
                    "“\(ImportText.excerpt(cell))” is not a change in percent", in: file, line: rows.rows[row].line)
                continue
            }
            let change = JobGrowth(percent: percent, from: found.from, to: found.to)
            // Two occupations of one title with different prospects: nobody can say which is meant.
            if let known = growth.updateValue(change, forKey: title), known != change { ambiguous.insert(title) }
        }
        for title in ambiguous { growth[title] = nil }
    }

    func growth(of title: String) -> JobGrowth? { growth[Self.normalised(title)] }

    /// Titles differ in case, spaces and punctuation between releases.
    private static func normalised(_ title: String) -> String {
        title.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: " ")
    }
}
