/// The columns of a CSV file of careers, and which part of a career each one fills.
enum CSVColumns {
    /// In the order of an export; `attribute:` columns follow.
    static let all: [(column: String, path: String)] =
        [
            ("id", "id"), ("name", "name"), ("cluster", "cluster"), ("description", "description"),
            ("aliases", "aliases"), ("required_skills", "required_skills"), ("suitable_for", "suitable_for"),
            ("tasks", "tasks"), ("technologies", "technologies"), ("typical_companies", "typical_companies"),
            ("related_careers", "related_careers"), ("soc_code", "soc_code"),
            ("education_level", "required_education.level"), ("education_text", "required_education.text"),
            ("salary_min", "salary.min"), ("salary_max", "salary.max"), ("currency", "salary.currency"),
            ("salary_year", "salary.year"), ("growth_percent", "growth.percent"), ("growth_from", "growth.from"),
            ("growth_to", "growth.to"),
        ] + Ability.allCases.map { ($0.rawValue, "abilities.\($0.rawValue)") }
        + [
            ("source", "source"), ("source_title", "source_title"), ("source_attribution", "source_attribution"),
            ("source_licence", "source_licence"), ("source_url", "source_url"), ("source_version", "source_version"),
        ]
    static let sourceColumns = [
        "source_title", "source_attribution", "source_licence", "source_url", "source_version",
    ]
    private static let wholeNumbers = ["salary_min", "salary_max", "salary_year", "growth_from", "growth_to"]
    static let required = ["id", "name", "cluster", "description"] + Ability.allCases.map(\.rawValue)
    static let attributePrefix = "attribute:"

    static let names: [String] = all.map(\.column)
    static let paths = Dictionary(uniqueKeysWithValues: all.map { ($0.column, $0.path) })
    private static let columns = Dictionary(uniqueKeysWithValues: all.map { ($0.path, $0.column) })

    /// What the file calls a field, entries of lists included.
    static func column(of path: String) -> String {
        if path.hasPrefix("attributes.") { return attributePrefix + path.dropFirst("attributes.".count) }
        let field = path.prefix { $0 != "[" }
        return (columns[String(field)] ?? String(field)) + path.dropFirst(field.count)
    }

    /// What is wrong with a header; nil for a good one.
    static func objection(to header: [String]) -> String? {
        var complaints: [String] = []
        var seen: Set<String> = []
        for (k, name) in header.enumerated() {
            if name.isEmpty || name == attributePrefix {
                complaints.append("column \(k + 1) has no name; name or remove it")
            } else if !seen.insert(name).inserted {
                complaints.append("the column `\(ImportText.excerpt(name))` is there twice; remove one")
            } else if paths[name] == nil, !name.hasPrefix(attributePrefix) {
                complaints.append(
                    "`\(ImportText.excerpt(name))` is no column of careers"
                        + NearestName.hint(for: name, among: names))
            }
        }
        let missing = required.filter { !seen.contains($0) }
        if !missing.isEmpty {
            complaints.append("these columns are missing: \(missing.joined(separator: ", "))")
        }
        if complaints.count > 10 { complaints = complaints.prefix(10) + ["and \(complaints.count - 10) more"] }
        return complaints.isEmpty ? nil : complaints.joined(separator: "; ")
    }

    /// The values of a record, in the shape that a JSON career has.
    static func values(of cells: [String], header: [String]) -> [String: ImportedValue] {
        var fields: [String: ImportedValue] = [:]
        var objects: [String: [String: ImportedValue]] = ["abilities": [:]]
        for (name, cell) in zip(header, cells) where !cell.isEmpty {
            if name.hasPrefix(attributePrefix) {
                let (words, isEscaped) = ListCell.entries(of: cell)
                let number = isEscaped ? nil : ImportText.double(ImportText.trimmed(cell))
                objects["attributes", default: [:]][String(name.dropFirst(attributePrefix.count))] =
                    number.map(ImportedValue.number) ?? .list(words.map(ImportedValue.text))
                continue
            }
            guard let path = paths[name], !sourceColumns.contains(name) else { continue }
            let parts = path.split(separator: ".").map(String.init)
            if parts.count == 2 {
                let isText = ["currency", "education_level", "education_text"].contains(name)
                objects[parts[0], default: [:]][parts[1]] =
                    isText
                    ? .text(name == "education_text" ? cell : ImportText.trimmed(cell))
                    : number(cell, isWhole: wholeNumbers.contains(name))
            } else if CareerFields.lists.contains(path) {
                fields[path] = .list(ListCell.entries(of: cell).texts.map(ImportedValue.text))
            } else {
                fields[path] = .text(["id", "soc_code", "source"].contains(path) ? ImportText.trimmed(cell) : cell)
            }
        }
        for (name, members) in objects { fields[name] = .object(members) }
        return fields
    }

    private static func number(_ cell: String, isWhole: Bool) -> ImportedValue {
        let trimmed = ImportText.trimmed(cell)
        // “20.000” is twenty to a reader of numbers, and twenty thousand to whoever wrote it.
        if isWhole, NumberText.isGrouped(trimmed) { return .text(trimmed) }
        return ImportText.double(trimmed).map(ImportedValue.number) ?? .text(trimmed)
    }
}
