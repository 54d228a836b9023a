internal import Embedder
internal import Engine
internal import Logging
internal import Metrics
internal import Platform
internal import Store
internal import Synchronization

/// The models outside that embed texts, and the way out to them.
///
/// Each has a gateway of its own, since a search that gives up after a second says little of a model that writes answers for
/// half a minute: one breaker for both would open for the wrong reason. Budget and calls at a time are shared.
final class OutsideModels: Sendable {
    /// Shared with the gateway that asks for answers.
    let slots: CallSlots
    private let settings: ServiceSettings
    private let database: any SQLDatabase
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        /// Made when it is first wanted: most commands send nothing.
        var transport: CurlTransport?
        var gateways: [String: LLMGateway] = [:]
    }

    init(_ settings: ServiceSettings, database: any SQLDatabase, logger: Logger) {
        slots = settings.llm.makeSlots()
        self.settings = settings
        self.database = database
        self.logger = logger
    }

    /// The way out to other servers.
    ///
    /// - Throws: `SettingsError`.
    func transport() throws -> CurlTransport {
        try state.withLock { try Self.transport(in: &$0, settings) }
    }

    /// Ends what is under way outside, and waits until what it cost is written. The database is to stay open until then.
    func close() async {
        state.withLock { $0.transport }?.close()
        await settled()
    }

    /// Waits until what calls cost is written.
    func settled() async {
        for gateway in state.withLock({ Array($0.gateways.values) }) { await gateway.settled() }
    }

    /// A model's vectorizer.
    ///
    /// - Parameters:
    ///   - space: that of the vectors in use; nil asks the model which space its vectors are of.
    ///   - isAwaited: whether the model then has a moment only.
    ///   - keeps: whether a space that is new is kept in the store; not for who only looks.
    ///   - patience: how long a provider that fails is asked again for a catalogue's texts.
    /// - Throws: `VectorsUnavailable`, `SettingsError`, `StoreError`.
    func vectorizer(
        of model: OutsideModel, space: String? = nil, isAwaited: Bool = false, keeps: Bool = true,
        patience: Duration = .seconds(60)
    ) async throws -> RemoteVectorizer {
        var limits = RemoteVectorizer.Limits()
        limits.query = settings.remoteDeadline
        limits.patience = patience
        limits.cacheEntries = settings.cacheEntries
        let source = GatewayTextSource(gateway: try gateway(of: model))
        if let space,
            let known = try await RemoteVectorizer.known(
                space, of: model.remote, source: source, in: database, keeps: keeps, limits: limits)
        {
            return known
        }
        return try await RemoteVectorizer.resolved(
            model.remote, source: source, in: database, isAwaited: isAwaited, keeps: keeps, limits: limits)
    }

    private func gateway(of model: OutsideModel) throws -> LLMGateway {
        try state.withLock { state in
            if let gateway = state.gateways[model.id] { return gateway }
            let transport = try Self.transport(in: &state, settings)
            var llm = settings.llm
            // A search gives up soon: who does not answer it in that time counts as not well.
            llm.fairTime = min(llm.fairTime, settings.remoteDeadline / 2)
            let gateway = LLMGateway(
                settings: llm,
                provider: settings.llm.embeddingProvider(model.provider, model: model.name, transport: transport),
                database: database, slots: slots,
                observe: LanguageModels.observer(factory: MetricsSystem.factory, logger: logger))
            state.gateways[model.id] = gateway
            return gateway
        }
    }

    private static func transport(in state: inout State, _ settings: ServiceSettings) throws -> CurlTransport {
        if let transport = state.transport { return transport }
        let transport = try settings.makeTransport()
        state.transport = transport
        return transport
    }
}
