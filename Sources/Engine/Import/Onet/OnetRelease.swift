internal import Foundation

/// The files of an O*NET release, read into occupations and ratings.
struct OnetRelease {
    private static let occupationFile = "Occupation Data.txt"
    /// Files that abilities are made of; one is enough.
    static let ratingFiles = ["Abilities.txt", "Skills.txt", "Work Styles.txt", "Interests.txt"]
    private static let codeColumn = "O*NET-SOC Code"
    private static let maximumTasks = 12

    let directory: URL
    private(set) var problems = ImportProblems()
    private(set) var notes: [String] = []
    /// In ascending order of code.
    private(set) var occupations: [OnetOccupation] = []
    private(set) var ratings: OnetRatings
    /// Importance of skills alone, for the list of required ones.
    private(set) var skills: OnetRatings
    private(set) var names: [String: String] = [:]
    /// By job zone: what its reference says of education.
    private(set) var educations: [Int: String] = [:]
    /// “29.0”; nil where the release does not say.
    private(set) var version: String?
    private(set) var rowsRead = 0
    private var indices: [String: Int] = [:]
    private var scales: [String: ClosedRange<Double>] = ["IM": 1...5, "LV": 0...7, "OI": 1...7]

    /// Reads the occupations.
    init(directory: URL, progress: (String) -> Void) throws(ImportError) {
        self.directory = directory
        if let reason = Self.objection(to: directory) { throw .noRelease(folder: directory.path, reason: reason) }
        progress("Reading \(Self.occupationFile)")
        var table = try OnetTable(
            Self.occupationFile, in: directory, columns: [Self.codeColumn, "Title", "Description"])
        var rows: [OnetOccupation] = []
        var lines: [String: Int] = [:]
        while table.next(&problems) {
            rowsRead += 1
            let code = table.text(table.column(Self.codeColumn))
            let title = table.text(table.column("Title"))
            let description = table.text(table.column("Description"))
            if code.wholeMatch(of: /\d\d-\d{4}\.\d\d/) == nil {
                problems.add(
                    "“\(ImportText.excerpt(code))” is not an O*NET-SOC code; codes look like 11-1011.00",
                    in: table.file,
                    line: table.line)
            } else if OnetClusters.cluster(of: code) == nil {
                problems.add(
                    "the major group of \(code) is not one of SOC 2018; correct the code", in: table.file,
                    line: table.line)
            } else if title.isEmpty || description.isEmpty {
                problems.add("the title or the description is empty; fill it in", in: table.file, line: table.line)
            } else if let first = lines[code] {
                problems.add(
                    "\(code) was described in line \(first) already; remove one", in: table.file, line: table.line)
            } else {
                lines[code] = table.line
                rows.append(OnetOccupation(code: code, title: title, description: description, line: table.line))
            }
        }
        guard !rows.isEmpty else { throw .nothingGood(file: Self.occupationFile, problems: problems) }
        occupations = rows.sorted { $0.code < $1.code }
        indices = Dictionary(uniqueKeysWithValues: occupations.enumerated().map { ($1.code, $0) })
        ratings = OnetRatings(codes: occupations.map(\.code))
        skills = OnetRatings(codes: occupations.map(\.code))
    }

    /// Why a folder cannot be a release; nil for one that may be.
    private static func objection(to directory: URL) -> String? {
        var isFolder: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: directory.path, isDirectory: &isFolder) else {
            return "is not there"
        }
        guard isFolder.boolValue else { return "is a file" }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        } catch {
            return "cannot be read (\(error.localizedDescription))"
        }
        if !names.contains(occupationFile) { return "has no \(occupationFile)" }
        return ratingFiles.contains(where: names.contains) ? nil : "has no ratings"
    }

    /// Reads every other file; one that is not there is a note.
    mutating func readAll(progress: (String) -> Void) throws(ImportError) {
        readVersion()
        try readScales(progress)
        try readTitles(progress)
        try readTasks(progress)
        try readTechnologies(progress)
        try readJobZones(progress)
        var rows = OnetRatingRows(count: occupations.count)
        try readRatings("Abilities.txt", lacking: "abilities rest on the other ratings", into: &rows, progress)
        try readRatings("Skills.txt", lacking: "careers have no required skills", into: &rows, progress)
        try readRatings("Work Styles.txt", lacking: "abilities rest on the other ratings", into: &rows, progress)
        try readRatings("Interests.txt", lacking: "careers do not say whom they suit", into: &rows, progress)
        rows.store(in: &ratings)
        try readRelated(progress)
    }

    // MARK: Rows

    /// Calls `body` with each row of a file, and with the occupation that the row is about where `byOccupation` is set.
    private mutating func each(
        _ file: String, columns: [String], lacking consequence: String, byOccupation: Bool = true,
        _ progress: (String) -> Void,
        _ body: (inout OnetRelease, borrowing OnetTable, Int) -> Void
    ) throws(ImportError) {
        guard FileManager.default.fileExists(atPath: directory.appendingPathComponent(file).path) else {
            notes.append("\(file) is not there: \(consequence)")
            return
        }
        progress("Reading \(file)")
        var table = try OnetTable(
            file, in: directory, columns: byOccupation ? [Self.codeColumn] + columns : columns)
        let codeColumn = table.column(Self.codeColumn) ?? 0
        var last: (range: Range<Int>, index: Int)?
        while table.next(&problems) {
            rowsRead += 1
            guard byOccupation else {
                body(&self, table, 0)
                continue
            }
            // Rows of an occupation follow one another: most need no look-up.
            let range = table.range(codeColumn)
            if let last, table.isEqual(last.range, range) {
                body(&self, table, last.index)
                continue
            }
            let code = table.text(codeColumn)
            guard let index = indices[code] else {
                complain(table, "\(Self.occupationFile) has no occupation “\(ImportText.excerpt(code))”")
                continue
            }
            last = (range, index)
            body(&self, table, index)
        }
    }

    private mutating func complain(_ table: borrowing OnetTable, _ message: @autoclosure () -> String) {
        problems.add(message(), in: table.file, line: table.line)
    }

    // MARK: Files

    private mutating func readVersion() {
        let url = directory.appendingPathComponent("Read Me.txt")
        guard let data = try? Data(contentsOf: url),
            let match = String(decoding: data.prefix(4_096), as: UTF8.self).firstMatch(of: /O\*NET (\d+\.\d+) Database/)
        else {
            notes.append("Read Me.txt does not name the release: careers carry no release number")
            return
        }
        version = String(match.output.1)
    }

    private mutating func readScales(_ progress: (String) -> Void) throws(ImportError) {
        try each(
            "Scales Reference.txt", columns: ["Scale ID", "Minimum", "Maximum"],
            lacking: "importance is taken from 1 to 5, level from 0 to 7, interest from 1 to 7", byOccupation: false,
            progress
        ) { release, table, _ in
            guard let low = ImportText.double(table.text(table.column("Minimum"))),
                let high = ImportText.double(table.text(table.column("Maximum"))), low < high
            else { return release.complain(table, "minimum and maximum of a scale are two numbers, the lesser first") }
            release.scales[table.text(table.column("Scale ID"))] = low...high
        }
    }

    private mutating func readTitles(_ progress: (String) -> Void) throws(ImportError) {
        for k in occupations.indices { occupations[k].aliases = DistinctTexts(without: occupations[k].title) }
        for (file, column) in [
            ("Alternate Titles.txt", "Alternate Title"), ("Sample of Reported Titles.txt", "Reported Job Title"),
        ] {
            try each(file, columns: [column], lacking: "careers have fewer aliases", progress) { release, table, k in
                let title = table.text(table.column(column))
                if title.isEmpty { return release.complain(table, "the title is empty") }
                release.occupations[k].aliases.add(title)
            }
        }
    }

    private mutating func readTasks(_ progress: (String) -> Void) throws(ImportError) {
        try each("Task Statements.txt", columns: ["Task", "Task Type"], lacking: "careers have no tasks", progress) {
            release, table, k in
            let task = table.text(table.column("Task"))
            if task.isEmpty { return release.complain(table, "the task is empty") }
            let rank = ["Core": 0, "Supplemental": 1][table.text(table.column("Task Type"))] ?? 2
            if release.occupations[k].tasks[rank].count < Self.maximumTasks {
                release.occupations[k].tasks[rank].append(task)
            }
        }
    }

    private mutating func readTechnologies(_ progress: (String) -> Void) throws(ImportError) {
        var counts = Array(repeating: (all: 0, hot: 0), count: occupations.count)
        try each(
            "Technology Skills.txt", columns: ["Example", "Commodity Title"], lacking: "careers have no technologies",
            progress
        ) { release, table, k in
            let example = table.text(table.column("Example"))
            if example.isEmpty { return release.complain(table, "the example is empty") }
            let isHot = table.text(table.column("Hot Technology")) == "Y"
            let isInDemand = table.text(table.column("In Demand")) == "Y"
            let rank = isInDemand ? (isHot ? 0 : 1) : (isHot ? 2 : 3)
            release.occupations[k].technologies[rank].append(example)
            release.occupations[k].commodities.append(table.text(table.column("Commodity Title")))
            counts[k].all += 1
            if isHot { counts[k].hot += 1 }
        }
        for (k, count) in counts.enumerated() where count.all > 0 {
            ratings.set(OnetAbilityMap.technologies, k, Self.share(count.all, of: 200))
            ratings.set(OnetAbilityMap.hotTechnologies, k, Self.share(count.hot, of: 100))
        }
    }

    /// Ten technologies more matter less where there are a hundred already.
    private static func share(_ count: Int, of most: Double) -> Double {
        min(1, log(1 + Double(count)) / log(most))
    }

    private mutating func readJobZones(_ progress: (String) -> Void) throws(ImportError) {
        try each(
            "Job Zone Reference.txt", columns: ["Job Zone", "Education"],
            lacking: "education is described in general words", byOccupation: false, progress
        ) { release, table, _ in
            guard let zone = Int(table.text(table.column("Job Zone"))), (1...5).contains(zone) else {
                return release.complain(table, "job zones run from 1 to 5")
            }
            release.educations[zone] = table.text(table.column("Education"))
        }
        try each("Job Zones.txt", columns: ["Job Zone"], lacking: "education is not stated", progress) {
            release, table, k in
            let text = table.text(table.column("Job Zone"))
            guard let zone = Int(text), (1...5).contains(zone) else {
                return release.complain(table, "“\(ImportText.excerpt(text))” is not a job zone; they run from 1 to 5")
            }
            guard release.occupations[k].jobZone == nil else {
                return release.complain(table, "the occupation has a job zone already")
            }
            release.occupations[k].jobZone = zone
        }
    }

    private mutating func readRatings(
        _ file: String, lacking consequence: String, into rows: inout OnetRatingRows, _ progress: (String) -> Void
    ) throws(ImportError) {
        var collected = rows
        try each(
            file, columns: ["Element ID", "Element Name", "Scale ID", "Data Value"], lacking: consequence, progress
        ) { release, table, k in
            let scale = table.text(table.column("Scale ID"))
            // High points (IH) repeat what the interests say; scales of later releases are not ours to guess.
            guard ["IM", "LV", "OI"].contains(scale) else {
                if release.scales[scale] == nil {
                    release.complain(table, "“\(ImportText.excerpt(scale))” is not in Scales Reference.txt")
                }
                return
            }
            let text = table.text(table.column("Data Value"))
            guard let range = release.scales[scale], let value = ImportText.double(text) else {
                return release.complain(table, "“\(ImportText.excerpt(text))” is not a number")
            }
            guard range.contains(value) else {
                return release.complain(
                    table, "\(text) is not on the scale \(scale), from \(range.lowerBound) to \(range.upperBound)")
            }
            let element = table.text(table.column("Element ID"))
            if element.isEmpty { return release.complain(table, "the element is not named") }
            let share = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
            let isSuppressed = table.text(table.column("Recommend Suppress")) == "Y"
            let isIrrelevant = table.text(table.column("Not Relevant")) == "Y"
            let isNew = collected.add(
                element, k, scale: scale, value: share, isSuppressed: isSuppressed, isIrrelevant: isIrrelevant)
            guard isNew else {
                return release.complain(table, "\(element) on the scale \(scale) was given already")
            }
            if release.names[element] == nil { release.names[element] = table.text(table.column("Element Name")) }
            if file == "Skills.txt" {
                if isIrrelevant {
                    release.skills.set(element, k, 0)
                } else if scale == "IM", !isSuppressed, release.skills.value(element, k) == nil {
                    release.skills.set(element, k, share)
                }
            }
        }
        rows = collected
    }

    private mutating func readRelated(_ progress: (String) -> Void) throws(ImportError) {
        try each(
            "Related Occupations.txt", columns: ["Related O*NET-SOC Code", "Relatedness Tier", "Index"],
            lacking: "careers name no related ones", progress
        ) { release, table, k in
            guard table.text(table.column("Relatedness Tier")).hasPrefix("Primary") else { return }
            let code = table.text(table.column("Related O*NET-SOC Code"))
            guard release.indices[code] != nil else {
                return release.complain(table, "\(Self.occupationFile) has no occupation “\(ImportText.excerpt(code))”")
            }
            guard let rank = Int(table.text(table.column("Index"))) else {
                return release.complain(table, "the index is not a whole number")
            }
            guard code != release.occupations[k].code,
                !release.occupations[k].related.contains(where: { $0.code == code })
            else { return release.complain(table, "\(code) is the occupation itself or related to it already") }
            release.occupations[k].related.append((rank, code))
        }
    }
}
