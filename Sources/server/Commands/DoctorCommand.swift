internal import ArgumentParser
internal import Embedder
internal import Engine
internal import Foundation
internal import Logging
internal import Store

/// `pathlight doctor`: checks everything that a start needs, and says how to mend what is missing.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Checks everything a start needs, and says how to mend what is missing.")

    @OptionGroup var common: CommonOptions

    @Flag(help: "Print one JSON document.")
    var json = false

    @Flag(help: "Ask the mail server and the provider of language models as well; that one takes its price.")
    var online = false

    private typealias Finding = DoctorFinding

    func run() async throws {
        let settings: ServiceSettings
        let logger: Logger
        do {
            (settings, logger) = try common.settings()
        } catch let error as SettingsError where json {
            // The document is all that a program reads.
            try report([Finding(subject: "settings", state: .broken, detail: "\(error)")])
            throw error
        }
        // Before the database is opened, which may write to its file.
        let clock = FolderChecks.clock(Date(), database: Pathways.databasePath(settings))
        let (database, stored) = await stored(settings, logger: logger)
        var findings = [content(), settingsFinding(settings), database]
        if let stored { findings.append(careers(stored)) }
        let (model, space) = model(settings, stored)
        findings += model
        if let stored { findings.append(vectors(stored, in: space, settings)) }
        findings += FolderChecks.all(
            folder: settings.dataDirectory, database: Pathways.databasePath(settings))
        findings += [
            clock,
            NetworkChecks.address(settings.host, isBehindProxy: settings.trustedProxy != nil),
            NetworkChecks.port(settings.port, host: settings.host),
            NetworkChecks.trust(environment: ProcessInfo.processInfo.environment),
        ]
        findings += await CollectorCheck.findings(settings)
        findings += stored?.platform ?? []
        findings.append(await PlatformChecks.tokens(settings.tokens))
        findings += await MailChecks.all(settings, isOnline: online)
        try report(findings)
        if findings.contains(where: { $0.state == .broken }) { throw ExitCode(1) }
    }

    private func report(_ findings: [Finding]) throws {
        if json {
            try Terminal.data(Data(DoctorFinding.document(findings, version: Pathlight.version) + [UInt8(ascii: "\n")]))
        } else {
            for finding in findings { try Terminal.data(finding.line) }
        }
    }

    private func content() -> Finding {
        do {
            let careers = try BuiltInContent.careers()
            let questions = try BuiltInContent.quiz().questions.count
            return Finding(
                subject: "content", state: .good,
                detail:
                    "\(careers.count) careers in \(Set(careers.map(\.cluster)).count) clusters, \(questions) questions")
        } catch {
            return Finding(
                subject: "content", state: .broken, detail: "\(error); the program is damaged, build it anew")
        }
    }

    private func settingsFinding(_ settings: ServiceSettings) -> Finding {
        let detail =
            "\(settings.host):\(settings.port), data in \(settings.dataDirectory), models in \(settings.modelsDirectory)"
        // Read once more, for what the log was told: they may be valid with the options alone.
        var overrides = SettingsOverrides()
        overrides.host = settings.host
        overrides.port = settings.port
        let warnings = (try? ServiceSettings.load(file: common.settingsFile, overrides: overrides))?.warnings ?? []
        guard warnings.isEmpty else {
            return Finding(
                subject: "settings", state: .warning, detail: ([detail] + warnings).joined(separator: "; "))
        }
        return Finding(subject: "settings", state: .good, detail: detail)
    }

    // MARK: What is stored

    /// What the other findings need of the database.
    private struct Stored {
        let counts: [(source: String, active: Int, retired: Int)]
        /// Whether an import has taken the place of the built-in careers for good.
        let isImportAlone: Bool
        /// What a start loads.
        let choice: ModelChoice
        /// Nil where the model runs here.
        let outside: OutsideChecks?
        let careerCount: Int
        let coverage: VectorCoverage?
        let grounding: GroundingCheck
        let platform: [DoctorFinding]
    }

    private func stored(_ settings: ServiceSettings, logger: Logger) async -> (Finding, Stored?) {
        let path = Pathways.databasePath(settings)
        do {
            try Pathways.requireSQLite(settings)
            // To open it would make it, and to look is to make nothing.
            let place = DatabasePlace(path)
            guard place == .taken else {
                return (
                    PlatformChecks.noDatabase(path, place, settings), try await ofFirstStart(settings, logger: logger)
                )
            }
            let opened = try await Pathways.openDatabase(settings, migrates: false, logger: logger)
            do {
                let problems = try await opened.check()
                let schema = SchemaMigrator()
                let version = try await schema.version(of: opened)
                let toCome = schema.latestVersion - version
                if version > 0, toCome > 0 {
                    try await opened.close()
                    return (Self.outdated(path, problems, toCome: toCome), nil)
                }
                let stored =
                    version == 0
                    ? try await ofFirstStart(settings, logger: logger)
                    : try await look(into: opened, settings, logger: logger)
                try await opened.close()
                guard problems.isEmpty else {
                    let detail = "\(path): \(problems.joined(separator: "; "))"
                    return (Finding(subject: "database", state: .broken, detail: detail), stored)
                }
                return version == 0
                    ? (PlatformChecks.noDatabase(path, .empty, settings), stored)
                    : (Finding(subject: "database", state: .good, detail: path), stored)
            } catch {
                try? await opened.close()
                throw error
            }
        } catch {
            return (Finding(subject: "database", state: .broken, detail: "\(error)"), nil)
        }
    }

    private func look(
        into database: any SQLDatabase, _ settings: ServiceSettings, logger: Logger
    ) async throws -> Stored {
        let content = try await CatalogueContent.read(from: database)
        let choice = try await ModelChoice.read(from: database, settings: settings)
        var outside: OutsideChecks?
        if let model = OutsideModel(choice.id) {
            outside = await .make(
                model, choice: choice, isOnline: online, settings: settings, database: database, logger: logger)
        }
        return Stored(
            counts: try await CareerRepository(database).counts(),
            isImportAlone: try await SettingRepository(database).value(of: BuiltInContent.retiredSetting) != nil,
            choice: choice, outside: outside,
            careerCount: content.careers.count,
            coverage: try await Reembedder(database).coverage(of: content.careers),
            grounding: try await .make(choice.grounding, of: content.careers, in: database),
            platform: try await PlatformChecks.all(settings, database)
                + ModelsOutsideCheck.all(settings, database, isOnline: online))
    }

    /// What a first start would find, which is looked for in an empty database that goes again.
    private func ofFirstStart(_ settings: ServiceSettings, logger: Logger) async throws -> Stored {
        let database = try await Self.emptyDatabase()
        do {
            let stored = try await look(into: database, settings, logger: logger)
            try await database.close()
            return stored
        } catch {
            try? await database.close()
            throw error
        }
    }

    private static func emptyDatabase() async throws -> any SQLDatabase {
        let database = try await SQLiteDatabase.temporary()
        _ = try await SchemaMigrator().migrate(database)
        return database
    }

    /// A database of an earlier version: to look into it would be to change it, and there would be no way back.
    private static func outdated(_ path: String, _ problems: [String], toCome: Int) -> Finding {
        let steps = toCome == 1 ? "1 step of the schema is" : "\(toCome) steps of the schema are"
        let detail =
            "\(steps) to come, which the next start makes: “pathlight backup” comes first. Until then careers, vectors, keys "
            + "and tasks are not looked at"
        return Finding(
            subject: "database", state: problems.isEmpty ? .warning : .broken,
            detail: "\(path): \((problems + [detail]).joined(separator: "; "))")
    }

    private func careers(_ stored: Stored) -> Finding {
        let active = stored.counts.reduce(0) { $0 + $1.active }
        let retired = stored.counts.reduce(0) { $0 + $1.retired }
        guard active > 0 else {
            return stored.isImportAlone
                ? Finding(
                    subject: "careers", state: .broken,
                    detail: "\(retired) stored, all of them retired; “pathlight import” brings careers in")
                : Finding(
                    subject: "careers", state: .good,
                    detail: "none active yet; the first start brings the built-in ones in")
        }
        let sources = stored.counts.map { count in
            let retired = count.retired > 0 ? " and \(count.retired) retired" : ""
            return "\(count.source) \(count.active)\(retired)"
        }
        return Finding(
            subject: "careers", state: .good,
            detail: "\(active) active, \(retired) retired; by source: \(sources.joined(separator: ", "))")
    }

    // MARK: The model

    /// The model of the vectors in use, which a start loads too; that of the settings where there are no vectors.
    ///
    /// - Returns: the findings, and the space of the model where it can be loaded.
    private func model(_ settings: ServiceSettings, _ stored: Stored?) -> ([Finding], TextSpace?) {
        let choice = stored?.choice ?? ModelChoice(id: settings.model, precision: settings.precision)
        let id = choice.id
        if let outside = stored?.outside { return (outside.findings, outside.space) }
        let difference =
            id == settings.model
            ? ""
            : "; the settings name \(settings.model), and the vectors of the careers decide: "
                + "“pathlight reembed --model \(settings.model)” changes them"
        switch LoadedModel.load(
            id, from: settings.modelsDirectory, precision: choice.precision, cacheEntries: 0)
        {
        case .missing(let problem):
            let detail = LoadedModel.degradation(problem).detail + difference
            return ([Finding(subject: "model", state: .degraded, detail: detail)], nil)
        case .ready(let embedder):
            do {
                _ = try embedder.embedding(of: "a nurse")
                let texts = try ModelVectorizer(embedder).space
                let space = try stored?.grounding.space(of: texts, settings: settings) ?? texts
                let findings = [
                    Finding(subject: "model", state: .good, detail: id + difference),
                    Finding(subject: "space", state: .good, detail: Self.description(of: space)),
                ]
                return (findings + (stored.map { [$0.grounding.finding] } ?? []), space)
            } catch {
                return ([Finding(subject: "model", state: .broken, detail: "\(error)\(difference)")], nil)
            }
        }
    }

    /// The id, and what a row of the space is composed of.
    private static func description(of space: TextSpace) -> String {
        let views = space.views.map { "\($0.name) \($0.weight)" }.joined(separator: ", ")
        return "\(space.id); \(views), each of \(space.dimension) numbers; composed of \(CareerTexts.composition)"
    }

    // MARK: The vectors

    /// - Parameter space: of the model in use, or nil where it cannot be loaded.
    private func vectors(_ stored: Stored, in space: TextSpace?, _ settings: ServiceSettings) -> Finding {
        guard let coverage = stored.coverage else {
            return Finding(
                subject: "vectors", state: .good, detail: "none yet; the first start or “pathlight reembed” makes them")
        }
        let generation = coverage.generation
        let state = coverage.state
        var details = [
            "generation \(generation.id) of \(coverage.model ?? "an unknown model"), "
                + "\(state.current) of \(stored.careerCount) careers with the vector of their present text"
        ]
        if let space, space.id != generation.spaceID {
            let consequence =
                coverage.isHeld
                ? "the service ranks by abilities alone until they are made anew"
                : "they are made anew when the service starts"
            details.append("of another space, \(generation.spaceID); \(consequence)")
        }
        if state.stale > 0 { details.append("\(state.stale) with that of an earlier text") }
        if state.pending > 0 { details.append("\(state.pending) without any") }
        if coverage.isHeld {
            details.append("a rollback is held: “pathlight reembed” or an import that embeds ends it")
        } else if state.stale + state.pending > 0 {
            details.append("a running service or “pathlight reembed” makes the missing ones")
        }
        if let first = coverage.damage.first {
            details.append("\(coverage.damage.count) damaged, made anew at the next start, the first: \(first)")
        }
        // Of a model outside its own finding tells.
        let isUsable =
            stored.outside != nil || coverage.model.map(InstalledModels.usable(settings).contains) ?? true
        if let model = coverage.model, !isUsable {
            details.append(
                "that model is not usable here: “pathlight models fetch \(model)” gets a known one, "
                    + "“pathlight reembed --model ID” changes to another")
        }
        return Finding(
            subject: "vectors", state: isUsable && coverage.damage.isEmpty ? .good : .degraded,
            detail: details.joined(separator: "; "))
    }
}
