internal import Foundation

/// What a career pays in a year.
package struct SalaryRange: Codable, Hashable, Sendable {
    package var min: Int
    package var max: Int
    /// ISO 4217.
    package var currency: String
    /// The year that the figures speak of.
    package var year: Int

    package init(min: Int, max: Int, currency: String, year: Int) {
        self.min = min
        self.max = max
        self.currency = currency
        self.year = year
    }

    /// “$63k – $105k”, or with the currency's code where it has no sign everybody knows.
    package var text: String {
        let sign = ["USD": "$", "EUR": "€", "GBP": "£", "INR": "₹"][currency] ?? "\(currency) "
        return "\(sign)\(Self.short(min)) – \(sign)\(Self.short(max))"
    }

    private static func short(_ amount: Int) -> String {
        amount >= 1_000 ? "\((amount + 500) / 1_000)k" : "\(amount)"
    }
}

/// How the number of jobs is expected to change between two years.
package struct JobGrowth: Codable, Hashable, Sendable {
    package var percent: Double
    package var from: Int
    package var to: Int

    package init(percent: Double, from: Int, to: Int) {
        self.percent = percent
        self.from = from
        self.to = to
    }

    /// “6% over 2023–2033”.
    package var text: String {
        let number = percent == percent.rounded() ? String(Int(percent)) : String(percent)
        return "\(number)% over \(from)–\(to)"
    }
}

/// The education that a career usually starts from, lowest first.
package enum EducationLevel: String, Codable, CaseIterable, Sendable {
    case none, secondary, certificate, associate, bachelor, master, doctorate
}

package struct RequiredEducation: Codable, Hashable, Sendable {
    package var level: EducationLevel
    package var text: String

    package init(level: EducationLevel, text: String) {
        self.level = level
        self.text = text
    }
}

/// A property that an operator gives careers of their own to filter by: words, or one number.
package enum CareerAttribute: Codable, Hashable, Sendable {
    case words([String])
    case number(Double)

    package init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let word = try? value.decode(String.self) {
            self = .words([word])
        } else {
            self = .words(try value.decode([String].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .words(let words): try value.encode(words)
        case .number(let number): try value.encode(number)
        }
    }
}

/// A career as the catalogue describes it.
package struct Career: Codable, Hashable, Sendable {
    package var id: String
    package var name: String
    package var aliases: [String]
    package var description: String
    package var requiredSkills: [String]
    package var suitableFor: String
    package var salary: SalaryRange?
    package var growth: JobGrowth?
    package var typicalCompanies: [String]
    package var requiredEducation: RequiredEducation
    /// Ids of other careers.
    package var relatedCareers: [String]
    package var socCode: String?
    package var cluster: String
    /// In the order of `Ability.allCases`.
    package var abilities: [Double]
    /// What is done in this work, most important first.
    package var tasks: [String]
    /// Tools and software that the work uses, most important first.
    package var technologies: [String]
    /// By name; free for whoever fills the catalogue.
    package var attributes: [String: CareerAttribute]
    /// Who described it: the name of a `CareerSource`; nil in a file that leaves it to the import.
    package var source: String?

    enum CodingKeys: String, CodingKey {
        case id, name, aliases, description, salary, growth, cluster, abilities, tasks, technologies, attributes, source
        case requiredSkills = "required_skills"
        case suitableFor = "suitable_for"
        case typicalCompanies = "typical_companies"
        case requiredEducation = "required_education"
        case relatedCareers = "related_careers"
        case socCode = "soc_code"
    }

    package init(
        id: String, name: String, aliases: [String] = [], description: String, requiredSkills: [String],
        suitableFor: String, salary: SalaryRange? = nil, growth: JobGrowth? = nil, typicalCompanies: [String] = [],
        requiredEducation: RequiredEducation, relatedCareers: [String] = [], socCode: String? = nil, cluster: String,
        abilities: [Double], tasks: [String] = [], technologies: [String] = [],
        attributes: [String: CareerAttribute] = [:], source: String? = nil
    ) {
        self.id = id
        self.name = name
        self.aliases = aliases
        self.description = description
        self.requiredSkills = requiredSkills
        self.suitableFor = suitableFor
        self.salary = salary
        self.growth = growth
        self.typicalCompanies = typicalCompanies
        self.requiredEducation = requiredEducation
        self.relatedCareers = relatedCareers
        self.socCode = socCode
        self.cluster = cluster
        self.abilities = abilities
        self.tasks = tasks
        self.technologies = technologies
        self.attributes = attributes
        self.source = source
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(String.self, forKey: .id)
        name = try values.decode(String.self, forKey: .name)
        aliases = try values.decodeIfPresent([String].self, forKey: .aliases) ?? []
        description = try values.decode(String.self, forKey: .description)
        requiredSkills = try values.decode([String].self, forKey: .requiredSkills)
        suitableFor = try values.decode(String.self, forKey: .suitableFor)
        salary = try values.decodeIfPresent(SalaryRange.self, forKey: .salary)
        growth = try values.decodeIfPresent(JobGrowth.self, forKey: .growth)
        typicalCompanies = try values.decodeIfPresent([String].self, forKey: .typicalCompanies) ?? []
        requiredEducation = try values.decode(RequiredEducation.self, forKey: .requiredEducation)
        relatedCareers = try values.decodeIfPresent([String].self, forKey: .relatedCareers) ?? []
        socCode = try values.decodeIfPresent(String.self, forKey: .socCode)
        cluster = try values.decodeIfPresent(String.self, forKey: .cluster) ?? ""
        tasks = try values.decodeIfPresent([String].self, forKey: .tasks) ?? []
        technologies = try values.decodeIfPresent([String].self, forKey: .technologies) ?? []
        attributes = try values.decodeIfPresent([String: CareerAttribute].self, forKey: .attributes) ?? [:]
        source = try values.decodeIfPresent(String.self, forKey: .source)
        let named = try values.decode([String: Double].self, forKey: .abilities)
        var abilities: [Double] = []
        for ability in Ability.allCases {
            guard let value = named[ability.rawValue] else {
                throw CatalogueError.invalidCareer(id: id, problem: "the ability \(ability.rawValue) is missing")
            }
            abilities.append(value)
        }
        self.abilities = abilities
        if let unknown = named.keys.first(where: { Ability(rawValue: $0) == nil }) {
            throw CatalogueError.invalidCareer(id: id, problem: "there is no ability “\(unknown)”")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(id, forKey: .id)
        try values.encode(name, forKey: .name)
        try values.encode(aliases, forKey: .aliases)
        try values.encode(description, forKey: .description)
        try values.encode(requiredSkills, forKey: .requiredSkills)
        try values.encode(suitableFor, forKey: .suitableFor)
        try values.encodeIfPresent(salary, forKey: .salary)
        try values.encodeIfPresent(growth, forKey: .growth)
        try values.encode(typicalCompanies, forKey: .typicalCompanies)
        try values.encode(requiredEducation, forKey: .requiredEducation)
        try values.encode(relatedCareers, forKey: .relatedCareers)
        try values.encodeIfPresent(socCode, forKey: .socCode)
        try values.encode(cluster, forKey: .cluster)
        try values.encode(
            Dictionary(uniqueKeysWithValues: zip(Ability.allCases.map(\.rawValue), abilities)), forKey: .abilities)
        if !tasks.isEmpty { try values.encode(tasks, forKey: .tasks) }
        if !technologies.isEmpty { try values.encode(technologies, forKey: .technologies) }
        if !attributes.isEmpty { try values.encode(attributes, forKey: .attributes) }
        try values.encodeIfPresent(source, forKey: .source)
    }
}

/// What can be wrong with a catalogue, a quiz or what is stored of them.
package enum CatalogueError: Error, Equatable, CustomStringConvertible {
    case invalidCareer(id: String, problem: String)
    case invalidQuiz(problem: String)
    case unreadable(what: String, problem: String)
    /// What is stored is not what was written.
    case damaged(what: String, location: String, problem: String)
    case empty

    package var description: String {
        switch self {
        case .invalidCareer(let id, let problem): "career “\(id)”: \(problem)"
        case .invalidQuiz(let problem): "the quiz: \(problem)"
        case .unreadable(let what, let problem): "\(what) cannot be read: \(problem)"
        case .damaged(let what, let location, let problem):
            "\(what) in \(location) is damaged; restore a backup, import the careers again, or remove the row from the table "
                + "“careers”: a built-in one is made anew at the next start (\(problem))"
        case .empty: "the catalogue has no active careers; import some"
        }
    }
}
