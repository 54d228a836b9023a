internal import Engine
internal import Store

/// What the catalogue knows today of the careers of a list that was made before.
struct ListedCatalogue {
    private let generation: CareerGeneration
    /// For their sources, which ask to be named also for a career that is shown after it was retired.
    private let careers: [Career]
    private let gone: Set<String>

    /// - Throws: `StoreError`
    init(_ ids: [String], _ generation: CareerGeneration, in database: any SQLDatabase) async throws {
        var careers: [Career] = []
        var gone: Set<String> = []
        for id in ids {
            if let career = generation.careers[id] {
                careers.append(career)
                continue
            }
            // One that waits for its vector is in the catalogue, and not served to those who ask yet.
            if generation.absent[id] != .pending { gone.insert(id) }
            do {
                if let (career, _) = try await CatalogueContent.career(id, in: database) { careers.append(career) }
            } catch is CatalogueError {
                // Its text is damaged; the list has what is shown of it.
                continue
            }
        }
        self.generation = generation
        self.careers = careers
        self.gone = gone
    }

    /// Whether a career was in the catalogue when the list was made, and is not any more.
    func isGone(_ id: String?) -> Bool { id.map { gone.contains($0) } ?? false }

    func writeAttributions(to json: inout JSONWriter) {
        CareerWriter.writeAttributions(careers, of: generation, to: &json)
    }
}
