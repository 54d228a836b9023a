import Foundation
internal import Platform
internal import Store

/// What `pathlight doctor` looks at of key ring, administrators, tokens and tasks: by the code of the start, so that both say the
/// same.
enum PlatformChecks {
    /// What takes the database.
    ///
    /// - Throws: `StoreError`
    static func all(_ settings: ServiceSettings, _ database: any SQLDatabase) async throws -> [DoctorFinding] {
        [
            await encryption(settings, database), try await access(settings, database), try await tasks(database),
        ]
    }

    // MARK: Nothing stored yet

    /// Of a place without a database, or with one in which nothing has ever been stored: before the first start it is as
    /// it should be, and after it a folder is named that is not the service's, or what was there is lost.
    static func noDatabase(_ path: String, _ place: DatabasePlace, _ settings: ServiceSettings) -> DoctorFinding {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let state =
            place == .missing ? "there is no database in \(folder)" : "the database \(path) is empty"
        // At its usual place a start or a command made it; elsewhere it may have been laid ready for the first start.
        let ring = (try? PrivateColumns.settings(settings))?.defaultKeyFile
        if let ring, FileManager.default.fileExists(atPath: ring) {
            return DoctorFinding(
                subject: "database", state: .warning,
                detail:
                    "\(state), but the keys of one are: \(ring). A start would begin anew, without what was stored: "
                    + "“pathlight restore” brings a backup back")
        }
        return DoctorFinding(
            subject: "database", state: .warning,
            detail:
                "\(state); the first start makes it and its tables. Where a service has run before, name the folder of "
                + "its data with --data or PATHLIGHT_DATA")
    }

    // MARK: Private columns

    private static func encryption(_ settings: ServiceSettings, _ database: any SQLDatabase) async -> DoctorFinding {
        func finding(_ state: DoctorFinding.State, _ detail: String) -> DoctorFinding {
            DoctorFinding(subject: "encryption", state: state, detail: detail)
        }
        do {
            let keys = try PrivateColumns.settings(settings)
            let opened = try await ColumnEncryption.open(keys, database: database, makesKeys: false, changes: false)
            guard let sealer = opened.sealer else {
                return keys.mode == .off
                    ? finding(.warning, "private columns are not encrypted: PATHLIGHT_ENCRYPTION is “off”")
                    : finding(.good, "no key yet; the first start makes \(keys.defaultKeyFile)")
            }
            let ids = sealer.source.ring.ids
            let place = sealer.source.file?.path ?? "PATHLIGHT_ENCRYPTION_KEYS"
            return finding(
                .good, "\(place) has every key that the database needs; \(ids.count) in all, \(sealer.currentID) seals")
        } catch {
            return finding(.broken, "\(error)")
        }
    }

    // MARK: Who gets in

    private static func access(
        _ settings: ServiceSettings, _ database: any SQLDatabase
    ) async throws -> DoctorFinding {
        let identity = Identity(database: database, cipher: PlainColumns())
        do {
            try await AccessControl.requireAdministrator(settings, identity)
        } catch let error as SettingsError {
            return DoctorFinding(subject: "access", state: .broken, detail: "\(error)")
        }
        let reach = settings.isExposed ? "other machines get in" : "this machine alone gets in"
        if try await identity.hasAdministrator() {
            return DoctorFinding(subject: "access", state: .good, detail: "\(reach); there is an administrator")
        }
        guard settings.isExposed else {
            return DoctorFinding(
                subject: "access", state: .good,
                detail: "\(reach); no administrator yet, the start gives a link that signs one in")
        }
        return DoctorFinding(
            subject: "access", state: .warning,
            detail: "\(reach), and there is no administrator; make a key with `pathlight keys create --role admin`")
    }

    static func tokens(_ options: TokenOptions) async -> DoctorFinding {
        do {
            guard let verifier = try await options.verifier() else {
                return DoctorFinding(subject: "jwt", state: .good, detail: "no tokens are accepted")
            }
            let sources = [
                options.secretFile.map { "the secret in \($0)" },
                options.jwksFile.map { "\(verifier.statistics?.keys ?? 0) keys in \($0)" },
            ]
            return DoctorFinding(
                subject: "jwt", state: .good,
                detail: "tokens are checked by \(sources.compactMap { $0 }.joined(separator: " and "))")
        } catch {
            return DoctorFinding(subject: "jwt", state: .broken, detail: "\(error)")
        }
    }

    // MARK: Tasks

    private static func tasks(_ database: any SQLDatabase) async throws -> DoctorFinding {
        let counts = try await TaskRepository(database).counts()
        func count(_ state: TaskState) -> Int { counts.reduce(0) { $0 + ($1.state == state ? $1.count : 0) } }
        let dead = count(.dead)
        guard dead > 0 else {
            return DoctorFinding(
                subject: "tasks", state: .good,
                detail: "none dead, \(count(.waiting)) waiting, \(count(.running)) running")
        }
        let kinds = counts.filter { $0.state == .dead }.map { "\($0.count) of \($0.kind)" }
        return DoctorFinding(
            subject: "tasks", state: .warning,
            detail:
                "\(dead) dead (\(kinds.joined(separator: ", "))); “pathlight tasks failed” says why, “pathlight tasks "
                + "retry ID” tries one again")
    }
}
