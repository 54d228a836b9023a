internal import CoreMetrics
internal import Logging
internal import Platform
internal import Store

/// What the service does beside answering: tasks and schedules, mail, language models, and the ways out they share.
struct PlatformServices: Sendable {
    let models: LanguageModels
    let budget: BudgetWatch
    let mail: MailDispatch
    /// Links that are mailed to somebody's account.
    let accountMail: AccountMail
    /// Where such links lead.
    let address: PublicAddress
    let unsubscriber: Unsubscriber
    let suppressions: MailSuppressionRepository
    let tasks: TaskService
    let monitor: MonitorService
    let transport: CurlTransport

    /// - Throws: what is wrong with settings, prompts or the database; each says how to mend it.
    static func open(
        _ settings: ServiceSettings, pathways: Pathways, access: AccessControl, registry: MetricsRegistry,
        logger: Logger
    ) async throws -> PlatformServices {
        let database = pathways.database
        let (plan, mailer) = try settings.makeMail()
        if let warning = plan.warning { logger.warning("mail may not go", metadata: ["detail": "\(warning)"]) }
        let prompts = try settings.makePrompts(database: database)
        let transport = try pathways.outside.transport()
        let models = LanguageModels.make(
            settings.llm, prompts: prompts, transport: transport, database: database, cipher: pathways.cipher,
            slots: pathways.outside.slots, factory: registry, logger: logger)
        let suppressions = MailSuppressionRepository(database, cipher: pathways.cipher)
        let unsubscriber = try await Unsubscriber.open(
            database, publicURL: settings.publicURL, suppressions: suppressions)
        let mail = MailDispatch(mailer: mailer, suppressions: suppressions, log: MailLogRepository(database))
        let queue = TaskQueue(TaskRepository(database))
        let address = PublicAddress(
            publicURL: settings.publicURL, loopbackHost: settings.isExposed ? nil : settings.host, port: settings.port)
        let accountMail = AccountMail(
            identity: access.identity, cipher: pathways.cipher, queue: queue, address: address,
            isConfigured: settings.mail.isSet)
        if settings.mail.isSet, !accountMail.isOn {
            logger.notice(
                "nobody gets mail about their account: set `public_url`, the address that its links lead to")
        }
        let monitor = try MonitorService(
            settings.monitor, dataDirectory: settings.dataDirectory, pathways: pathways, models: models,
            registry: registry, logger: logger)
        let tasks = try TaskService(
            queue: queue,
            handlers: [
                HousekeepingHandler(
                    steps: housekeeping(settings, database: database, access: access, gateway: models.gateway)),
                AccountMailHandler(accountMail, identity: access.identity, dispatch: mail, from: plan.from),
                MonitorHandler(monitor: monitor),
            ],
            schedules: BuiltInTasks.schedules(monitor: settings.monitor.schedule), single: BuiltInTasks.single,
            settings: settings.tasks, registry: registry, logger: logger)
        let budget = BudgetWatch(models.gateway.budget)
        LanguageModelMetrics.register(in: registry, budget: { budget.latest }) { models.gateway.statistics }
        OutboundMetrics.register(in: registry, outbound: { transport.statistics }, mail: { mail.statistics })
        return PlatformServices(
            models: models, budget: budget, mail: mail, accountMail: accountMail, address: address,
            unsubscriber: unsubscriber, suppressions: suppressions, tasks: tasks, monitor: monitor,
            transport: transport)
    }

    private static func housekeeping(
        _ settings: ServiceSettings, database: any SQLDatabase, access: AccessControl, gateway: LLMGateway
    ) -> [HousekeepingHandler.Step] {
        let tasks = TaskRepository(database)
        let retention = Retention(database, rules: settings.retention)
        return HousekeepingHandler.standardSteps(tasks: tasks) + [
            .init("retention") { try await retention.run(now: tasks.now()).total },
            .init("sign_ins") {
                let days = settings.retention.signInAttemptsDays
                return try await access.identity.purge(failuresAfter: 86_400 * Double(days))
            },
            .init("llm_cache") { try await gateway.purgeCache() },
        ]
    }

    /// Adds the routes of tasks, budgets, prompts, unsubscribing and withheld mail.
    ///
    /// - Throws: what is wrong with a page's template.
    func addRoutes(to router: GuardedRouter, database: any SQLDatabase, access: AccessControl) throws {
        TaskRoutes(queue: tasks.queue, scheduler: tasks.scheduler).add(to: router)
        LLMAdminRoutes(models: models, database: database).add(to: router)
        try UnsubscribeRoutes(unsubscriber).add(to: router)
        MailAdminRoutes(suppressions: suppressions, identity: access.identity).add(to: router)
    }

    /// Ends what is under way outside, and waits until what it cost is written.
    func close() async {
        transport.close()
        await models.gateway.settled()
    }
}
