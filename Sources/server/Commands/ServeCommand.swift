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

    @Option(help: "The address to listen on (default 127.0.0.1); others than this machine's own need trusted_proxy.")
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
        let service = try await AssembledService.open(settings, registry: registry, logger: logger)
        let watcher = CatalogueWatcher(catalogue: service.pathways.catalogue, logger: logger)
        let application = try service.http.application(services: [watcher, service.platform.tasks]) {
            [access = service.access] channel in
            let port = channel.localAddress?.port ?? settings.port
            logger.notice("listening", metadata: ["address": "http://\(settings.host):\(port)/"])
            await FirstAdmin.offerLink(access, settings: settings, port: port, logger: logger)
        }
        do {
            try await service.http.serviceGroup(for: application).run()
        } catch is CancellationError {
            logger.warning("requests still under way at the end of the shutdown time were cancelled")
        } catch let error as IOError {
            try await service.close()
            throw StartProblem(
                "cannot listen on \(settings.host):\(settings.port): \(error); stop what listens there, or name another --port"
            )
        }
        try await service.close()
        logger.notice("stopped")
    }
}

/// All routes of the service.
enum Routes {
    static func add(to service: HTTPService, pathways: Pathways, access: AccessControl) throws {
        let router = service.routes
        let guardian = SessionGuard(access: access, owners: SessionOwnerRepository(pathways.database))
        let allowsSignUp = service.settings.allowsSignUp
        service.makeIdempotent(
            WritingRoutes.paths, keepingRepliesIn: IdempotencyRepository(pathways.database, cipher: pathways.cipher))
        QuizRoutes(pathways: pathways).add(to: router)
        RecommendRoutes(pathways: pathways, guardian: guardian, topNMaximum: service.settings.topNMaximum)
            .add(to: router)
        ResultRoutes(pathways: pathways, guardian: guardian).add(to: router)
        CareerRoutes(pathways: pathways).add(to: router)
        EmbeddingRoutes(pathways: pathways).add(to: router)
        AuthRoutes(access: access, allowsSignUp: allowsSignUp).add(to: router)
        AdminKeyRoutes(access: access).add(to: router)
        AdminUserRoutes(access: access).add(to: router)
        try AccountPages(access: access, allowsSignUp: allowsSignUp).add(to: router)
        try ServiceRoutes(pathways: pathways, version: Pathlight.version, drain: service.drain)
            .add(to: router)
    }
}
