import Foundation
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
}
