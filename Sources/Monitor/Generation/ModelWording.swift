package import Platform
internal import Store

/// Asks a model to word a list and to add to it, within what a run may ask.
///
/// What is sent names nobody: interests, course and hometown as the marks have them, and the careers that were found.
/// No user is given to the gateway either, for a list is shared by all students with equal marks.
package struct ModelWording: Sendable {
    package static let standardMarket = "India"
    static let feature = "monitor"
    /// Of one call, which nobody waits for; an answer has some hundred words.
    private static let deadline = Duration.seconds(60)
    private static let maximumOutputTokens = 2_500

    private let gateway: LLMGateway
    private let prompts: PromptLibrary
    let market: String
    let allowance: ModelAllowance

    /// - Parameters:
    ///   - prompts: has `MonitorPrompts.all`.
    ///   - market: one line, as it stands among the instructions.
    ///   - allowance: of the run that this is for.
    package init(
        gateway: LLMGateway, prompts: PromptLibrary, market: String = standardMarket, allowance: ModelAllowance
    ) {
        self.gateway = gateway
        self.prompts = prompts
        self.market = market
        self.allowance = allowance
    }

    /// Why no call may be made at all, or nil; takes one where it may.
    func refusal() -> String? {
        guard gateway.provider != nil else { return LLMError.notConfigured.reason }
        return allowance.take() ? nil : "call_allowance"
    }

    /// The list as the model words it; where anything fails, as it was, with a word for why.
    ///
    /// - Throws: `CancellationError` alone.
    func worded(_ list: MadeList, for question: ListQuestion, names: CareerNames) async throws -> MadeList {
        try Task.checkCancellation()
        var list = list
        do {
            let request = LLMRequest(
                feature: Self.feature, prompt: try await prompt(for: list, question),
                maximumOutputTokens: Self.maximumOutputTokens, deadline: Self.deadline)
            let reply = try await gateway.json(request, schema: MonitorPrompts.schema, as: WordedReply.self)
            // What was answered before is asked of nobody.
            if reply.isCached { allowance.giveBack() }
            list.costNanodollars = reply.cost
            list.askedMarket = market
            if let careers = reply.value.applied(to: list.careers, names: names) {
                list.careers = careers
                list.origin = .model
            } else {
                list.problem = LLMError.badReply("").reason
            }
        } catch let error as LLMError {
            if error == .cancelled || Task.isCancelled { throw CancellationError() }
            if Self.isRefusedHere(error) { allowance.giveBack() }
            if Self.isAnswer(error) { list.askedMarket = market }
            list.problem = error.reason
        } catch let error as CancellationError {
            throw error
        } catch {
            // The market does not fit among instructions, or the store did not give the prompt.
            allowance.giveBack()
            list.problem = "prompt_failed"
        }
        return list
    }

    /// Whether the call ended before the provider heard of it.
    private static func isRefusedHere(_ error: LLMError) -> Bool {
        switch error {
        case .notConfigured, .overBudget, .breakerOpen, .busy, .badRequest, .storeFailed: true
        case .timedOut, .unreachable, .rejected, .badReply, .blocked, .cancelled, .tooLarge: false
        }
    }

    /// Whether the provider answered, and would hardly answer otherwise if it were asked again soon.
    private static func isAnswer(_ error: LLMError) -> Bool {
        switch error {
        case .badReply, .blocked, .tooLarge: true
        default: false
        }
    }

    /// Whether calls may be made, as far as is known before one is.
    var mayAsk: Bool { gateway.provider != nil && allowance.remaining > 0 }

    private func prompt(for list: MadeList, _ question: ListQuestion) async throws -> FilledPrompt {
        var values: [String: PromptValue] = [
            "market": .value(market), "additions": .value(String(MonitorPrompts.maximumAdditions)),
            // Careers may be an operator's own, and their texts anybody's.
            "careers": .untrusted(JSONTree.array(list.careers.map(Self.told)).json),
        ]
        switch question.subject {
        case .student:
            let student = JSONTree.members([
                "interests": .array(question.interests.map(JSONTree.string)), "course": .string(question.course),
                "hometown": .string(question.hometown),
            ])
            values["student"] = .untrusted(student.json)
            return try await prompts.filled(MonitorPrompts.student.id, with: values)
        case .course:
            values["course"] = .untrusted(JSONTree.members(["course": .string(question.course)]).json)
            return try await prompts.filled(MonitorPrompts.course.id, with: values)
        }
    }

    /// What a model is told of a career.
    private static func told(_ career: ListedCareer) -> JSONTree {
        .members([
            "career_id": career.careerID.map(JSONTree.string), "career": .string(career.career),
            "industry": career.cluster.map(JSONTree.string), "skills": .array(career.skills.map(JSONTree.string)),
        ])
    }
}
