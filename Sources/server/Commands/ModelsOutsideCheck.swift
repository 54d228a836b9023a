internal import Foundation
internal import Logging
package import Platform
internal import Store

/// What `pathlight doctor` looks at where features ask language models, and in the ways out.
package enum ModelsOutsideCheck {
    private static let subject = "models_outside"
    /// An answer of a few words.
    private static let tokens = 60

    /// - Parameter isOnline: whether the provider is asked, which costs a fraction of a cent of the day's budget.
    static func all(
        _ settings: ServiceSettings, _ database: any SQLDatabase, isOnline: Bool
    ) async -> [DoctorFinding] {
        do {
            let transport = try settings.makeTransport()
            defer { transport.close() }
            let prompts = try settings.makePrompts(database: database)
            return [
                outbound(settings.outbound),
                try await models(settings.llm, prompts, transport, database, isOnline: isOnline),
            ]
        } catch {
            return [DoctorFinding(subject: subject, state: .broken, detail: "\(error)")]
        }
    }

    private static func outbound(_ settings: OutboundSettings) -> DoctorFinding {
        if let file = settings.authorities, !FileManager.default.isReadableFile(atPath: file) {
            return DoctorFinding(
                subject: "outbound", state: .degraded,
                detail: "\(file), which `outbound.ca_file` names, cannot be read, so that nothing outside is trusted")
        }
        let way = settings.proxy.map { "through \(OutboundURL.withoutSecrets($0))" } ?? "straight, without a proxy"
        return DoctorFinding(subject: "outbound", state: .good, detail: way)
    }

    private static func models(
        _ settings: LLMSettings, _ prompts: PromptLibrary, _ transport: CurlTransport, _ database: any SQLDatabase,
        isOnline: Bool
    ) async throws -> DoctorFinding {
        let entries = try await prompts.all()
        let unused = entries.compactMap { entry in entry.problem.map { "the prompt \(entry.id): \($0)" } }
        func finding(_ state: DoctorFinding.State, _ detail: String) -> DoctorFinding {
            DoctorFinding(
                subject: subject, state: unused.isEmpty ? state : max(state, .warning),
                detail: ([detail] + unused).joined(separator: "; "))
        }
        if let problem = settings.problems.first { return finding(.degraded, problem) }
        guard let provider = settings.provider(transport: transport) else {
            return finding(.good, "none is set up; features answer with what they have here")
        }
        do throws(OutboundError) {
            _ = try OutboundURL(provider.baseURL)
        } catch {
            return finding(.degraded, "the base URL of \(provider.name) leads nowhere: \(error)")
        }
        let place = OutboundURL.withoutSecrets(provider.baseURL)
        let name = "\(provider.name), \(provider.model) at \(place), \(entries.count) prompts"
        guard isOnline else { return finding(.good, "\(name); not asked, `--online` does") }
        do throws(LLMError) {
            let seconds = try await ask(LLMGateway(settings: settings, provider: provider, database: database))
            return finding(.good, "\(name); answers in \((seconds * 1000).rounded() / 1000) s")
        } catch {
            return finding(.degraded, "\(name); \(error)")
        }
    }

    /// One question, by the gateway so that it is counted. At its deadline a call is let go, and what it cost is written
    /// beside it: that is waited for, since the database is closed after this.
    ///
    /// - Returns: how many seconds the answer took.
    package static func ask(_ gateway: LLMGateway) async throws(LLMError) -> Double {
        let start = ContinuousClock.now
        let prompt: FilledPrompt
        do throws(PromptError) {
            // The built-in text, whatever stands in its place: it is the provider that is tried.
            prompt = try PromptTemplate(BuiltInPrompts.check.text, for: BuiltInPrompts.check)
                .filled(with: ["language": .value("English"), "text": .untrusted("All is well.")])
        } catch {
            throw .badRequest("\(error)")
        }
        do throws(LLMError) {
            _ = try await gateway.text(
                LLMRequest(feature: "doctor", prompt: prompt, maximumOutputTokens: tokens, usesCache: false))
        } catch {
            await gateway.settled()
            throw error
        }
        let seconds = (ContinuousClock.now - start).inSeconds
        await gateway.settled()
        return seconds
    }
}
