/// The fields of a career in a file, by the names that files use.
enum CareerFields {
    static let all = [
        "id", "name", "aliases", "description", "required_skills", "suitable_for", "salary", "growth",
        "typical_companies", "required_education", "related_careers", "soc_code", "cluster", "abilities", "tasks",
        "technologies", "attributes", "source",
    ]
    static let lists = [
        "aliases", "required_skills", "typical_companies", "related_careers", "tasks", "technologies",
    ]

    static let maximumTextBytes = 20_000
    static let maximumListCount = 5_000
    static let years = 1900...2100

    /// What the text of an education says where a file gives only its level.
    static func text(of level: EducationLevel) -> String {
        switch level {
        case .none: "No formal education"
        case .secondary: "Secondary school"
        case .certificate: "Certificate or vocational training"
        case .associate: "Associate's degree"
        case .bachelor: "Bachelor's degree"
        case .master: "Master's degree"
        case .doctorate: "Doctorate"
        }
    }
}
