package import Foundation
package import Store

/// Writes careers as files that `CareerFileReader` reads back unchanged.
package enum CareerExporter {
    /// A file of careers with the descriptions of their sources, ending in a line end.
    ///
    /// An attribute without words is left out, as a reader does.
    /// - Throws: `EncodingError` where a number is not finite.
    package static func write(
        _ careers: [Career], sources: [CareerSource], format: CareerFileFormat
    ) throws -> Data {
        let careers = careers.map { career in
            var career = career
            career.attributes = career.attributes.filter { $0.value != .words([]) }
            return career
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        switch format {
        case .json:
            encoder.outputFormatting.insert(.prettyPrinted)
            return try encoder.encode(Document(sources: sources, careers: careers)) + [UInt8(ascii: "\n")]
        case .jsonl:
            var data = Data()
            if !sources.isEmpty {
                data.append(try encoder.encode(["sources": sources]))
                data.append(UInt8(ascii: "\n"))
            }
            for career in careers {
                data.append(try encoder.encode(career))
                data.append(UInt8(ascii: "\n"))
            }
            return data
        case .csv:
            return Data(CSVTable(careers: careers, sources: sources).text.utf8)
        }
    }

    private struct Document: Encodable {
        let sources: [CareerSource]
        let careers: [Career]
    }
}

/// Careers as rows; a source is described in the first row that names it.
private struct CSVTable {
    let text: String

    init(careers: [Career], sources: [CareerSource]) {
        let attributes = Set(careers.flatMap(\.attributes.keys)).sorted()
        let header = CSVColumns.names + attributes.map { CSVColumns.attributePrefix + $0 }
        var undescribed = Dictionary(sources.map { ($0.name, $0) }) { first, _ in first }
        var lines = [Self.line(header)]
        for career in careers {
            var cells = Self.cells(of: career)
            if let name = career.source, let source = undescribed.removeValue(forKey: name) {
                cells["source_title"] = source.title
                cells["source_attribution"] = source.attribution
                cells["source_licence"] = source.licence
                cells["source_url"] = source.url
                cells["source_version"] = source.version
            }
            lines.append(
                Self.line(
                    CSVColumns.names.map { cells[$0] ?? "" } + attributes.map { Self.cell(career.attributes[$0]) }))
        }
        text = lines.joined()
    }

    private static func cells(of career: Career) -> [String: String] {
        var cells = [
            "id": career.id, "name": career.name, "cluster": career.cluster, "description": career.description,
            "aliases": ListCell.cell(of: career.aliases),
            "required_skills": ListCell.cell(of: career.requiredSkills), "suitable_for": career.suitableFor,
            "tasks": ListCell.cell(of: career.tasks), "technologies": ListCell.cell(of: career.technologies),
            "typical_companies": ListCell.cell(of: career.typicalCompanies),
            "related_careers": ListCell.cell(of: career.relatedCareers),
            "education_level": career.requiredEducation.level.rawValue,
            "education_text": career.requiredEducation.text,
        ]
        cells["soc_code"] = career.socCode
        cells["source"] = career.source
        if let salary = career.salary {
            cells["salary_min"] = "\(salary.min)"
            cells["salary_max"] = "\(salary.max)"
            cells["currency"] = salary.currency
            cells["salary_year"] = "\(salary.year)"
        }
        if let growth = career.growth {
            cells["growth_percent"] = "\(growth.percent)"
            cells["growth_from"] = "\(growth.from)"
            cells["growth_to"] = "\(growth.to)"
        }
        for (ability, value) in zip(Ability.allCases, career.abilities) { cells[ability.rawValue] = "\(value)" }
        return cells
    }

    private static func cell(_ attribute: CareerAttribute?) -> String {
        switch attribute {
        case .number(let number)?: "\(number)"
        case .words(let words)? where words.count == 1: ListCell.escapedWord(words[0])
        case .words(let words)?: ListCell.cell(of: words)
        case nil: ""
        }
    }

    /// Cells are quoted where RFC 4180 asks for it, and where a separator other than the comma could mislead a reader.
    private static func line(_ cells: [String]) -> String {
        cells.map { cell in
            let needsQuotes = cell.utf8.contains { byte in
                byte == UInt8(ascii: "\"") || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";")
                    || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
            }
            return needsQuotes ? "\"\(cell.replacing("\"", with: "\"\""))\"" : cell
        }
        .joined(separator: ",") + "\r\n"
    }
}
