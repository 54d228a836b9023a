internal import Foundation
internal import Hummingbird
internal import Platform

/// `POST /api/admin/prompts/{id}/try/`: fills a prompt in and asks the model, the way to test both. Where the model does
/// not answer, the reply is degraded and says why, as every feature's would.
struct PromptTrial {
    /// Below the time that a request has.
    private static let seconds = 0.1...25.0

    private struct Wanted {
        var values: [String: PromptValue] = [:]
        var schema: JSONSchema?
        var temperature = 0.0
        var tokens: Int?
        var deadline: Duration?
        var usesCache = false
    }

    let models: LanguageModels

    func run(_ entry: PromptLibrary.Entry, _ request: Request, _ scope: RequestScope) async throws -> Response {
        let wanted = try await request.readFields(in: scope) { fields in Self.read(fields, for: entry.template) }
        let prompt: FilledPrompt
        do {
            prompt = try entry.template.filled(with: wanted.values)
        } catch {
            throw HTTPProblem(
                .invalidFields, "variables: \(error)", errors: [FieldError(path: "variables", message: "\(error)")])
        }
        let call = LLMRequest(
            feature: "prompt_trial", userID: scope.principal.userID, prompt: prompt, temperature: wanted.temperature,
            maximumOutputTokens: wanted.tokens, deadline: wanted.deadline, usesCache: wanted.usesCache)
        scope.giveUpPlace()
        let start = ContinuousClock.now
        let schema = wanted.schema
        do throws(LLMError) {
            let reply = try await ask(call, schema)
            return Self.reply(entry, prompt, reply, seconds: (ContinuousClock.now - start).inSeconds)
        } catch {
            return Self.degraded(entry, prompt, error, seconds: (ContinuousClock.now - start).inSeconds)
        }
    }

    private func ask(_ call: LLMRequest, _ schema: JSONSchema?) async throws(LLMError) -> LLMReply<JSONTree> {
        if let schema { return try await models.gateway.json(call, schema: schema) }
        return try await models.gateway.text(call).map { .string($0) }
    }

    private static func read(_ fields: FieldReader, for template: PromptTemplate) -> Wanted {
        var wanted = Wanted()
        let kinds = Dictionary(
            template.definition.variables.map { ($0.name, $0.kind) }, uniquingKeysWith: { first, _ in first })
        for (name, field) in fields.entries("variables", maxCount: 64) ?? [] {
            guard let text = field.text() else { continue }
            wanted.values[name] = kinds[name] == .untrusted ? .untrusted(text) : .value(text)
        }
        if let field = fields.field("schema") {
            do {
                wanted.schema = try JSONSchema(document: tree(field.value))
            } catch {
                field.fail("\(error)")
            }
        }
        wanted.temperature = fields.number("temperature", in: 0...2) ?? 0
        wanted.tokens = fields.integer("max_output_tokens", in: 1...100_000)
        wanted.deadline = fields.number("deadline_seconds", in: seconds).map {
            .milliseconds(Int64(($0 * 1000).rounded()))
        }
        wanted.usesCache = fields.bool("use_cache") ?? false
        return wanted
    }

    private static func tree(_ value: JSONValue) -> JSONTree {
        switch value {
        case .null: .null
        case .bool(let flag): .bool(flag)
        case .integer(let number): .integer(number)
        case .number(let number): .number(number)
        case .string(let text): .string(text)
        case .array(let elements): .array(elements.map(tree))
        case .object(let object): .object(object.members.map { .init($0.name, tree($0.value)) })
        }
    }

    // MARK: Writing

    private static func reply(
        _ entry: PromptLibrary.Entry, _ prompt: FilledPrompt, _ reply: LLMReply<JSONTree>, seconds: Double
    ) -> Response {
        write(entry, prompt, seconds: seconds) { json in
            json.name("reply")
            write(reply.value, to: &json)
            json.field("provider", reply.provider)
            json.field("model", reply.model)
            json.field("input_tokens", reply.usage.inputTokens)
            json.field("output_tokens", reply.usage.outputTokens)
            LLMAdminRoutes.dollars("cost_usd", reply.cost, to: &json)
            json.field("cached", reply.isCached)
            json.field("repaired", reply.isRepaired)
            json.field("cut", reply.isCut)
            json.name("degraded")
            json.null()
        }
    }

    private static func degraded(
        _ entry: PromptLibrary.Entry, _ prompt: FilledPrompt, _ error: LLMError, seconds: Double
    ) -> Response {
        write(entry, prompt, seconds: seconds) { json in
            json.name("reply")
            json.null()
            json.field("degraded") { json in
                json.field("reason", error.reason)
                json.field("detail", "\(error)")
            }
        }
    }

    private static func write(
        _ entry: PromptLibrary.Entry, _ prompt: FilledPrompt, seconds: Double, _ body: (inout JSONWriter) -> Void
    ) -> Response {
        .json(headers: [.cacheControl: "no-store"]) { json in
            json.object { json in
                json.field("prompt", entry.id)
                json.field("version", prompt.version)
                json.field("seconds", (seconds * 1000).rounded() / 1000)
                body(&json)
            }
        }
    }

    private static func write(_ tree: JSONTree, to json: inout JSONWriter) {
        switch tree {
        case .null: json.null()
        case .bool(let flag): json.value(flag)
        case .integer(let number): json.value(number)
        case .number(let number): json.value(number)
        case .string(let text): json.value(text)
        case .array(let elements): json.array(of: elements) { write($1, to: &$0) }
        case .object(let members):
            json.object { json in
                for member in members {
                    json.name(member.name)
                    write(member.value, to: &json)
                }
            }
        }
    }
}
