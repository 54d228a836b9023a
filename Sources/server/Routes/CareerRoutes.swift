internal import Engine
internal import Hummingbird
internal import VectorIndex

/// The catalogue: `GET /api/careers/`, one career, and careers like it.
struct CareerRoutes {
    static let pageLimit = 200

    let pathways: Pathways

    func add(to router: Router<RequestScope>) {
        router.get("/api/careers") { request, _ in try list(request) }
        router.get("/api/careers/{id}") { request, scope in try career(request, scope) }
        router.get("/api/careers/{id}/similar") { request, scope in try similar(request, scope) }
    }

    private func list(_ request: Request) throws -> Response {
        let (skip, limit) = try request.readQuery { query in
            (query.integer("skip", in: 0...Int(Int32.max)) ?? 0, query.integer("limit", in: 1...Self.pageLimit) ?? 50)
        }
        let careers = pathways.recommender.current.orderedCareers
        return .json { json in
            json.object { json in
                json.field("items", arrayOf: careers.dropFirst(skip).prefix(limit)) { json, career in
                    CareerWriter.writeSummary(career, to: &json)
                }
                json.field("total", careers.count)
                json.field("skip", skip)
                json.field("limit", limit)
            }
        }
    }

    private func career(_ request: Request, _ scope: RequestScope) throws -> Response {
        try request.readQuery { _ in }
        let career = try find(scope)
        return .json { CareerWriter.write(career, to: &$0) }
    }

    private func similar(_ request: Request, _ scope: RequestScope) throws -> Response {
        let limit = try request.readQuery { $0.integer("limit", in: 1...RecommendationRequest.maximumTopN) ?? 5 }
        let career = try find(scope)
        let similar = try pathways.recommender.current.similar(to: career.id, limit: limit)
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
            }
        }
    }

    private func find(_ scope: RequestScope) throws -> Career {
        let id = try scope.parameters.require("id")
        guard let career = pathways.recommender.current.careers[id] else {
            throw HTTPProblem(.careerNotFound, "There is no career “\(excerpt(of: id))”; GET /api/careers/ lists them.")
        }
        return career
    }
}

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
        }
    }

    static func write(_ career: Career, to json: inout JSONWriter) {
        json.object { json in
            json.field("id", career.id)
            json.field("name", career.name)
            json.field("aliases", career.aliases)
            json.field("description", career.description)
            json.field("cluster", career.cluster)
            json.field("required_skills", career.requiredSkills)
            json.field("suitable_for", career.suitableFor)
            json.field("salary_range", career.salary?.text)
            json.name("salary")
            if let salary = career.salary {
                json.object { json in
                    json.field("min", salary.min)
                    json.field("max", salary.max)
                    json.field("currency", salary.currency)
                    json.field("year", salary.year)
                }
            } else {
                json.null()
            }
            json.field("job_growth", career.growth?.text)
            json.name("growth")
            if let growth = career.growth {
                json.object { json in
                    json.field("percent", growth.percent)
                    json.field("from", growth.from)
                    json.field("to", growth.to)
                }
            } else {
                json.null()
            }
            json.field("typical_companies", career.typicalCompanies)
            writeEducation(career, to: &json)
            json.field("related_careers", career.relatedCareers)
            json.field("soc_code", career.socCode)
            json.field("abilities") { json in
                for (ability, value) in zip(Ability.allCases, career.abilities) { json.field(ability.rawValue, value) }
            }
            json.field("ability_vector", arrayOf: career.abilities) { $0.value($1) }
            json.field("is_active", true)
        }
    }

    private static func writeEducation(_ career: Career, to json: inout JSONWriter) {
        json.field("required_education") { json in
            json.field("level", career.requiredEducation.level.rawValue)
            json.field("text", career.requiredEducation.text)
        }
    }
}
