import Engine
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Platform
import Store
import TestSupport
import Testing
import server

/// What `/readyz` and `/metrics` say of what the service does less well than it could.
struct ServiceHealthTests {
    private static let noModel = Degradation(reason: .noModel, detail: "No usable model.")
    private static let silent = Degradation(reason: .init(rawValue: "timed_out"), detail: "It does not answer.")

    @Test func `what is whole, and what is not set up, is no trouble`() {
        #expect(ServiceHealth.troubles().isEmpty)
        #expect(ServiceHealth.troubles(languageModel: (breaker: .closed, isOverBudget: false)).isEmpty)
    }

    @Test func `every trouble is told with what is the worse for it`() {
        let troubles = ServiceHealth.troubles(
            store: .diskFull, ranking: Self.noModel, reading: Self.silent,
            languageModel: (breaker: .open, isOverBudget: true),
            mail: MailFailure(.busy, "mail.example.org has no time", code: 451, status: "4.3.0"))
        #expect(
            troubles.map { "\($0.part.rawValue) \($0.reason) \($0.label)" } == [
                "store disk_full store",
                "recommendations no_model no_model", "recommendations timed_out model_outside",
                "language_model breaker_open breaker_open", "language_model over_budget over_budget",
                "mail busy mail",
            ])
        // Everybody may read it: a server's name is for who runs the command.
        #expect(troubles.allSatisfy { !$0.detail.isEmpty && !$0.detail.contains("example.org") })
        #expect(troubles.last?.detail.contains("451 4.3.0") == true)
    }

    @Test func `what is written into a broken part of the database is refused, and readiness says so`() async throws {
        let folder = try TemporaryDirectory("broken")
        let path = folder.file("pathlight.db").path
        let whole = try await SQLiteDatabase.open(SQLiteSettings(path: path))
        _ = try await SchemaMigrator().migrate(whole)
        let page = try await whole.read { connection in
            try connection.first("SELECT rootpage FROM sqlite_schema WHERE name = 'sessions'")?.int("rootpage")
        }
        try await whole.close()
        let broken = try #require(page)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for offset in (broken - 1) * 4096..<broken * 4096 { bytes[offset] = 0xFF }
        try bytes.write(to: URL(fileURLWithPath: path))

        try await AccessTestService(isExposed: false) { $0.dataDirectory = folder.path }.run { client, _ in
            let refused = try await client.send(.post, "/api/quiz/submit", #"{"answers":{"1":"a"}}"#)
            #expect(refused.status == .serviceUnavailable)
            #expect(try HTTPTestProblem(refused).code == "store_unavailable")
            let body = String(buffer: try await client.send(.get, "/readyz").body)
            #expect(body.contains(#"{"part":"store","reason":"damaged","#), "\(body)")
            #expect(!body.contains(folder.path) && !String(buffer: refused.body).contains(folder.path))
        }
    }

    @Test(arguments: CircuitBreaker.State.allCases)
    func `a breaker that opened is told until a call succeeds`(state: CircuitBreaker.State) {
        let troubles = ServiceHealth.troubles(languageModel: (breaker: state, isOverBudget: false))
        #expect(troubles.map(\.reason) == (state == .closed ? [] : ["breaker_open"]))
    }

    @Test func `each reason has a series that follows what is so now`() {
        let registry = MetricsRegistry()
        let now = Guarded<[ServiceHealth.Trouble]>([])
        DegradationMetrics.register(in: registry) { now.withLock { $0 } }
        func shown() -> Set<String> {
            let lines = registry.render().split(separator: "\n").map { String($0) }
            return Set(lines.filter { $0.hasPrefix("pathlight_degraded{") })
        }
        let whole = Set(
            ["no_model", "model_not_named", "model_outside", "breaker_open", "over_budget", "mail", "store"].map {
                #"pathlight_degraded{reason="\#($0)"} 0"#
            })
        #expect(shown() == whole)
        // One after the other, as they come and go while the service runs.
        now.withLock { $0 = ServiceHealth.troubles(ranking: Self.silent) }
        #expect(shown() == whole.union([#"pathlight_degraded{reason="timed_out"} 1"#]))
        now.withLock { $0 = ServiceHealth.troubles(ranking: Self.noModel, reading: Self.silent) }
        let both: Set = [
            #"pathlight_degraded{reason="no_model"} 1"#, #"pathlight_degraded{reason="model_outside"} 1"#,
            #"pathlight_degraded{reason="timed_out"} 0"#, #"pathlight_degraded{reason="mail"} 0"#,
        ]
        #expect(both.isSubset(of: shown()))
        now.withLock { $0 = [] }
        #expect(shown() == whole.union([#"pathlight_degraded{reason="timed_out"} 0"#]))
    }

    @Test func `a service without its model says so, and misses nothing that is not set up`() async throws {
        try await AccessTestService(isExposed: false).run { client, _ in
            let reply = try await client.send(.get, "/readyz")
            #expect(reply.status == .ok)
            let body = String(buffer: reply.body)
            #expect(body.contains(#""status":"degraded""#), "\(body)")
            #expect(body.contains(#""degraded":[{"part":"recommendations","reason":"no_model","#), "\(body)")
            #expect(body.split(separator: #""part":"#).count == 2, "\(body)")
            // Strangers read it: where the models lie is for the log.
            #expect(body.contains("in the folder of models"), "\(body)")
            #expect(!body.contains(FileManager.default.temporaryDirectory.path), "\(body)")
        }
    }

    @Test func `a language model that the settings name without its key is missed`() async throws {
        try await AccessTestService(isExposed: false) { $0.llm.choice = .gemini }.run { client, _ in
            let body = String(buffer: try await client.send(.get, "/readyz").body)
            #expect(body.contains(#"{"part":"language_model","reason":"not_configured","#), "\(body)")
            #expect(body.contains("GEMINI_API_KEY"), "\(body)")
        }
    }

    @Test func `the budget that is shown is that of the last look`() async throws {
        let database = try await SQLiteDatabase.temporary()
        _ = try await SchemaMigrator().migrate(database)
        let budget = LLMBudget(database, dailyLimit: 500, time: .live)
        let watch = BudgetWatch(budget)
        #expect(watch.latest == nil && !watch.isUsedUp)
        try await watch.look()
        #expect(watch.latest?.limit == 500 && watch.latest?.spent == 0 && !watch.isUsedUp)
        // Of a limit of nothing nothing is left for the first call that would cost something.
        try await LLMBudgetRepository(database).setLimit(0, now: Date())
        _ = try await LLMBudgetRepository(database).refuse(day: LLMBudget.day(of: Date()), limit: 500)
        #expect(watch.latest?.limit == 500 && !watch.isUsedUp)
        try await watch.look()
        #expect(watch.latest?.limit == 0 && watch.isUsedUp)
        try await database.close()
        // What was read last stands.
        await #expect(throws: LLMError.self) { try await watch.look() }
        #expect(watch.latest?.limit == 0)
    }
}
