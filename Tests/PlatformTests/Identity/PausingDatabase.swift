import Store

/// A database that lets something else happen after its next read, as if another process had been faster.
struct PausingDatabase: SQLDatabase {
    typealias Step = @Sendable () async throws -> Void

    let base: any SQLDatabase
    private let next = Guarded<Step?>(nil)

    init(_ base: any SQLDatabase) { self.base = base }

    func afterNextRead(_ step: @escaping Step) { next.withLock { $0 = step } }

    var dialect: SQLDialect { base.dialect }
    var location: String { base.location }

    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> T) async throws -> T {
        let result = try await base.read(body)
        let step = next.withLock { step in
            defer { step = nil }
            return step
        }
        try await step?()
        return result
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> T) async throws -> T {
        try await base.write(body)
    }

    func lock(_ name: String) throws -> DatabaseLock? { try base.lock(name) }
    func check() async throws -> [String] { try await base.check() }
    func close() async throws { try await base.close() }
}
