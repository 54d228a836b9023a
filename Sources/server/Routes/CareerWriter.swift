internal import Engine

/// Writes careers as the API shows them.
enum CareerWriter {
    static func writeSummary(_ career: Career, to json: inout JSONWriter) {
        json.object { json in
            json.field("id", career.id)
            json.field("name", career.name)
            json.field("cluster", career.cluster)
            json.field("salary_range", career.salary?.text)
            json.field("job_growth", career.growth?.text)
            writeEducation(career, to: &json)
            json.field("soc_code", career.socCode)
            json.field("source", career.source)
        }
    }

    static func write(_ career: Career, isActive: Bool, of generation: CareerGeneration, to json: inout JSONWriter) {
        json.object { json in
            json.field("id", career.id)
            json.field("name", career.name)
            json.field("aliases", career.aliases)
            json.field("description", career.description)
            json.field("cluster", career.cluster)
            json.field("required_skills", career.requiredSkills)
            json.field("suitable_for", career.suitableFor)
            writeSalary(career, to: &json)
            writeGrowth(career, to: &json)
            json.field("typical_companies", career.typicalCompanies)
            writeEducation(career, to: &json)
            json.field("related_careers", career.relatedCareers)
            json.field("soc_code", career.socCode)
            json.field("abilities") { json in
                for (ability, value) in zip(Ability.allCases, career.abilities) { json.field(ability.rawValue, value) }
            }
            json.field("ability_vector", arrayOf: career.abilities) { $0.value($1) }
            json.field("tasks", career.tasks)
            json.field("technologies", career.technologies)
            json.field("attributes") { json in
                for (name, attribute) in career.attributes.sorted(by: { $0.key < $1.key }) {
                    switch attribute {
                    case .words(let words): json.field(name, words)
                    case .number(let number): json.field(name, number)
                    }
                }
            }
            json.field("source", career.source)
            writeAttributions([career], of: generation, to: &json)
            json.field("is_active", isActive)
        }
    }

    /// What must be said wherever these careers are shown: their sources, each once, by name.
    static func writeAttributions(
        _ careers: some Sequence<Career>, of generation: CareerGeneration, to json: inout JSONWriter
    ) {
        json.name("attributions")
        AttributionWriter.write(generation.sources(of: Array(careers)), to: &json)
    }

    private static func writeSalary(_ career: Career, to json: inout JSONWriter) {
        json.field("salary_range", career.salary?.text)
        json.name("salary")
        guard let salary = career.salary else { return json.null() }
        json.object { json in
            json.field("min", salary.min)
            json.field("max", salary.max)
            json.field("currency", salary.currency)
            json.field("year", salary.year)
        }
    }

    private static func writeGrowth(_ career: Career, to json: inout JSONWriter) {
        json.field("job_growth", career.growth?.text)
        json.name("growth")
        guard let growth = career.growth else { return json.null() }
        json.object { json in
            json.field("percent", growth.percent)
            json.field("from", growth.from)
            json.field("to", growth.to)
        }
    }

    private static func writeEducation(_ career: Career, to json: inout JSONWriter) {
        json.field("required_education") { json in
            json.field("level", career.requiredEducation.level.rawValue)
            json.field("text", career.requiredEducation.text)
        }
    }
}

extension PassedOver {
    /// For the person who named the career.
    var message: String { "“\(excerpt(of: career))” \(reason.sentence); it does not count" }
}

extension CareerAbsence {
    /// What is said of the career after its name.
    var sentence: String {
        switch self {
        case .retired: "is retired: it is no longer in the catalogue"
        case .pending: "is not served yet: its vector is still to be made"
        }
    }
}
