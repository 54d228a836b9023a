import Platform
import Testing
import server

struct TaskSettingsTests {
    private func load(_ environment: [String: String] = [:], yaml: String = "") throws -> TaskWorker.Settings {
        try ServiceSettings.load(environment: environment, yaml: yaml).settings.tasks
    }

    @Test func `tasks at a time and the time of a lease can be set`() throws {
        let standard = try load()
        #expect(standard.maximumRunning == 4 && standard.lease == .seconds(60))
        let file = try load(yaml: "tasks:\n  concurrency: 2\n  lease_seconds: 300\n")
        #expect(file.maximumRunning == 2 && file.lease == .seconds(300))
        let variables = try load(["PATHLIGHT_TASKS_CONCURRENCY": "64", "PATHLIGHT_TASKS_LEASE_SECONDS": "5"])
        #expect(variables.maximumRunning == 64 && variables.lease == .seconds(5))
    }

    @Test(arguments: [
        ("concurrency", "0"), ("concurrency", "65"), ("concurrency", "many"), ("lease_seconds", "4"),
        ("lease_seconds", "3601"), ("lease_seconds", "7.5"), ("lease_seconds", "-60"),
    ])
    func `what cannot be meant is refused by name`(name: String, value: String) {
        do {
            _ = try load(yaml: "tasks:\n  \(name): \(value)\n")
            Issue.record("\(name) was taken as \(value)")
        } catch {
            #expect("\(error)".contains("`tasks.\(name)`") && "\(error)".contains(value), "\(error)")
            #expect(SettingsError.exitCode(for: error) == 78)
        }
    }

    @Test func `other errors may be gone at the next start`() {
        struct Other: Error {}
        #expect(SettingsError.exitCode(for: Other()) == 1)
        #expect(SettingsError.exitCode(for: SettingsError.noAdminKey(host: "0.0.0.0", dataDirectory: "d")) == 78)
        #expect(SettingsError.exitCode(for: KeyRingError(.wrongKey, "lost")) == 78)
        #expect(SettingsError.exitCode(for: KeyRingError(.notWritten, "full")) == 1)
    }
}
