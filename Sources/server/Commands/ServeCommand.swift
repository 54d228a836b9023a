internal import ArgumentParser
internal import Engine
internal import Hummingbird
internal import Logging
internal import Metrics
internal import NIOCore
internal import Platform
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
        let (settings, logger, values) = try common.settingsWithOrigins(
            host: host, port: port, logFormat: logFormat, quiet: false)
        let registry = MetricsRegistry()
        MetricsSystem.bootstrap(registry)
        ProcessMetrics.register(in: registry)
        let service = try await AssembledService.open(settings, values: values, registry: registry, logger: logger)
        let watcher = CatalogueWatcher(catalogue: service.pathways.catalogue, logger: logger)
        let firstAdmin = FirstAdmin(access: service.access, settings: settings, logger: logger)
        let keyWatcher = TokenKeyWatcher(tokens: service.access.identity.tokens, logger: logger)
        // Ended in reverse order: the first has what all others leave.
        let services: [(any Service)?] = [
            service.spans, watcher, service.platform.tasks, service.platform.budget, firstAdmin, keyWatcher,
        ]
        let address = service.platform.address
        let application = try service.http.application(services: services.compactMap(\.self)) { channel in
            let port = channel.localAddress?.port ?? settings.port
            logger.notice("listening", metadata: ["address": "http://\(settings.host):\(port)/"])
            address.listens(on: port)
            firstAdmin.offer(at: port)
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
    static func add(
        to service: HTTPService, pathways: Pathways, access: AccessControl, mail: AccountMail, health: ServiceHealth
    ) throws {
        let router = service.routes
        let guardian = SessionGuard(access: access, owners: SessionOwnerRepository(pathways.database))
        let allowsSignUp = service.settings.allowsSignUp
        service.makeIdempotent(
            WritingRoutes.paths, keepingRepliesIn: IdempotencyRepository(pathways.database, cipher: pathways.cipher))
        QuizRoutes(pathways: pathways).add(to: router)
        RecommendRoutes(
            pathways: pathways, guardian: guardian, topNMaximum: service.settings.topNMaximum,
            stages: StageMetrics(service.registry)
        ).add(to: router)
        ResultRoutes(pathways: pathways, guardian: guardian).add(to: router)
        CareerRoutes(pathways: pathways).add(to: router)
        EmbeddingRoutes(pathways: pathways).add(to: router)
        AuthRoutes(access: access, mail: mail, allowsSignUp: allowsSignUp).add(to: router)
        AccountRoutes(access: access, mail: mail).add(to: router)
        AdminKeyRoutes(access: access).add(to: router)
        AdminUserRoutes(access: access).add(to: router)
        AdminLearnerRoutes(access: access).add(to: router)
        try AccountPages(access: access, mail: mail, allowsSignUp: allowsSignUp).add(to: router)
        try AccountPage(access: access, mail: mail).add(to: router)
        try MailedLinkPages(access: access, mail: mail).add(to: router)
        try ServiceRoutes(
            pathways: pathways, access: access, health: health, version: Pathlight.version, drain: service.drain
        ).add(to: router)
    }
}
