internal import VectorIndex

/// What careers can be filtered by.
enum CareerAttributes {
    /// Before the names that the operator chose, so that none of them hides one of the product's.
    static let ownPrefix = "attribute."

    /// Names that hold a number for some careers and words for others: one file's fee is “free”, another's 100. All are
    /// then words, since a catalogue must be servable whatever institutions put into it.
    static func mixedNames(of careers: some Sequence<Career>) -> Set<String> {
        let (numbers, words) = names(of: careers)
        return numbers.intersection(words)
    }

    /// The names of the operator's own attributes, and whether each is indexed as numbers.
    static func own(of careers: some Sequence<Career>) -> [String: Bool] {
        let (numbers, words) = names(of: careers)
        return Dictionary(uniqueKeysWithValues: numbers.union(words).map { ($0, !words.contains($0)) })
    }

    private static func names(of careers: some Sequence<Career>) -> (numbers: Set<String>, words: Set<String>) {
        var numbers: Set<String> = []
        var words: Set<String> = []
        for career in careers {
            for (name, value) in career.attributes {
                if case .number = value { numbers.insert(name) } else { words.insert(name) }
            }
        }
        return (numbers, words)
    }

    private static func word(_ number: Double) -> String {
        Int(exactly: number).map(String.init) ?? String(number)
    }

    static func indexed(_ career: Career, mixed: Set<String> = []) -> [String: AttributeValue] {
        var attributes: [String: AttributeValue] = [
            "cluster": .keywords([career.cluster]),
            "education": .keywords([career.requiredEducation.level.rawValue]),
            "skills": .keywords((career.requiredSkills + career.technologies).map { $0.lowercased() }),
        ]
        if let source = career.source { attributes["source"] = .keywords([source]) }
        if let salary = career.salary {
            attributes["salary_min"] = .number(Double(salary.min))
            attributes["salary_max"] = .number(Double(salary.max))
            attributes["currency"] = .keywords([salary.currency])
        }
        if let growth = career.growth { attributes["growth_percent"] = .number(growth.percent) }
        for (name, value) in career.attributes {
            switch value {
            case .words(let words): attributes[ownPrefix + name] = .keywords(words.map { $0.lowercased() })
            case .number(let number):
                attributes[ownPrefix + name] = mixed.contains(name) ? .keywords([word(number)]) : .number(number)
            }
        }
        return attributes
    }
}

extension CareerGeneration {
    /// The index's name of an attribute that the operator gave careers.
    package static func indexName(ofAttribute name: String) -> String { CareerAttributes.ownPrefix + name }
}
