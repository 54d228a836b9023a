package import Engine
package import Platform
package import Store

/// What the service does less well than it is set up to, and why: for `/readyz` and `/metrics`.
///
/// What is not set up is not missed: to have no language model and no mail server is no trouble.
package struct ServiceHealth: Sendable {
    /// What is the worse for a trouble.
    package enum Part: String, Sendable, CaseIterable {
        case store
        case recommendations
        case languageModel = "language_model"
        case mail
    }

    package struct Trouble: Sendable, Equatable {
        package let part: Part
        /// A stable word of a bounded set.
        package let reason: String
        /// What is wrong and how to mend it, in words that everybody may read.
        package let detail: String
        /// The reason as `/metrics` has it.
        package let label: String

        init(_ part: Part, _ reason: String, label: String? = nil, _ detail: String) {
            self.part = part
            self.reason = reason
            self.detail = detail
            self.label = label ?? reason
        }
    }

    private let pathways: Pathways
    private let platform: PlatformServices

    init(pathways: Pathways, platform: PlatformServices) {
        self.pathways = pathways
        self.platform = platform
    }

    /// Those of now. Nothing is waited for: it is all in memory.
    var troubles: [Trouble] {
        let gateway = platform.models.gateway
        let models = gateway.statistics
        return Self.troubles(
            store: (pathways.database as? SQLiteDatabase)?.writeFailure,
            ranking: pathways.recommender.current.degradation, reading: pathways.catalogue.trouble,
            languageModel: models.isConfigured ? (models.breaker, platform.budget.isUsedUp) : nil,
            unusable: models.isConfigured ? nil : gateway.settings.problems.first,
            mail: platform.mail.statistics.degradation)
    }

    /// - Parameters:
    ///   - store: why the last write was not stored.
    ///   - ranking: why careers are ranked by abilities alone.
    ///   - reading: why a model outside reads no texts at present.
    ///   - languageModel: nil where none is set up.
    ///   - unusable: what the settings lack for the language model that they name.
    ///   - mail: why messages wait.
    package static func troubles(
        store: StoreError.Code? = nil, ranking: Degradation? = nil, reading: Degradation? = nil,
        languageModel: (breaker: CircuitBreaker.State, isOverBudget: Bool)? = nil, unusable: String? = nil,
        mail: MailFailure? = nil
    ) -> [Trouble] {
        var troubles: [Trouble] = []
        if let store {
            troubles.append(
                Trouble(
                    .store, store.rawValue, label: "store",
                    store.isLasting
                        ? "The database file is broken: what touches the broken part gets 503, and nothing of it is kept; "
                            + "the rest goes on. “pathlight doctor” says more. A start with a sound file, as that of a "
                            + "backup, ends this."
                        : "The last write could not be stored: who writes gets 503, and nothing is kept; reading goes on. "
                            + "“pathlight doctor” says what is wrong with disk and folder. Once it is mended, the first "
                            + "write that succeeds ends this."))
        }
        if let ranking { troubles.append(Trouble(.recommendations, ranking.reason.rawValue, ranking.detail)) }
        if let reading {
            troubles.append(
                Trouble(.recommendations, reading.reason.rawValue, label: "model_outside", reading.detail))
        }
        if let unusable { troubles.append(Trouble(.languageModel, "not_configured", unusable)) }
        if let languageModel {
            // Half open as well: until a call succeeds nobody knows better.
            if languageModel.breaker != .closed {
                troubles.append(
                    Trouble(
                        .languageModel, "breaker_open",
                        "The language model failed several times in a row and has not answered since. Who needs it "
                            + "asks it again; “pathlight doctor --online” says what is wrong."))
            }
            if languageModel.isOverBudget {
                troubles.append(
                    Trouble(
                        .languageModel, "over_budget",
                        "The day's budget for language models is used up, or too little is left of it for a call. It "
                            + "begins anew at midnight UTC, and PUT /api/admin/budgets/ raises it."))
            }
        }
        if let mail {
            troubles.append(
                Trouble(
                    .mail, mail.cause.rawValue, label: "mail",
                    "The last message could not go (\(mail.brief)). What is to be sent waits and is tried again; "
                        + "“pathlight mail test” says what is wrong."))
        }
        return troubles
    }
}
