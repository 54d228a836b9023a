internal import Embedder
internal import Engine
internal import HTTPTypes
internal import Platform
internal import Store
internal import VectorIndex

/// The problems of the recommender's routes.
extension ProblemCode {
    static let sessionNotFound = ProblemCode("session_not_found", .notFound, "There is no such session")
    static let careerNotFound = ProblemCode("career_not_found", .notFound, "There is no such career")
    static let careerNotServed = ProblemCode("career_not_served", .conflict, "The career is not served")
    static let nothingToGoOn = ProblemCode("nothing_to_go_on", .unprocessableContent, "Nothing to recommend from")
    static let unknownCareer = ProblemCode("unknown_career", .unprocessableContent, "A career is not known")
    static let textNeedsModel = ProblemCode("text_needs_model", .serviceUnavailable, "Text cannot be read at present")
    static let tooMuchText = ProblemCode("too_much_text", .unprocessableContent, "More text than fits")
    static let generationGone = ProblemCode("generation_gone", .conflict, "That state of the careers is gone")
    static let modelNotFound = ProblemCode("model_not_found", .notFound, "There is no such model")
    static let modelUnavailable = ProblemCode("model_unavailable", .serviceUnavailable, "The model is not available")
    static let storeUnavailable = ProblemCode("store_unavailable", .serviceUnavailable, "The store is not available")
}

extension ProblemTable {
    /// How the errors of the layers below are told to a client.
    static let service = ProblemTable()
        .adding(IdentityError.self) { AccessProblems.problem(for: $0) }
        .adding(RecommendationError.self) { problem(for: $0) }
        .adding(EmbeddingQueueError.self) { error in
            switch error {
            case .full(let seconds):
                HTTPProblem(
                    .tooManyRequests,
                    "As many texts wait to be embedded as may; try again in about \(seconds) seconds.",
                    headers: [.retryAfter: String(seconds)])
            case .neverFits(let texts, let tokens, let limits):
                HTTPProblem(
                    .tooMuchText,
                    "\(texts) texts with \(tokens) tokens are more than this service embeds for one request, which is "
                        + "\(limits.texts) texts and \(limits.tokens) tokens; send them in parts.")
            }
        }
        .adding(StoreError.self) { error in
            error.isTransient
                ? HTTPProblem(
                    .storeUnavailable, "The service is busy; try again in a moment.",
                    headers: [.retryAfter: "1"], cause: error)
                : error.saysNothingIsStored
                    ? HTTPProblem(
                        .storeUnavailable, "The service cannot use its store at present; nothing was kept.",
                        cause: error) : nil
        }

    private static func problem(for error: RecommendationError) -> HTTPProblem {
        switch error {
        case .nothingToGoOn:
            HTTPProblem(
                .nothingToGoOn,
                "Give answers, text, skills, abilities or liked careers to recommend from. Scales answered in the middle, "
                    + "and what cancels out, say nothing.")
        case .dislikesAlone:
            HTTPProblem(
                .nothingToGoOn,
                "With “best_score” disliked careers only leave others out, and nothing here draws any near. Add liked "
                    + "careers, answers, text, skills or abilities, or ask for “average_vector”.",
                errors: [FieldError(path: "disliked", message: "leaves nothing to rank by where it stands alone")])
        case .absentExamplesAlone(let careers):
            HTTPProblem(
                .nothingToGoOn,
                "Nothing is left to recommend from: \(quoted(careers.map(\.career))) cannot count, since the catalogue "
                    + "does not serve what it names. Add answers, text, skills, abilities or other liked careers.",
                errors: careers.map { FieldError(path: $0.field, message: $0.message) })
        case .textNeedsModel(let degradation):
            HTTPProblem(
                .textNeedsModel,
                "Text alone cannot be ranked without a model. \(degradation.detail) "
                    + "Answers of the quiz and abilities still work.")
        case .textUnavailable(let degradation):
            HTTPProblem(.textNeedsModel, degradation.detail)
        case .abilityCount(let count):
            field("abilities", "must have exactly \(Ability.count) numbers, not \(count)")
        case .abilityOutOfRange(let position, let value):
            field("abilities.\(position)", "is \(value); abilities lie between 0 and 10")
        case .alphaOutOfRange(let alpha): field("alpha", "is \(alpha); it must lie between 0 and 1")
        case .topNOutOfRange(let count):
            field("top_n", "is \(count); it must lie between 1 and \(RecommendationRequest.maximumTopN)")
        case .maxPerClusterOutOfRange(let count):
            field("max_per_cluster", "is \(count); it must lie between 1 and \(RecommendationRequest.maximumTopN)")
        case .marginalRelevanceOutOfRange(let weight):
            field("mmr_weight", "is \(weight); it must lie between 0 and 1")
        case .skipOutOfRange(let skip):
            field("skip", "is \(skip); it must lie between 0 and \(RecommendationRequest.maximumSkip)")
        case .generationGone(let number, let current): generationGone(number, current: current)
        case .unknownCareers(let name, let ids):
            HTTPProblem(
                .unknownCareer, "There is no career with the id \(quoted(ids)).",
                errors: ids.map { FieldError(path: name, message: "there is no career “\(excerpt(of: $0))”") })
        case .likedAndDisliked(let ids):
            field("disliked", "names careers that are liked as well: \(quoted(ids))")
        case .filter(let error): field("filters", error.description)
        }
    }

    /// A state of the careers that pages cannot be taken from: it is no longer kept, or never was.
    static func generationGone(_ number: UInt64, current: UInt64) -> HTTPProblem {
        let begin =
            "begin again without “generation”, and ask for further pages with the number that the first page names"
        guard number > current else {
            return HTTPProblem(
                .generationGone,
                "The careers have changed since generation \(number), which is no longer kept (it is \(current) now); "
                    + "\(begin).",
                errors: [FieldError(path: "generation", message: "is no longer kept")])
        }
        return HTTPProblem(
            .generationGone, "There has been no generation \(number) yet; it is \(current) now; \(begin).",
            errors: [FieldError(path: "generation", message: "is greater than the present one, \(current)")])
    }

    private static func quoted(_ ids: [String]) -> String {
        ids.map { "“\(excerpt(of: $0))”" }.joined(separator: ", ")
    }

    private static func field(_ path: String, _ message: String) -> HTTPProblem {
        HTTPProblem(.invalidFields, "\(path): \(message)", errors: [FieldError(path: path, message: message)])
    }
}
