/// Reads one career out of a file's values and collects everything that is wrong with it.
struct CareerReading {
    private(set) var complaints: [String] = []
    /// From the path of a field (`salary.min`) to what the file calls it.
    private let name: (String) -> String

    init(name: @escaping (String) -> String = { $0 }) { self.name = name }

    /// The career, or nil where there are complaints.
    mutating func career(
        from fields: [String: ImportedValue], cluster: String?, source: String
    ) -> Career? {
        checkNames(fields, known: CareerFields.all, of: "a career", path: "")
        let id = identifier(fields["id"])
        let abilities = abilities(fields["abilities"])
        let soc = text(fields["soc_code"], "soc_code").map(ImportText.trimmed)
        if let soc, soc.wholeMatch(of: /\d\d-\d{4}(\.\d\d)?/) == nil {
            complain("soc_code", "is “\(ImportText.excerpt(soc))”; codes look like 15-1252 or 15-1252.00")
        }
        let career = Career(
            id: id ?? "",
            name: label(fields["name"], "name"),
            aliases: list(fields["aliases"], "aliases"),
            description: required(fields["description"], "description"),
            requiredSkills: list(fields["required_skills"], "required_skills"),
            suitableFor: text(fields["suitable_for"], "suitable_for") ?? "",
            salary: salary(fields["salary"]),
            growth: growth(fields["growth"]),
            typicalCompanies: list(fields["typical_companies"], "typical_companies"),
            requiredEducation: education(fields["required_education"]),
            relatedCareers: list(fields["related_careers"], "related_careers"),
            socCode: soc,
            cluster: fields["cluster"].map { label($0, "cluster") } ?? cluster ?? label(nil, "cluster"),
            abilities: abilities,
            tasks: list(fields["tasks"], "tasks"),
            technologies: list(fields["technologies"], "technologies"),
            attributes: attributes(fields["attributes"]),
            source: text(fields["source"], "source").map(ImportText.trimmed).flatMap { $0.isEmpty ? nil : $0 } ?? source
        )
        return complaints.isEmpty ? career : nil
    }

    mutating func complain(_ path: String, _ message: String) { complaints.append("`\(name(path))` \(message)") }

    // MARK: Texts

    /// A text, or nil where the field is absent, null or of another type.
    mutating func text(_ value: ImportedValue?, _ path: String) -> String? {
        switch value {
        case nil, .null?: return nil
        case .text(let text)?:
            if text.utf8.count > CareerFields.maximumTextBytes {
                complain(path, "is \(text.utf8.count) bytes long; shorten it to \(CareerFields.maximumTextBytes)")
            }
            if text.utf8.contains(0) { complain(path, "holds a NUL character; remove it") }
            return text
        case let other?:
            complain(path, "is \(other.words); write a text")
            return nil
        }
    }

    mutating func required(_ value: ImportedValue?, _ path: String) -> String {
        let before = complaints.count
        let text = text(value, path)
        if let text, !ImportText.trimmed(text).isEmpty { return text }
        if complaints.count == before { complain(path, text == nil ? "is missing; add it" : "is empty; fill it in") }
        return ""
    }

    /// A text that is compared or listed rather than read: white space around it is dropped, since two labels that
    /// differ in nothing else look the same.
    mutating func label(_ value: ImportedValue?, _ path: String) -> String {
        ImportText.trimmed(required(value, path))
    }

    /// Ids become parts of addresses: what would have to be escaped there is refused.
    private mutating func identifier(_ value: ImportedValue?) -> String? {
        let id = label(value, "id")
        guard !id.isEmpty else { return nil }
        let isPlain = id.unicodeScalars.allSatisfy { scalar in
            !scalar.properties.isWhitespace && scalar.value > 0x20 && scalar.value != 0x7F
                && !"/?#%\\\"<>".unicodeScalars.contains(scalar)
        }
        if !isPlain || id.utf8.count > 128 {
            complain(
                "id",
                "is “\(ImportText.excerpt(id))”; use up to 128 letters, digits, hyphens, dots and the like, and no spaces"
            )
        }
        return id
    }

    private mutating func list(_ value: ImportedValue?, _ path: String) -> [String] {
        guard let value, value != .null else { return [] }
        guard case .list(let elements) = value else {
            complain(path, "is \(value.words); write a list of texts")
            return []
        }
        guard elements.count <= CareerFields.maximumListCount else {
            complain(path, "has \(elements.count) entries; keep the best \(CareerFields.maximumListCount)")
            return []
        }
        return elements.enumerated().map { label($1, "\(path)[\($0)]") }
    }

    // MARK: Numbers

    private mutating func number(_ value: ImportedValue?, _ path: String, isWhole: Bool = false) -> Double? {
        switch value {
        case nil, .null?:
            complain(path, "is missing; add it")
            return nil
        case .number(let number)? where number.isFinite: return number
        case .text(let text)?:
            complain(path, NumberText.complaint(text, isWhole: isWhole))
            return nil
        case let other?:
            complain(path, "is \(other.words); write a number")
            return nil
        }
    }

    private mutating func whole(_ value: ImportedValue?, _ path: String) -> Int? {
        guard let number = number(value, path, isWhole: true) else { return nil }
        guard let whole = Int(exactly: number), abs(whole) <= 1 << 53 else {
            complain(path, "is \(number); write a whole number")
            return nil
        }
        return whole
    }

    private mutating func year(_ value: ImportedValue?, _ path: String) -> Int? {
        guard let year = whole(value, path) else { return nil }
        guard CareerFields.years.contains(year) else {
            complain(
                path, "is \(year); years run from \(CareerFields.years.lowerBound) to \(CareerFields.years.upperBound)")
            return nil
        }
        return year
    }

    /// The members of an object with known names; nil where it is absent or of another type.
    private mutating func object(_ value: ImportedValue?, _ path: String, of names: [String]) -> [String:
        ImportedValue]?
    {
        switch value {
        case nil, .null?: return nil
        case .object(let members)?:
            checkNames(members, known: names, of: "`\(path)`", path: "\(path).")
            return members
        case let other?:
            complain(path, "is \(other.words); write an object with \(names.joined(separator: ", "))")
            return nil
        }
    }

    private mutating func checkNames(
        _ fields: [String: ImportedValue], known: [String], of what: String, path: String
    ) {
        for name in fields.keys.sorted() where !known.contains(name) {
            let hint = NearestName.hint(for: name, among: known)
            complaints.append("`\(path)\(ImportText.excerpt(name))` is not a field of \(what)\(hint)")
        }
    }

    private mutating func salary(_ value: ImportedValue?) -> SalaryRange? {
        guard let fields = object(value, "salary", of: ["min", "max", "currency", "year"]) else { return nil }
        let min = whole(fields["min"], "salary.min")
        let max = whole(fields["max"], "salary.max")
        let currency = label(fields["currency"], "salary.currency")
        let year = year(fields["year"], "salary.year")
        if !currency.isEmpty, currency.wholeMatch(of: /[A-Z]{3}/) == nil {
            complain("salary.currency", "is “\(ImportText.excerpt(currency))”; write its three letters, such as EUR")
        }
        guard let min, let max else { return nil }
        if min < 0 { complain("salary.min", "is \(min); a salary is not negative") }
        if max < min { complain("salary.max", "is \(max), less than the minimum of \(min)") }
        guard let year else { return nil }
        return SalaryRange(min: min, max: max, currency: currency, year: year)
    }

    private mutating func growth(_ value: ImportedValue?) -> JobGrowth? {
        guard let fields = object(value, "growth", of: ["percent", "from", "to"]) else { return nil }
        let percent = number(fields["percent"], "growth.percent")
        let from = year(fields["from"], "growth.from")
        let to = year(fields["to"], "growth.to")
        guard let percent, let from, let to else { return nil }
        if !(-100...10_000).contains(percent) {
            complain("growth.percent", "is \(percent); it lies between -100 and 10000")
        }
        if to <= from { complain("growth.to", "is \(to), not after \(from)") }
        return JobGrowth(percent: percent, from: from, to: to)
    }

    private mutating func education(_ value: ImportedValue?) -> RequiredEducation {
        let unstated = RequiredEducation(level: .none, text: "Not stated")
        guard let fields = object(value, "required_education", of: ["level", "text"]) else { return unstated }
        let word = label(fields["level"], "required_education.level")
        let text = text(fields["text"], "required_education.text") ?? ""
        guard !word.isEmpty else { return unstated }
        guard let level = EducationLevel(rawValue: word) else {
            let levels = EducationLevel.allCases.map(\.rawValue)
            complain(
                "required_education.level",
                "is “\(ImportText.excerpt(word))”; it is one of \(levels.joined(separator: ", "))"
                    + NearestName.hint(for: word, among: levels))
            return unstated
        }
        return RequiredEducation(level: level, text: text.isEmpty ? CareerFields.text(of: level) : text)
    }

    private mutating func abilities(_ value: ImportedValue?) -> [Double] {
        let names = Ability.allCases.map(\.rawValue)
        guard let value, value != .null else {
            complain("abilities", "is missing; give each of the \(names.count) abilities a number from 0 to 10")
            return []
        }
        guard let fields = object(value, "abilities", of: names) else { return [] }
        return names.map { name in
            guard let number = number(fields[name], "abilities.\(name)") else { return 0 }
            if !abilityRange.contains(number) {
                complain("abilities.\(name)", "is \(number); abilities lie between 0 and 10")
            }
            return number
        }
    }

    private mutating func attributes(_ value: ImportedValue?) -> [String: CareerAttribute] {
        guard let value, value != .null else { return [:] }
        guard case .object(let members) = value else {
            complain("attributes", "is \(value.words); write an object of names and texts, lists of texts or numbers")
            return [:]
        }
        var attributes: [String: CareerAttribute] = [:]
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            let path = "attributes.\(ImportText.excerpt(name))"
            guard !ImportText.trimmed(name).isEmpty, name.utf8.count <= 128, !name.utf8.contains(0) else {
                complain(path, "needs a name of 1 to 128 bytes")
                continue
            }
            switch value {
            case .null: continue
            case .number(let number) where number.isFinite: attributes[name] = .number(number)
            case .text: attributes[name] = .words([label(value, path)])
            case .list(let list) where list.isEmpty: continue
            case .list: attributes[name] = .words(self.list(value, path))
            default: complain(path, "is \(value.words); write a text, a list of texts or a number")
            }
        }
        return attributes
    }
}
