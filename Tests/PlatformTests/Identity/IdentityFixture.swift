import Foundation
import Platform
import Store
import Testing

/// An `Identity` over an empty database, with a clock that stands still and hashes that cost nothing.
struct IdentityFixture {
    let database: any SQLDatabase
    let clock: IdentityClock
    let identity: Identity

    /// Runs `body` on a new database and closes it.
    static func run(
        parameters: ScryptParameters = .cheap, tokens: (@Sendable (IdentityClock) async throws -> TokenVerifier)? = nil,
        _ body: (IdentityFixture) async throws -> Void
    ) async throws {
        let database = try await SQLiteDatabase.temporary()
        do {
            _ = try await SchemaMigrator().migrate(database)
            let clock = IdentityClock()
            let identity = Identity(
                database: database, cipher: PlainColumns(), hasher: PasswordHasher(parameters: parameters),
                tokens: try await tokens?(clock), clock: clock.read)
            try await body(IdentityFixture(database: database, clock: clock, identity: identity))
        } catch {
            try? await database.close()
            throw error
        }
        try await database.close()
    }

    /// The same database and clock, seen by a replica with another cost of hashes.
    func replica(parameters: ScryptParameters) -> Identity {
        Identity(
            database: database, cipher: PlainColumns(), hasher: PasswordHasher(parameters: parameters),
            clock: clock.read)
    }

    func count(_ table: String) async throws -> Int {
        try await database.read { try $0.first("SELECT COUNT(*) AS n FROM \(table)")?.int("n") ?? 0 }
    }
}

extension ScryptParameters {
    static let cheap = ScryptParameters(logN: 2, r: 1, p: 1)
}

final class IdentityClock: Sendable {
    private let time: Guarded<Date>

    init(_ start: Date = Date(timeIntervalSince1970: 1_772_357_400)) { time = Guarded(start) }

    var now: Date { time.withLock { $0 } }
    var read: @Sendable () -> Date { { self.now } }
    func advance(by seconds: TimeInterval) { time.withLock { $0 += seconds } }
}

/// Expects an `IdentityError` of a code, and gives it for a closer look.
@discardableResult
func expectIdentityError(
    _ code: IdentityError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async -> IdentityError? {
    do {
        try await body()
        Issue.record("nothing was thrown, expected \(code)", sourceLocation: sourceLocation)
    } catch let error as IdentityError {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        return error
    } catch {
        Issue.record("\(error) was thrown, expected \(code)", sourceLocation: sourceLocation)
    }
    return nil
}
