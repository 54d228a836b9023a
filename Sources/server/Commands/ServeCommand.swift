internal import ArgumentParser
internal import Engine
internal import Hummingbird
internal import Logging
internal import Metrics
internal import NIOCore
internal import ServiceLifecycle
internal import Store

/// `pathlight serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Answers requests over HTTP until it is told to stop.")

    /// Careers that are embedded before the first request is answered, a few seconds' worth; more are embedded while
    /// the others are served.
    private static let embeddedBeforeServing = 256

    @Option(help: "The address to listen on; only this machine's own (default 127.0.0.1).")
    var host: String?

    @Option(parsing: .unconditional, help: "The port to listen on; 0 takes a free one (default 8080).")
    var port: Int?

    @Option(help: "text or json.")
    var logFormat: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let port, !(0...65_535).contains(port) {
            throw ValidationError("--port must be from 0 to 65535, not \(port)")
        }
    }

    func run() async throws {
        let (settings, logger) = try common.settings(host: host, port: port, logFormat: logFormat, quiet: false)
        let registry = MetricsRegistry()
        MetricsSystem.bootstrap(registry)
        ProcessMetrics.register(in: registry)
        let pathways = try await Pathways.open(settings, completing: .upTo(Self.embeddedBeforeServing), logger: logger)
        let service = HTTPService(settings: settings, registry: registry, problems: .service, logger: logger)
        try Routes.add(to: service, pathways: pathways)
        RecommenderMetrics.register(pathways, in: registry)
        let watcher = CatalogueWatcher(catalogue: pathways.catalogue, logger: logger)
        let application = service.application(services: [watcher]) { channel in
            let port = channel.localAddress?.port ?? settings.port
            logger.notice("listening", metadata: ["address": "http://\(settings.host):\(port)/"])
        }
        do {
            try await service.serviceGroup(for: application).run()
        } catch is CancellationError {
            logger.warning("requests still under way at the end of the shutdown time were cancelled")
        } catch let error as IOError {
            try await pathways.database.close()
            throw StartProblem(
                "cannot listen on \(settings.host):\(settings.port): \(error); stop what listens there, or name another --port"
            )
        }
        try await pathways.database.close()
        logger.notice("stopped")
    }
}

/// All routes of the service.
enum Routes {
    static func add(to service: HTTPService, pathways: Pathways) throws {
        let router = service.router
        service.makeIdempotent(
            WritingRoutes.paths, keepingRepliesIn: IdempotencyRepository(pathways.database))
        QuizRoutes(pathways: pathways).add(to: router)
        RecommendRoutes(pathways: pathways, topNMaximum: service.settings.topNMaximum).add(to: router)
        ResultRoutes(pathways: pathways).add(to: router)
        CareerRoutes(pathways: pathways).add(to: router)
        EmbeddingRoutes(pathways: pathways).add(to: router)
        try ServiceRoutes(pathways: pathways, version: Pathlight.version).add(to: router)
    }
}
