/// Why a language model gave nothing usable. The feature above answers with its local generator and tells `reason`.
///
/// No case holds a key, a prompt or a reply: errors are logged.
package enum LLMError: Error, Sendable, Equatable {
    /// No provider is set up.
    case notConfigured
    /// Less is left of the day's budget than the call could cost.
    case overBudget(limitNanodollars: Int64)
    /// The provider failed too often of late; it is asked again after this time.
    case breakerOpen(retryAfter: Duration)
    /// As many calls wait as may, or so many that the answer would come too late.
    case busy
    /// No answer by the deadline.
    case timedOut
    /// No connection, or none that may be used.
    case unreachable(OutboundError.Code)
    /// The provider answered with this status; the word is the provider's own code, where it gave one.
    case rejected(status: Int, code: String?)
    /// An answer that is not what was asked for; what is wrong with it.
    case badReply(String)
    /// The provider's rules kept it from answering; the word is its own.
    case blocked(String)
    case cancelled
    /// The answer is larger than what is taken.
    case tooLarge(maximumBytes: Int)
    /// What was asked cannot be sent; how to mend it.
    case badRequest(String)
    /// The store that holds the budget failed, and without it nothing is spent.
    case storeFailed(String)

    /// A word for replies marked degraded, logs and metric labels.
    package var reason: String {
        switch self {
        case .notConfigured: "not_configured"
        case .overBudget: "over_budget"
        case .breakerOpen: "breaker_open"
        case .busy: "busy"
        case .timedOut: "timed_out"
        case .unreachable: "unreachable"
        case .rejected(let status, _): status == 429 ? "rate_limited" : "rejected"
        case .badReply: "bad_reply"
        case .blocked: "blocked"
        case .cancelled: "cancelled"
        case .tooLarge: "too_large"
        case .badRequest: "bad_request"
        case .storeFailed: "store_failed"
        }
    }

    /// Every `reason` there is, for tables of them.
    package static let reasons = [
        "not_configured", "over_budget", "breaker_open", "busy", "timed_out", "unreachable", "rate_limited", "rejected",
        "bad_reply", "blocked", "cancelled", "too_large", "bad_request", "store_failed",
    ]

    /// Whether the same may succeed later without anybody mending anything, within the day.
    package var isTransient: Bool {
        switch self {
        case .breakerOpen, .busy, .timedOut, .storeFailed: true
        case .unreachable(let code): code != .tls && code != .forbiddenAddress && code != .invalidURL
        case .rejected(let status, _): status == 408 || status == 429 || (500...599).contains(status) && status != 501
        // A reply that breaks off has been asked for again by then; one of another form stays so, and costs each time.
        case .notConfigured, .overBudget, .badReply, .blocked, .cancelled, .tooLarge, .badRequest: false
        }
    }

    /// How long to wait at least before the next attempt, where that is known.
    package var retryAfter: Duration? {
        if case .breakerOpen(let pause) = self { pause } else { nil }
    }

    /// Whether the failure says that the provider is not well, so that the breaker counts it.
    var isProvidersFault: Bool {
        switch self {
        case .timedOut, .unreachable, .tooLarge: true
        // A key that is refused stays so until somebody mends it; one request that is refused says nothing of others.
        case .rejected(let status, _): status >= 500 || [401, 403, 404, 408, 429].contains(status) || status < 400
        case .badReply: false
        default: false
        }
    }
}

extension LLMError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notConfigured:
            "no language model is set up; set OPENAI_API_KEY, OPENAI_BASE_URL or GEMINI_API_KEY"
        case .overBudget(let limit):
            "this call could cost more than is left of the day's \(USD.text(nanodollars: limit)) for language models; the "
                + "budget begins anew at midnight UTC, and PUT /api/admin/budgets/ raises it"
        case .breakerOpen(let pause):
            "the language model failed several times in a row; it is asked again in \(max(1, pause.wholeSeconds)) s"
        case .busy: "too many calls of the language model wait for this one to be answered in time"
        case .timedOut: "the language model did not answer in time"
        case .unreachable(let code): "the language model's server cannot be reached (\(code.rawValue))"
        case .rejected(let status, let code):
            "the language model's server answered \(status)" + (code.map { " (\($0))" } ?? "") + Self.hint(status)
        case .badReply(let problem): "the language model's answer cannot be used: \(problem)"
        case .blocked(let code): "the provider refused to answer (\(code))"
        case .cancelled: "the call was abandoned"
        case .tooLarge(let limit): "the language model's answer is larger than \(limit) bytes"
        case .badRequest(let problem): problem
        case .storeFailed(let problem): "the budget cannot be kept, so that nothing is spent: \(problem)"
        }
    }

    private static func hint(_ status: Int) -> String {
        switch status {
        case 401, 403: "; check its API key"
        case 404: "; check the model's name and the base URL"
        default: ""
        }
    }
}

extension Duration {
    /// Seconds, rounded up.
    package var wholeSeconds: Int {
        Int(clamping: components.seconds) + (components.attoseconds > 0 ? 1 : 0)
    }

    /// Seconds with their fraction.
    package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
