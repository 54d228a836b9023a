internal import CoreMetrics
internal import Embedder
internal import Engine
internal import Foundation
internal import Hummingbird
internal import Mustache
internal import NIOCore
internal import VectorIndex

/// Health, the API's description and the pages.
struct ServiceRoutes {
    let pathways: Pathways
    let version: String
    let drain: DrainGate

    /// - Throws: what is wrong with the page's template.
    func add(to router: GuardedRouter) throws {
        router.get("/livez", .open) { _, _ in Self.plain("alive") }
        router.get("/readyz", .open) { _, _ in try readiness() }
        router.get("/healthz", .open) { _, _ in try readiness() }
        try home(on: router)
        page("/docs", asset: "web/docs.html", type: "text/html; charset=utf-8", on: router)
        page("/openapi.json", asset: "openapi.json", type: "application/json", on: router)
        page("/assets/app.css", asset: "web/app.css", type: "text/css; charset=utf-8", on: router)
        for script in ["app.js", "results.js", "docs.js"] {
            page("/assets/\(script)", asset: "web/\(script)", type: "text/javascript; charset=utf-8", on: router)
        }
        page("/assets/favicon.svg", asset: "web/favicon.svg", type: "image/svg+xml", on: router)
        page("/favicon.ico", asset: "web/favicon.svg", type: "image/svg+xml", on: router)
    }

    /// Ready, even where degraded: the service answers, and says how well.
    private func readiness() throws -> Response {
        try drain.refuseIfDraining()
        let generation = pathways.recommender.current
        return .json { json in
            json.object { json in
                json.field("status", generation.degradation == nil ? "ready" : "degraded")
                json.field("version", version)
                json.name("degraded")
                RecommendationWriter.write(generation.degradation, to: &json)
                json.field("careers", generation.index.count)
                json.field("generation", generation.number)
                json.field("model", pathways.embedder.map { _ in pathways.modelID })
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

    /// The quiz, with what the page can tell before its script runs.
    private func home(on router: GuardedRouter) throws {
        let template = try MustacheTemplate(
            string: String(decoding: Assets.data("web/index.html") ?? Data(), as: UTF8.self))
        router.get("/", .everyone) { _, _ in
            let generation = pathways.recommender.current
            let page = template.render(
                [
                    "careers": generation.index.count, "clusters": generation.clusters.count,
                    "degraded": generation.degradation != nil,
                ] as [String: any Sendable])
            return Response(
                status: .ok, headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-cache"],
                body: .init(byteBuffer: ByteBuffer(string: page)))
        }
    }

    private func page(_ path: String, asset: String, type: String, on router: GuardedRouter) {
        guard let data = Assets.data(asset) else { return }
        let bytes = ByteBuffer(bytes: data)
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
        let degraded = MetricDefinition(
            "pathlight_degraded", "1 where the service is degraded for the reason in the label, 0 where it is whole.")
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
        registry.describe([degraded, careers, generation, stale, pending, hits, misses, tokens])
        func meter(_ definition: MetricDefinition, _ labels: [(String, String)] = []) -> Meter {
            Meter(label: definition.name, dimensions: labels, factory: registry)
        }
        let isDegraded = meter(degraded, [("reason", pathways.degradation?.reason.rawValue ?? "none")])
        let (staleCount, pendingCount) = (meter(stale), meter(pending))
        let (careerCount, number) = (meter(careers), meter(generation))
        let (hitCount, missCount, tokenCount) = (meter(hits), meter(misses), meter(tokens))
        EmbeddingQueueMetrics.register(in: registry) { pathways.embeddingStatistics }
        registry.onRender {
            let current = pathways.recommender.current
            isDegraded.set(current.degradation == nil ? 0.0 : 1.0)
            careerCount.set(Double(current.index.count))
            number.set(Double(current.number))
            staleCount.set(Double(current.embedding.stale))
            pendingCount.set(Double(current.embedding.pending))
            guard let statistics = pathways.embedder?.statistics else { return }
            hitCount.set(Double(statistics.hits))
            missCount.set(Double(statistics.misses))
            tokenCount.set(Double(statistics.tokens))
        }
    }
}
