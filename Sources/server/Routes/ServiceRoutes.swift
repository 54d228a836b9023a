internal import CoreMetrics
internal import Embedder
internal import Engine
internal import Foundation
internal import Hummingbird
internal import NIOCore
internal import VectorIndex

/// Health, the API's description and the pages.
struct ServiceRoutes {
    private static let scripts = ["app", "state", "quiz", "asking", "list", "career", "results", "docs"]

    let pathways: Pathways
    let access: AccessControl
    let health: ServiceHealth
    let version: String
    let drain: DrainGate

    /// - Throws: what is wrong with a page's template.
    func add(to router: GuardedRouter) throws {
        router.get("/livez", .open) { _, _ in Self.plain("alive") }
        router.get("/readyz", .open) { _, _ in try readiness() }
        router.get("/healthz", .open) { _, _ in try readiness() }
        try home(on: router)
        let docs = ByteBuffer(string: try HTMLPage("docs").text(["title": "API"]))
        serve(docs, at: "/docs", type: "text/html; charset=utf-8", on: router)
        file("/openapi.json", asset: "openapi.json", type: "application/json", on: router)
        file("/assets/app.css", asset: "web/app.css", type: "text/css; charset=utf-8", on: router)
        for script in Self.scripts {
            file("/assets/\(script).js", asset: "web/\(script).js", type: "text/javascript; charset=utf-8", on: router)
        }
        file("/assets/favicon.svg", asset: "web/favicon.svg", type: "image/svg+xml", on: router)
        file("/favicon.ico", asset: "web/favicon.svg", type: "image/svg+xml", on: router)
    }

    /// Ready, even where degraded: the service answers, and says how well.
    private func readiness() throws -> Response {
        try drain.refuseIfDraining()
        let generation = pathways.recommender.current
        let troubles = health.troubles
        return .json { json in
            json.object { json in
                json.field("status", troubles.isEmpty ? "ready" : "degraded")
                json.field("version", version)
                json.field("degraded", arrayOf: troubles) { json, trouble in
                    json.object { json in
                        json.field("part", trouble.part.rawValue)
                        json.field("reason", trouble.reason)
                        json.field("detail", trouble.detail)
                    }
                }
                json.field("careers", generation.index.count)
                json.field("generation", generation.number)
                json.field("model", pathways.catalogue.model.encoder.map { _ in pathways.modelID })
                json.field("space", generation.space?.id)
                json.field("embedding") { json in write(generation.embedding, to: &json) }
                json.field("calibration") { json in
                    json.field("lambda", generation.calibration.lambda)
                    json.field("text_spread", generation.calibration.textSpread)
                    json.field("ability_spread", generation.calibration.abilitySpread)
                }
            }
        }
    }

    /// How far the vectors in use are those of the careers' present texts, and what is being done about it.
    private func write(_ embedding: EmbeddingState, to json: inout JSONWriter) {
        json.name("generation")
        if let generation = embedding.generation { json.value(generation) } else { json.null() }
        json.field("current", embedding.current)
        json.field("stale", embedding.stale)
        json.field("pending", embedding.pending)
        json.field("problem", pathways.catalogue.problem)
        json.name("building")
        guard let progress = pathways.catalogue.progress else { return json.null() }
        json.object { json in
            json.field("done", progress.done)
            json.field("total", progress.total)
        }
    }

    private static func plain(_ text: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: text + "\n")))
    }

    /// The quiz, with what the page can tell before its script runs, and with the token that the script's writes carry
    /// where somebody is signed in. That page is theirs: nothing keeps it, so that it has no entity tag either.
    private func home(on router: GuardedRouter) throws {
        let page = try HTMLPage("index")
        router.get("/", .everyone) { request, scope in
            let visitor = try access.visitor(request, scope)
            let generation = pathways.recommender.current
            var values: [String: any Sendable] = [
                "careers": generation.index.count, "clusters": generation.clusters.count,
                "degraded": generation.degradation != nil, "signed_in": visitor.isSignedIn,
            ]
            if let csrf = visitor.csrf { values["csrf"] = HTMLText.escaped(csrf) }
            return Response(
                status: .ok,
                headers: [
                    .contentType: "text/html; charset=utf-8",
                    .cacheControl: visitor.isSignedIn ? "no-store" : "no-cache", .vary: "Cookie",
                ],
                body: .init(byteBuffer: ByteBuffer(string: page.text(values))))
        }
    }

    private func file(_ path: String, asset: String, type: String, on router: GuardedRouter) {
        guard let data = Assets.data(asset) else { return }
        serve(ByteBuffer(bytes: data), at: path, type: type, on: router)
    }

    private func serve(_ bytes: ByteBuffer, at path: String, type: String, on router: GuardedRouter) {
        // The same until another program starts, so hashed once.
        let tag = EntityTag.strong(of: bytes)
        router.get(RouterPath(path), .open) { _, _ in
            Response(
                status: .ok, headers: [.contentType: type, .cacheControl: "no-cache", .eTag: tag],
                body: .init(byteBuffer: bytes))
        }
    }
}

/// What the recommender tells `/metrics`.
enum RecommenderMetrics {
    static func register(_ pathways: Pathways, in registry: MetricsRegistry) {
        let careers = MetricDefinition("pathlight_careers", "Careers that can be recommended.")
        let generation = MetricDefinition("pathlight_generation", "Number of the careers' generation that is served.")
        let stale = MetricDefinition(
            "pathlight_stale_careers", "Careers served with the vector of an earlier text.")
        let pending = MetricDefinition(
            "pathlight_pending_careers", "Careers that are not served yet for want of a vector.")
        let hits = MetricDefinition("pathlight_embedding_cache_hits", "Texts answered from the cache since the start.")
        let misses = MetricDefinition("pathlight_embedding_cache_misses", "Texts embedded since the start.")
        let tokens = MetricDefinition(
            "pathlight_embedded_tokens", "Tokens that went through the model since the start.")
        registry.describe([careers, generation, stale, pending, hits, misses, tokens])
        func meter(_ definition: MetricDefinition) -> Meter {
            Meter(label: definition.name, dimensions: [], factory: registry)
        }
        let (staleCount, pendingCount) = (meter(stale), meter(pending))
        let (careerCount, number) = (meter(careers), meter(generation))
        let (hitCount, missCount, tokenCount) = (meter(hits), meter(misses), meter(tokens))
        EmbeddingQueueMetrics.register(in: registry) { pathways.embeddingStatistics }
        registry.onRender {
            let current = pathways.recommender.current
            careerCount.set(Double(current.index.count))
            number.set(Double(current.number))
            staleCount.set(Double(current.embedding.stale))
            pendingCount.set(Double(current.embedding.pending))
            let model = pathways.catalogue.model
            guard let statistics = model.embedder?.statistics ?? model.remote?.statistics else { return }
            hitCount.set(Double(statistics.hits))
            missCount.set(Double(statistics.misses))
            tokenCount.set(Double(statistics.tokens))
        }
    }
}
