internal import Foundation
internal import Hummingbird
internal import Platform
internal import Store

/// What language models cost and are told: `/api/admin/budgets/` and `/api/admin/prompts/`.
struct LLMAdminRoutes {
    private static let largestLimit = 1_000_000.0

    let models: LanguageModels
    let database: any SQLDatabase
    var clock: @Sendable () -> Date = { Date() }

    func add(to router: GuardedRouter) {
        router.get("/api/admin/budgets", .admin) { request, _ in try await budgets(request) }
        router.put("/api/admin/budgets", .admin) { request, scope in try await setBudget(request, scope) }
        router.get("/api/admin/prompts", .admin) { _, _ in try await list() }
        router.get("/api/admin/prompts/{id}", .admin) { _, scope in Self.reply(try await entry(scope)) }
        router.put("/api/admin/prompts/{id}", .admin) { request, scope in try await replace(request, scope) }
        router.delete("/api/admin/prompts/{id}", .admin) { _, scope in try await reset(scope) }
        router.post("/api/admin/prompts/{id}/try", .admin) { request, scope in
            try await PromptTrial(models: models).run(try await entry(scope), request, scope)
        }
    }

    // MARK: Budgets

    private func budgets(_ request: Request) async throws -> Response {
        let (day, skip, limit) = try request.readQuery { query in
            let day = query.string("day", maxBytes: 10, allowEmpty: false)
            if let day, SQLTime.date(of: day + "T00:00:00.000Z") == nil {
                query.fail("day", "must be a day such as `2026-02-26`")
            }
            return (
                day, query.integer("skip", in: 0...Int(Int32.max)) ?? 0,
                query.integer("limit", in: 1...AdminPage.largest) ?? 50
            )
        }
        return try await budgetReply(day: day, skip: skip, limit: limit)
    }

    private func setBudget(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let amount = try await request.readFields(in: scope) { fields -> Double? in
            let amount = fields.number("daily_limit_usd", in: 0...Self.largestLimit)
            let usesSettings = fields.bool("use_settings") ?? false
            if fields.has("daily_limit_usd") == usesSettings {
                fields.fail(
                    "daily_limit_usd", "give either a limit, or `use_settings` as true for that of the settings")
            }
            return amount
        }
        let limit = amount.map { Int64(($0 * Double(USD.nanodollars)).rounded()) }
        try await LLMBudgetRepository(database).setLimit(limit, now: clock())
        return try await budgetReply(day: nil, skip: 0, limit: 50)
    }

    private func budgetReply(day given: String?, skip: Int, limit: Int) async throws -> Response {
        let day = given ?? LLMBudget.day(of: clock())
        let usage = LLMUsageRepository(database)
        let state = try await LLMBudgetRepository(database).state(of: day, limit: models.gateway.budget.dailyLimit)
        let rows = try await usage.rows(of: day, skip: skip, limit: limit)
        let (count, sums) = try await usage.total(of: day)
        let statistics = models.gateway.statistics
        return .json(headers: [.cacheControl: "no-store"]) { json in
            json.object { json in
                json.field("day", day)
                Self.dollars("daily_limit_usd", state.limit, to: &json)
                json.field("limit_source", state.isStored ? "stored" : "settings")
                Self.dollars("spent_usd", state.spent, to: &json)
                Self.dollars("reserved_usd", state.reserved, to: &json)
                Self.dollars("remaining_usd", state.remaining, to: &json)
                json.field("provider", statistics.provider)
                json.field("model", statistics.model)
                json.field("breaker", statistics.breaker.rawValue)
                json.field("sums") { json in
                    json.field("calls", sums.calls)
                    json.field("input_tokens", sums.inputTokens)
                    json.field("output_tokens", sums.outputTokens)
                    Self.dollars("cost_usd", sums.cost, to: &json)
                }
                json.field("items", arrayOf: rows) { json, row in Self.write(row, to: &json) }
                json.field("total", count)
                json.field("skip", skip)
                json.field("limit", limit)
            }
        }
    }

    private static func write(_ row: LLMUsageRecord, to json: inout JSONWriter) {
        json.object { json in
            json.field("user_id", row.userID)
            json.field("feature", row.feature)
            json.field("provider", row.provider)
            json.field("model", row.model)
            json.field("calls", row.calls)
            json.field("input_tokens", row.inputTokens)
            json.field("output_tokens", row.outputTokens)
            dollars("cost_usd", row.cost, to: &json)
        }
    }

    static func dollars(_ name: String, _ nanodollars: Int64, to json: inout JSONWriter) {
        json.field(name, Double(nanodollars) / Double(USD.nanodollars))
    }

    // MARK: Prompts

    private func list() async throws -> Response {
        let entries = try await models.prompts.all()
        return AdminPage.reply(entries, total: entries.count, skip: 0, limit: entries.count) { json, entry in
            Self.write(entry, to: &json)
        }
    }

    private func entry(_ scope: RequestScope) async throws -> PromptLibrary.Entry {
        let id = try scope.pathID("id", missing: Self.missing)
        do { return try await models.prompts.entry(id) } catch PromptError.unknownPrompt {
            throw Self.missing(id)
        }
    }

    private func replace(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let id = try await entry(scope).id
        let text = try await request.readFields(in: scope) { fields in
            fields.requiredString("text", maxBytes: PromptTemplate.maximumBytes, allowEmpty: false)
        }
        do {
            return Self.reply(try await models.prompts.replace(id, with: text, by: scope.principal.caller))
        } catch let error as PromptError {
            throw HTTPProblem(
                .invalidFields, "text: \(error)", errors: [FieldError(path: "text", message: "\(error)")])
        }
    }

    private func reset(_ scope: RequestScope) async throws -> Response {
        Self.reply(try await models.prompts.reset(try await entry(scope).id))
    }

    private static func missing(_ id: String) -> HTTPProblem {
        HTTPProblem(.promptNotFound, "There is no prompt “\(excerpt(of: id))”; GET /api/admin/prompts/ lists them.")
    }

    private static func reply(_ entry: PromptLibrary.Entry) -> Response {
        .json(headers: [.cacheControl: "no-store"]) { write(entry, to: &$0) }
    }

    private static func write(_ entry: PromptLibrary.Entry, to json: inout JSONWriter) {
        json.object { json in
            json.field("id", entry.id)
            json.field("purpose", entry.template.definition.purpose)
            json.field("source", entry.source.rawValue)
            json.field("version", entry.template.version)
            json.field("text", entry.template.text)
            json.field("variables", arrayOf: entry.template.definition.variables) { json, variable in
                json.object { json in
                    json.field("name", variable.name)
                    json.field("kind", variable.kind.rawValue)
                    json.field("meaning", variable.meaning)
                }
            }
            json.name("updated_at")
            if let date = entry.updatedAt { json.value(date) } else { json.null() }
            json.field("updated_by", entry.updatedBy)
            json.field("problem", entry.problem)
        }
    }
}

extension ProblemCode {
    static let promptNotFound = ProblemCode("prompt_not_found", .notFound, "There is no such prompt")
}
