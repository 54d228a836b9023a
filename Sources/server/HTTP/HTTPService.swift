package import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
package import ServiceLifecycle
package import Store
import UnixSignals

/// The HTTP side of the service, ready for routes.
///
/// Register routes on `router`, then build the application once. Settings decide limits and time-outs; the
/// address may be overridden by tests.
package struct HTTPService {
    package let settings: ServiceSettings
    package let registry: MetricsRegistry
    package let logger: Logger
    /// Has the middleware already; every route added to it is covered.
    package let router: Router<RequestScope>
    package let deadlines = DeadlineKeeper()
    private let problems: ProblemTable
    private let routes = RouteTable()

    /// - Parameter problems: how the errors of the layers below become problem documents.
    package init(
        settings: ServiceSettings, registry: MetricsRegistry, problems: ProblemTable = ProblemTable(), logger: Logger
    ) {
        self.settings = settings
        self.registry = registry
        self.problems = problems
        self.logger = logger
        registry.describe(HTTPMetrics.definitions)
        router = Router(context: RequestScope.self, options: [.autoGenerateHeadEndpoints])
        router.add(middleware: ObservationMiddleware(metrics: HTTPMetrics(factory: registry)))
        router.add(middleware: EntityTagMiddleware())
        router.add(middleware: SecurityHeadersMiddleware())
        router.add(middleware: ProblemMiddleware(table: problems, routes: routes))
        router.add(middleware: HeadLimitsMiddleware())
        router.get("/metrics") { _, _ in registry.response() }
    }

    /// Makes writes with an `Idempotency-Key` happen once; to be called before their routes are added.
    ///
    /// - Parameters:
    ///   - paths: the patterns of the routes that write, without a final slash.
    ///   - repository: where keys and replies are kept.
    package func makeIdempotent(_ paths: Set<String>, keepingRepliesIn repository: IdempotencyRepository) {
        registry.describe([IdempotencyMetrics.requests])
        router.add(
            middleware: IdempotencyMiddleware(
                repository: repository, routes: paths, table: problems,
                metrics: IdempotencyMetrics(factory: registry)))
    }

    /// The application that serves `router`'s routes.
    ///
    /// - Parameters:
    ///   - services: run beside the server: started before it, stopped after it.
    ///   - onServerRunning: called with the listening channel.
    package func application(
        services: [any Service] = [], onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
    ) -> Application<EdgeResponder<RouterResponder<RequestScope>>> {
        routes.load(from: router)
        let timeouts = settings.timeouts
        var limits = ConnectionGuard.Limits()
        limits.header = TimeAmount(timeouts.header)
        limits.body = TimeAmount(timeouts.body)
        limits.write = TimeAmount(timeouts.write)
        limits.bodyBytes = settings.limits.bodyBytes
        let guardLimits = limits
        let channel = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionGuard(limits: guardLimits)],
            idleTimeout: TimeAmount(timeouts.idle),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: HeadLimitsMiddleware.parserFieldBytes,
                maxHeaderListSize: HeadLimitsMiddleware.parserListBytes, maxHeaderFieldCount: 100))
        return Application(
            responder: EdgeResponder(
                inner: router.buildResponder(), limits: settings.limits, timeout: timeouts.request,
                deadlines: deadlines),
            server: .http1(configuration: channel),
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port),
                availableConnectionsDelegate: .maximum(settings.maxConnections, logger: logger)),
            services: services + [deadlines],
            onServerRunning: onServerRunning,
            logger: logger)
    }

    /// A group that runs `application` until SIGTERM or SIGINT, then lets requests in flight finish for as long
    /// as the settings allow before it cancels them.
    package func serviceGroup(for application: some Service) -> ServiceGroup {
        var configuration = ServiceGroupConfiguration(
            services: [.init(service: application)], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = settings.timeouts.shutdown
        return ServiceGroup(configuration: configuration)
    }
}
