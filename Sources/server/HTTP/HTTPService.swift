import Foundation
package import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import Platform
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
    /// Holds the port open for a while after SIGTERM.
    package let drain: DrainGate
    /// Takes routes together with who may call them.
    package let routes: GuardedRouter
    /// Nil where everybody may call everything: in tests of HTTP itself.
    package let access: AccessControl?
    /// How many requests are answered at once.
    package let admission: Admission
    private let metrics: HTTPMetrics
    private let problems: ProblemTable
    private let table = RouteTable()

    /// - Parameters:
    ///   - problems: how the errors of the layers below become problem documents.
    ///   - access: who may call what; with it, every route needs a rule.
    ///   - traces: records requests; nil records none.
    ///   - pages: answers people's mistakes; with nil, everybody is answered by documents.
    package init(
        settings: ServiceSettings, registry: MetricsRegistry, problems: ProblemTable = ProblemTable(),
        access: AccessControl? = nil, traces: TraceRecorder? = nil, pages: ProblemPage? = nil, logger: Logger
    ) {
        self.settings = settings
        self.registry = registry
        self.problems = problems
        self.logger = logger
        drain = DrainGate(pause: settings.timeouts.drain)
        admission = Admission(maximum: settings.requestLimits.concurrentRequests ?? Admission.defaultMaximum)
        registry.describe(HTTPMetrics.definitions)
        metrics = HTTPMetrics(factory: registry)
        router = Router(context: RequestScope.self, options: [.autoGenerateHeadEndpoints])
        routes = GuardedRouter(router, rules: access?.rules ?? RouteRules())
        self.access = access
        // The outermost, so that a trace has all of its request and the access log the trace's id.
        if let traces { router.add(middleware: TracingMiddleware(traces)) }
        router.add(middleware: ObservationMiddleware(metrics: metrics))
        router.add(middleware: EntityTagMiddleware())
        router.add(middleware: SecurityHeadersMiddleware())
        router.add(middleware: ProblemMiddleware(table: problems, routes: table, pages: pages))
        router.add(middleware: HeadLimitsMiddleware())
        if let access {
            router.add(middleware: ProxyMiddleware(access: access))
            router.add(middleware: LimitsMiddleware(access: access))
            router.add(middleware: AuthenticationMiddleware(access: access))
            router.add(middleware: PrincipalLimitsMiddleware(access: access))
            router.add(middleware: AuthorisationMiddleware(access: access))
        }
        routes.get("/metrics", .operators) { _, _ in registry.response() }
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
                lifetime: .seconds(settings.retention.idempotencyHours * 3_600),
                metrics: IdempotencyMetrics(factory: registry)))
    }

    /// The application that serves `router`'s routes.
    ///
    /// - Parameters:
    ///   - services: run beside the server: started before it, stopped after it.
    ///   - onServerRunning: called with the listening channel.
    /// - Throws: `RouteRules.Mismatch` where a route has no rule of who may call it.
    package func application(
        services: [any Service] = [], onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
    ) throws -> Application<EdgeResponder<RouterResponder<RequestScope>>> {
        try access?.rules.check(against: router)
        table.load(from: router)
        let timeouts = settings.timeouts
        var limits = ConnectionGuard.Limits()
        limits.header = TimeAmount(timeouts.header)
        limits.body = TimeAmount(timeouts.body)
        limits.write = TimeAmount(timeouts.write)
        // The deadline answers before that; what hangs in spite of it is cut off.
        limits.reply = TimeAmount(timeouts.request) + .seconds(2)
        limits.bodyBytes = settings.limits.bodyBytes
        let guardLimits = limits
        let (admission, metrics, logger) = (admission, metrics, logger)
        let channel = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                ConnectionGuard(limits: guardLimits),
                AdmissionGuard(admission: admission, metrics: metrics, logger: logger),
            ],
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

    /// A group that runs `application` until SIGTERM, SIGINT or the end of its terminal (SIGHUP), then lets requests in
    /// flight finish for as long as the settings allow before it cancels them.
    package func serviceGroup(for application: some Service) -> ServiceGroup {
        let ofTerminal: [UnixSignal] = Self.outlivesItsTerminal ? [] : [.sighup]
        var configuration = ServiceGroupConfiguration(
            // Ended in reverse order: while the gate pauses, the application goes on.
            services: [.init(service: application), .init(service: drain)],
            gracefulShutdownSignals: [.sigterm, .sigint] + ofTerminal, logger: logger)
        configuration.maximumGracefulShutdownDuration = settings.timeouts.drain + settings.timeouts.shutdown
        return ServiceGroup(configuration: configuration)
    }

    /// Whether SIGHUP was ignored at the start, as `nohup` has it: to listen for it would end what is to go on.
    private static var outlivesItsTerminal: Bool {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("SigIgn:") }),
            let ignored = line.split(separator: "\t").last.flatMap({ UInt64($0, radix: 16) })
        else { return false }
        // The first bit is of the first signal, which SIGHUP is.
        return ignored & 1 == 1
    }
}
