internal import Engine
package import Logging
internal import Platform
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
    /// Nil where no request is recorded.
    package let spans: SpanSender?

    /// Opens the data, loads the model and adds every route.
    ///
    /// - Parameter values: the settings as administrators are shown them.
    /// - Throws: what is wrong with data, model or settings; each says how to mend it.
    package static func open(
        _ settings: ServiceSettings, values: [SettingValue] = [], registry: MetricsRegistry, logger: Logger
    ) async throws -> AssembledService {
        let pathways = try await Pathways.open(settings, completing: .upTo(embeddedBeforeServing), logger: logger)
        do {
            let access = try await AccessControl.open(settings, database: pathways.database, cipher: pathways.cipher)
            let recorder =
                settings.tracing.isOn
                ? TraceRecorder(settings.tracing, metrics: TracingMetrics(registry)) : nil
            let http = HTTPService(
                settings: settings, registry: registry, problems: .service, access: access, traces: recorder,
                pages: try ProblemPage(), logger: logger)
            let platform = try await PlatformServices.open(
                settings, pathways: pathways, access: access, registry: registry, logger: logger)
            let spans = try recorder.map { recorder in
                SpanSender(
                    recorder, to: try TraceCollector(settings.tracing, transport: platform.transport),
                    version: Pathlight.version, shutdown: settings.timeouts.shutdown, logger: logger)
            }
            let health = ServiceHealth(pathways: pathways, platform: platform)
            try Routes.add(
                to: http, pathways: pathways, access: access, mail: platform.accountMail, health: health)
            SettingsRoutes(values: values).add(to: http.routes)
            try platform.addRoutes(to: http.routes, database: pathways.database, access: access)
            MonitorRoutes(
                monitor: platform.monitor, pathways: pathways, queue: platform.tasks.queue,
                scheduler: platform.tasks.scheduler
            ).add(to: http.routes)
            AccessMetrics.register(access, http.admission, in: registry)
            TokenMetrics.register(in: registry) { access.identity.tokens?.statistics }
            RecommenderMetrics.register(pathways, in: registry)
            DegradationMetrics.register(in: registry) { health.troubles }
            StoreMetrics.register(pathways.database, folder: settings.dataDirectory, in: registry)
            return AssembledService(
                http: http, access: access, pathways: pathways, platform: platform, spans: spans)
        } catch {
            try? await pathways.database.close()
            throw error
        }
    }

    /// Ends what was opened.
    package func close() async throws {
        await platform.close()
        await pathways.outside.settled()
        try await pathways.database.close()
    }
}
