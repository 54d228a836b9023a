internal import Engine
package import Logging
internal import Store

/// The service with all its routes, put together and not listening yet: what `pathlight serve` runs.
package struct AssembledService {
    /// Careers that are embedded before the first request is answered, a few seconds' worth; more are embedded while
    /// the others are served.
    private static let embeddedBeforeServing = 256

    package let http: HTTPService
    package let access: AccessControl
    let pathways: Pathways
    let platform: PlatformServices

    /// Opens the data, loads the model and adds every route.
    ///
    /// - Throws: what is wrong with data, model or settings; each says how to mend it.
    package static func open(
        _ settings: ServiceSettings, registry: MetricsRegistry, logger: Logger
    ) async throws -> AssembledService {
        let pathways = try await Pathways.open(settings, completing: .upTo(embeddedBeforeServing), logger: logger)
        do {
            let access = try await AccessControl.open(settings, database: pathways.database, cipher: pathways.cipher)
            let http = HTTPService(
                settings: settings, registry: registry, problems: .service, access: access, logger: logger)
            let platform = try await PlatformServices.open(
                settings, pathways: pathways, access: access, registry: registry, logger: logger)
            try Routes.add(to: http, pathways: pathways, access: access)
            try platform.addRoutes(to: http.routes, database: pathways.database)
            AccessMetrics.register(access, in: registry)
            RecommenderMetrics.register(pathways, in: registry)
            StoreMetrics.register(pathways.database, folder: settings.dataDirectory, in: registry)
            return AssembledService(http: http, access: access, pathways: pathways, platform: platform)
        } catch {
            try? await pathways.database.close()
            throw error
        }
    }

    /// Ends what was opened.
    package func close() async throws {
        platform.close()
        try await pathways.database.close()
    }
}
