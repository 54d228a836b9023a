import Foundation
import Platform
import Store
import TestSupport
import Testing
import server

/// What `pathlight doctor` says about the machine, where that cannot be arranged from outside.
struct DoctorCheckTests {
    @Test(arguments: [
        (Int64(10) << 30, Int64(1) << 20, DoctorFinding.State.good), (Int64(2) << 30, Int64(5) << 30, .warning),
        (Int64(500) << 20, 0, .warning), (Int64(63) << 20, 0, .broken),
    ])
    func `little room is told before it is none`(free: Int64, database: Int64, state: DoctorFinding.State) {
        let finding = FolderChecks.judge(
            FolderChecks.Room(freeBytes: free, freeFiles: 1_000), databaseBytes: database)
        #expect(finding.state == state, "\(finding.detail)")
    }

    @Test func `a disk without room for another name is full`() {
        let finding = FolderChecks.judge(FolderChecks.Room(freeBytes: 1 << 40, freeFiles: 3), databaseBytes: 0)
        #expect(finding.state == .broken)
    }

    @Test func `a clock that is behind what it wrote, or behind the program, is told`() {
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        #expect(FolderChecks.judge(now, newestFile: now - 5).state == .good)
        #expect(FolderChecks.judge(now, newestFile: now + 5).state == .good)
        #expect(FolderChecks.judge(now, newestFile: nil).state == .good)
        #expect(FolderChecks.judge(now, newestFile: now + 3_600).state == .warning)
        #expect(FolderChecks.judge(Date(timeIntervalSince1970: 0), newestFile: nil).state == .warning)
    }

    @Test func `who listens beyond this machine needs a proxy`() {
        #expect(NetworkChecks.address("127.0.0.1", isBehindProxy: false).state == .good)
        #expect(NetworkChecks.address("0.0.0.0", isBehindProxy: true).state == .good)
        #expect(NetworkChecks.address("0.0.0.0", isBehindProxy: false).state == .broken)
    }

    @Test func `a port is good where this program has it and broken where another does`() {
        let states: [(NetworkChecks.PortState, DoctorFinding.State)] = [
            (.free, .good), (.served, .good), (.taken, .broken), (.refused("no"), .broken),
        ]
        for (port, state) in states {
            let finding = NetworkChecks.judge(port, port: 4711, host: "127.0.0.1")
            #expect(finding.state == state && finding.detail.contains("4711"))
        }
    }

    @Test func `certificates are counted, and missed by name`() throws {
        let folder = try TemporaryDirectory("trust")
        let bundle = try folder.write(
            "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n", to: "bundle")
        let empty = try folder.write("nothing", to: "empty")
        let found = NetworkChecks.trust(environment: [:], bundles: ["/none", bundle.path])
        #expect(found.state == .good && found.detail.hasPrefix("2 certificates"))
        let named = NetworkChecks.trust(environment: ["SSL_CERT_FILE": empty.path], bundles: [bundle.path])
        #expect(named.state == .warning && named.detail.contains(empty.path))
        let missing = NetworkChecks.trust(environment: [:], bundles: ["/none"])
        #expect(missing.state == .warning && missing.detail.contains("/none"))
    }

    @Test func `the document's status is that of its worst finding`() throws {
        let findings = [
            DoctorFinding(subject: "a", state: .good, detail: "\"quoted\""),
            DoctorFinding(subject: "b", state: .degraded, detail: ""),
            DoctorFinding(subject: "c", state: .warning, detail: ""),
        ]
        let document =
            try JSONSerialization.jsonObject(
                with: Data(DoctorFinding.document(findings, version: "1.2.3"))) as? [String: Any]
        #expect(document?["status"] as? String == "degraded" && document?["version"] as? String == "1.2.3")
        let checks = document?["checks"] as? [[String: String]]
        #expect(checks?.map { $0["state"] } == ["ok", "degraded", "warning"])
        #expect(checks?.first?["detail"] == "\"quoted\"")
    }

    @Test func `a line keeps the columns of the others`() {
        for state in DoctorFinding.State.allCases {
            let line = DoctorFinding(subject: "subject", state: state, detail: "detail").line
            #expect(line.dropFirst(9) == "subject: detail" && line.hasPrefix(state.rawValue))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a question that nobody answers is accounted for before the database is closed`() async throws {
        let database = try await SQLiteDatabase.temporary()
        _ = try await SchemaMigrator().migrate(database)
        let (asked, asking) = AsyncStream.makeStream(of: Void.self)
        var time = LLMTime.live
        // Its time is up as soon as the provider has the question.
        time.wait = { _ in for await _ in asked { break } }
        let gateway = LLMGateway(
            settings: LLMSettings(), provider: SilentProvider(asking: asking), database: database, time: time)
        await #expect(throws: LLMError.timedOut) { try await ModelsOutsideCheck.ask(gateway) }
        let state = try await gateway.budget.state()
        #expect(state.reserved == 0 && state.spent > 0)
        #expect(try await LLMUsageRepository(database).total(of: state.day).total.calls == 1)
        try await database.close()
    }
}

/// Gives no answer, and takes its time to notice that nobody waits for one any more.
private struct SilentProvider: LLMProvider {
    let name = "openai"
    let baseURL = "http://127.0.0.1:1/v1"
    let model = "gpt-4o-mini"
    let embeddingModel = "text-embedding-3-small"
    let asking: AsyncStream<Void>.Continuation

    func complete(_ call: LLMCall, timeout: Duration) async throws(ProviderFailure) -> LLMCompletion {
        asking.yield()
        while !Task.isCancelled { await Task.yield() }
        for _ in 0..<1000 { await Task.yield() }
        throw ProviderFailure(.cancelled, isRetryable: false, usage: nil)
    }

    func embed(
        _ texts: [String], for purpose: EmbeddingPurpose, timeout: Duration
    ) async throws(ProviderFailure) -> (vectors: [[Float]], usage: LLMUsage) {
        throw ProviderFailure(.cancelled, isRetryable: false)
    }
}
