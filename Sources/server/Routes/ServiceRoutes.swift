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

    /// - Throws: what is wrong with the page's template.
    func add(to router: Router<RequestScope>) throws {
        router.get("/livez") { _, _ in Self.plain("alive") }
        router.get("/readyz") { _, _ in readiness() }
        router.get("/healthz") { _, _ in readiness() }
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
    private func readiness() -> Response {
        let generation = pathways.recommender.current
        return .json { json in
            json.object { json in
                json.field("status", generation.degradation == nil ? "ready" : "degraded")
                json.field("version", version)
                json.name("degraded")
                RecommendationWriter.write(generation.degradation, to: &json)
                json.field("careers", generation.index.count)
                json.field("generation", generation.index.number)
                json.field("model", pathways.embedder.map { _ in pathways.modelID })
                json.field("space", generation.space?.id)
                json.field("calibration") { json in
                    json.field("lambda", generation.calibration.lambda)
                    json.field("text_spread", generation.calibration.textSpread)
                    json.field("ability_spread", generation.calibration.abilitySpread)
                }
            }
        }
    }

    private static func plain(_ text: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: text + "\n")))
    }

    /// The quiz, with what the page can tell before its script runs.
    private func home(on router: Router<RequestScope>) throws {
        let template = try MustacheTemplate(
            string: String(decoding: Assets.data("web/index.html") ?? Data(), as: UTF8.self))
        router.get("/") { _, _ in
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

    private func page(_ path: String, asset: String, type: String, on router: Router<RequestScope>) {
        guard let data = Assets.data(asset) else { return }
        let bytes = ByteBuffer(bytes: data)
        router.get(RouterPath(path)) { _, _ in
            Response(
                status: .ok, headers: [.contentType: type, .cacheControl: "no-cache"], body: .init(byteBuffer: bytes))
        }
    }
}

/// What the recommender tells `/metrics`.
enum RecommenderMetrics {
    static func register(_ pathways: Pathways, in registry: MetricsRegistry) {
        let degraded = MetricDefinition(
            "pathlight_degraded", "1 where the service is degraded for the reason in the label, 0 where it is whole.")
        let careers = MetricDefinition("pathlight_careers", "Careers that can be recommended.")
        let generation = MetricDefinition("pathlight_generation", "Number of the index generation that is served.")
        let hits = MetricDefinition("pathlight_embedding_cache_hits", "Texts answered from the cache since the start.")
        let misses = MetricDefinition("pathlight_embedding_cache_misses", "Texts embedded since the start.")
        let tokens = MetricDefinition(
            "pathlight_embedded_tokens", "Tokens that went through the model since the start.")
        registry.describe([degraded, careers, generation, hits, misses, tokens])
        func meter(_ definition: MetricDefinition, _ labels: [(String, String)] = []) -> Meter {
            Meter(label: definition.name, dimensions: labels, factory: registry)
        }
        let isDegraded = meter(degraded, [("reason", pathways.degradation?.reason.rawValue ?? "none")])
        let (careerCount, number) = (meter(careers), meter(generation))
        let (hitCount, missCount, tokenCount) = (meter(hits), meter(misses), meter(tokens))
        registry.onRender {
            let current = pathways.recommender.current
            isDegraded.set(current.degradation == nil ? 0.0 : 1.0)
            careerCount.set(Double(current.index.count))
            number.set(Double(current.index.number))
            guard let statistics = pathways.embedder?.statistics else { return }
            hitCount.set(Double(statistics.hits))
            missCount.set(Double(statistics.misses))
            tokenCount.set(Double(statistics.tokens))
        }
    }
}
