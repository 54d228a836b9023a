internal import Engine
internal import Logging
internal import Platform
internal import Store

/// What `pathlight doctor` looks at where a model outside embeds texts.
struct OutsideChecks {
    let findings: [DoctorFinding]
    /// Of the model's vectors; nil where it cannot be told.
    let space: TextSpace?

    /// - Parameter isOnline: whether the model is asked for its reference texts, as a service does.
    static func make(
        _ model: OutsideModel, choice: ModelChoice, isOnline: Bool, settings: ServiceSettings,
        database: any SQLDatabase, logger: Logger
    ) async -> OutsideChecks {
        guard settings.model == model.id else { return degraded(model.notNamed.detail) }
        guard settings.llm.isSetUp(model.provider) else {
            return degraded(
                "\(model.id) runs outside, and its provider has neither key nor base URL, so that what people write is "
                    + "not read; set one")
        }
        let outside = OutsideModels(settings, database: database, logger: logger)
        let checks = await look(model, choice: choice, isOnline: isOnline, outside)
        await outside.close()
        return checks
    }

    private static func look(
        _ model: OutsideModel, choice: ModelChoice, isOnline: Bool, _ outside: OutsideModels
    ) async -> OutsideChecks {
        let subject = "\(model.id), outside; what people write is sent there"
        guard isOnline || choice.space != nil else {
            return OutsideChecks(findings: [good("\(subject); not asked, `--online` does")], space: nil)
        }
        var space: TextSpace?
        do {
            let start = ContinuousClock.now
            let vectorizer = try await outside.vectorizer(
                of: model, space: choice.space, isAwaited: true, keeps: false)
            space = vectorizer.space
            // One that had to be resolved was asked just now.
            if isOnline, choice.space != nil { try await vectorizer.check() }
            let milliseconds = Int((ContinuousClock.now - start).milliseconds)
            let answer = isOnline ? "answers in \(milliseconds) ms" : "not asked, `--online` does"
            let shape = DoctorFinding(
                subject: "space", state: .good,
                detail: "\(vectorizer.space.id); one view of \(vectorizer.space.dimension) numbers")
            let whole = vectorizer.weakness.map {
                DoctorFinding(subject: "model", state: .warning, detail: "\(subject); \(answer); \($0)")
            }
            return OutsideChecks(findings: [whole ?? good("\(subject); \(answer)"), shape], space: space)
        } catch {
            return degraded(
                "\(model.id), outside, gives no vectors, so that what people write is not read: \(error)", space)
        }
    }

    private static func good(_ detail: String) -> DoctorFinding {
        DoctorFinding(subject: "model", state: .good, detail: detail)
    }

    private static func degraded(_ detail: String, _ space: TextSpace? = nil) -> OutsideChecks {
        OutsideChecks(findings: [DoctorFinding(subject: "model", state: .degraded, detail: detail)], space: space)
    }
}
