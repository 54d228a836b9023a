internal import Engine
internal import Store

/// Whether texts are read by a knowledge base of occupations, and by which.
struct GroundingCheck: Sendable {
    /// What grounds the texts of the vectors in use; nil where nothing does.
    private let base: KnowledgeBase?
    let finding: DoctorFinding

    private static let subject = "grounding"

    static func make(
        _ choice: GroundingChoice, of careers: [Career], in database: any SQLDatabase
    ) async throws -> GroundingCheck {
        do {
            guard case .stored(let checksum) = choice else { return GroundingCheck(base: nil, finding: none(careers)) }
            guard let base = try await KnowledgeBaseStore(database).read(checksum) else {
                return GroundingCheck(base: nil, finding: damaged("it is not there"))
            }
            let detail =
                "texts are read by \(base.titles.titles.count) titles of \(base.titles.occupations.count) occupations"
            return GroundingCheck(
                base: base, finding: DoctorFinding(subject: subject, state: .good, detail: detail))
        } catch let error as GroundingError {
            return GroundingCheck(base: nil, finding: damaged("\(error)"))
        }
    }

    /// The space of grounded texts; nil where nothing grounds them.
    func space(of texts: TextSpace, settings: ServiceSettings) throws -> TextSpace? {
        guard let base else { return nil }
        let defaults = try GroundingDefaults.of(texts.modelID, settings: settings)
        return try GroundedVectorizer.space(of: texts, base: base, weight: defaults.weight)
    }

    private static func none(_ careers: [Career]) -> DoctorFinding {
        let advice =
            OccupationTitles.grounding(careers) == nil
            ? "there are no titles to read them by; “pathlight import onet DIR” brings O*NET's in"
            : "the vectors in use are of before; “pathlight reembed” makes them anew, read by O*NET's titles"
        return DoctorFinding(subject: subject, state: .good, detail: "texts are compared as they are: \(advice)")
    }

    private static func damaged(_ problem: String) -> DoctorFinding {
        DoctorFinding(
            subject: subject, state: .degraded,
            detail: "the knowledge base of the vectors in use: \(problem); the service makes another when it starts")
    }
}
