internal import ArgumentParser
internal import Logging
internal import Platform
internal import Store

/// `pathlight users rotate-key`: a new key for private columns, and everything sealed with it.
struct RotateKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-key", abstract: "Adds a new key for private columns and seals everything with it.",
        discussion: """
            Works beside a running service, which follows within a second. Killed, it is gone on with by --reseal. The old \
            key stays in the ring, and opens what older backups hold, until you remove its line.
            """)

    /// A service that seals with the old key may add to what is left while a pass runs.
    private static let maximumPasses = 20

    @Flag(help: "Tell how many values each key seals, and change nothing.")
    var status = false

    @Flag(help: "Add no key: seal what is plain or under an old key with the current one.")
    var reseal = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if status, reseal { throw ValidationError("--status changes nothing, so that it does not go with --reseal") }
    }

    func run() async throws {
        let (settings, logger) = try common.settings()
        let database = try await Pathways.openDatabase(settings, logger: logger)
        do {
            let encryption = try await PrivateColumns.open(
                settings, database: database, makesKeys: !status, logger: logger)
            guard let sealer = encryption.sealer else {
                throw StartProblem("columns are not encrypted here, so that there is no key to change")
            }
            let resealer = Resealer(database, sealer: sealer)
            var unopened: [String: Int] = [:]
            if !status {
                if !reseal, encryption.madeFile == nil { try await addKey(sealer, in: database) }
                unopened = try await run(resealer)
            }
            try await tell(sealer, resealer, database)
            for (column, count) in unopened.sorted(by: { $0.key < $1.key }) {
                Terminal.error(
                    "\(count) values of \(column) cannot be opened with any key of the ring and stay as they are")
            }
            try await database.close()
            if !unopened.isEmpty { throw ExitCode(1) }
        } catch {
            try? await database.close()
            throw error
        }
    }

    private func addKey(_ sealer: ColumnSealer, in database: any SQLDatabase) async throws {
        var generator = SystemRandomNumberGenerator()
        let id = try await KeyRotation(database, sealer: sealer).addKey(using: &generator)
        Terminal.error(
            "the current key is \(id), in \(sealer.source.file?.path ?? "the ring"); keep a copy of the file")
        // A running service sees the file within a period; what it sealed before is then found by the first pass.
        try await Task.sleep(for: KeyRingSource.period * 2)
    }

    private func run(_ resealer: Resealer) async throws -> [String: Int] {
        let total = try await resealer.state().reduce(0) { $0 + $1.outstanding(current: "") }
        let progress = ProgressReport("Sealing")
        defer { progress.end() }
        var report = Resealer.Report()
        for _ in 0..<Self.maximumPasses {
            report = try await resealer.run { _, done in progress.update(min(done, total), of: total) }
            if report.resealed == 0 { break }
        }
        return report.unopened
    }

    private func tell(_ sealer: ColumnSealer, _ resealer: Resealer, _ database: any SQLDatabase) async throws {
        let current = sealer.currentID
        try Terminal.data("current key: \(current)")
        var outstanding = 0
        for state in try await resealer.state() {
            var parts = state.byKey.sorted { $0.key < $1.key }.map { "\($0.value) with \($0.key)" }
            if state.plain > 0 { parts.append("\(state.plain) plain") }
            if state.unknown > 0 { parts.append("\(state.unknown) with keys that are not in the ring") }
            outstanding += state.outstanding(current: current)
            try Terminal.data("\(state.column): \(parts.isEmpty ? "nothing" : parts.joined(separator: ", "))")
        }
        if outstanding > 0 { try Terminal.data("left to seal: \(outstanding); `pathlight users rotate-key --reseal`") }
        for id in try await KeyRotation(database, sealer: sealer).unusedKeys() {
            try Terminal.data(
                "the key \(id) seals nothing here any more; its line may be removed from the ring once no backup needs it"
            )
        }
    }
}
