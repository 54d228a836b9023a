internal import CoreMetrics
internal import Logging
internal import Platform
internal import Store

/// What the service does beside answering: tasks and schedules, mail, language models, and the ways out they share.
struct PlatformServices: Sendable {
    let models: LanguageModels
    let mail: MailDispatch
    let unsubscriber: Unsubscriber
    let tasks: TaskService
    private let transport: CurlTransport

    /// - Throws: what is wrong with settings, prompts or the database; each says how to mend it.
    static func open(
        _ settings: ServiceSettings, pathways: Pathways, access: AccessControl, registry: MetricsRegistry,
        logger: Logger
    ) async throws -> PlatformServices {
        let database = pathways.database
        let transport = try CurlTransport(settings.outbound)
        let models = try LanguageModels.make(
            settings.llm, promptFolder: settings.promptFolder, transport: transport, database: database,
            cipher: pathways.cipher, factory: registry, logger: logger)
        let suppressions = MailSuppressionRepository(database, cipher: pathways.cipher)
        let unsubscriber = try await Unsubscriber.open(
            database, publicURL: settings.publicURL, suppressions: suppressions)
        let mailer = try MailPlan(settings.mail, dataFolder: settings.dataDirectory).makeMailer()
        let mail = MailDispatch(mailer: mailer, suppressions: suppressions, log: MailLogRepository(database))
        let tasks = try TaskService(
            queue: TaskQueue(TaskRepository(database)),
            handlers: [
                HousekeepingHandler(
                    steps: housekeeping(settings, database: database, access: access, gateway: models.gateway))
            ],
            schedules: BuiltInTasks.schedules, registry: registry, logger: logger)
        LanguageModelMetrics.register(in: registry) { models.gateway.statistics }
        OutboundMetrics.register(in: registry, outbound: { transport.statistics }, mail: { mail.statistics })
        return PlatformServices(
            models: models, mail: mail, unsubscriber: unsubscriber, tasks: tasks, transport: transport)
    }

    private static func housekeeping(
        _ settings: ServiceSettings, database: any SQLDatabase, access: AccessControl, gateway: LLMGateway
    ) -> [HousekeepingHandler.Step] {
        let tasks = TaskRepository(database)
        let retention = Retention(database, rules: settings.retention)
        return HousekeepingHandler.standardSteps(tasks: tasks) + [
            .init("retention") { try await retention.run(now: tasks.now()).total },
            .init("sign_ins") { try await access.identity.purge() },
            .init("llm_cache") { try await gateway.purgeCache() },
        ]
    }

    /// Adds the routes of tasks, budgets, prompts and unsubscribing.
    ///
    /// - Throws: what is wrong with a page's template.
    func addRoutes(to router: GuardedRouter, database: any SQLDatabase) throws {
        TaskRoutes(queue: tasks.queue, scheduler: tasks.scheduler).add(to: router)
        LLMAdminRoutes(models: models, database: database).add(to: router)
        try UnsubscribeRoutes(unsubscriber).add(to: router)
    }

    /// Ends what is under way outside.
    func close() { transport.close() }
}
