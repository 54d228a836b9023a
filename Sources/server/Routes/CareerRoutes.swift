internal import Engine
internal import Hummingbird

/// The catalogue: `GET /api/careers/`, one career, and careers like it.
struct CareerRoutes {
    static let pageLimit = 200
    private static let skips = 0...Int(Int32.max)

    let pathways: Pathways
    private let titles = CareerTitles()

    init(pathways: Pathways) { self.pathways = pathways }

    func add(to router: GuardedRouter) {
        router.get("/api/careers", .careers) { request, _ in try list(request) }
        router.get("/api/careers/{id}", .careers) { request, scope in try await career(request, scope) }
        router.get("/api/careers/{id}/similar", .careers) { request, scope in try similar(request, scope) }
    }

    private func list(_ request: Request) throws -> Response {
        let (generation, skip, limit, wanted) = try request.readQuery(repeatable: ["cluster"]) { fields in
            let number = fields.integer("generation", in: 0...Int.max)
            let generation = try number.map(published) ?? pathways.recommender.current
            return (
                generation, fields.integer("skip", in: Self.skips) ?? 0,
                fields.integer("limit", in: 1...Self.pageLimit) ?? 50,
                CareerQuery.read(fields, in: generation)
            )
        }
        let careers = wanted.careers(in: generation, titles: titles)
        let page = careers.dropFirst(skip).prefix(limit)
        return .json { json in
            json.object { json in
                json.field("items", arrayOf: page) { json, career in
                    CareerWriter.writeSummary(career, to: &json)
                }
                json.field("total", careers.count)
                json.field("skip", skip)
                json.field("limit", limit)
                json.field("generation", generation.number)
                CareerWriter.writeAttributions(page, of: generation, to: &json)
            }
        }
    }

    /// The catalogue as it was when another page of the same list was given.
    private func published(_ number: Int) throws -> CareerGeneration {
        if let generation = pathways.recommender.generation(number: UInt64(number)) { return generation }
        throw ProblemTable.generationGone(UInt64(number), current: pathways.recommender.current.number)
    }

    private func career(_ request: Request, _ scope: RequestScope) async throws -> Response {
        try request.readQuery { _ in }
        let id = try scope.pathID("id", missing: Self.notFound)
        let generation = pathways.recommender.current
        if let career = generation.careers[id] {
            return .json { CareerWriter.write(career, isActive: true, of: generation, to: &$0) }
        }
        // Who saved a career can look at it after it was retired.
        guard generation.absent[id] != nil,
            let (career, isActive) = try await CatalogueContent.career(id, in: pathways.database)
        else { throw Self.notFound(id) }
        return .json { CareerWriter.write(career, isActive: isActive, of: generation, to: &$0) }
    }

    private func similar(_ request: Request, _ scope: RequestScope) throws -> Response {
        let generation = pathways.recommender.current
        let (limit, clusters) = try request.readQuery(repeatable: ["cluster"]) { fields in
            (
                fields.integer("limit", in: 1...RecommendationRequest.maximumTopN) ?? 5,
                CareerQuery.clusters(fields, in: generation)
            )
        }
        let id = try scope.pathID("id", missing: Self.notFound)
        guard generation.careers[id] != nil else { throw Self.notServed(id, in: generation) }
        let similar = try generation.similar(to: id, limit: limit, clusters: clusters)
        return .json { json in
            json.object { json in
                json.field("items", arrayOf: similar.items) { json, item in
                    let shown = Percent(
                        score: item.score, embedding: item.embeddingSimilarity, ability: item.abilitySimilarity,
                        alpha: similar.alpha)
                    json.object { json in
                        json.field("career_id", item.career.id)
                        json.field("career", item.career.name)
                        json.field("cluster", item.career.cluster)
                        json.name("score")
                        json.value(oneDecimal: shown.score)
                        json.name("embedding_similarity")
                        if let value = shown.embedding { json.value(oneDecimal: value) } else { json.null() }
                        json.name("ability_similarity")
                        if let value = shown.ability { json.value(oneDecimal: value) } else { json.null() }
                    }
                }
                json.field("total", similar.matched)
                json.field("skip", 0)
                json.field("limit", limit)
                json.field("generation", generation.number)
                CareerWriter.writeAttributions(similar.items.map(\.career), of: generation, to: &json)
            }
        }
    }

    private static func notFound(_ id: String) -> HTTPProblem {
        HTTPProblem(.careerNotFound, "There is no career “\(excerpt(of: id))”; GET /api/careers/ lists them.")
    }

    /// Why there is no row that others could be compared with.
    private static func notServed(_ id: String, in generation: CareerGeneration) -> HTTPProblem {
        guard let absence = generation.absent[id] else { return notFound(id) }
        return HTTPProblem(
            .careerNotServed, "“\(excerpt(of: id))” \(absence.sentence), so nothing is compared with it.")
    }
}
