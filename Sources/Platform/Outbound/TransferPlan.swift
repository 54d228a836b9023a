/// Everything that one transfer needs, made where it is asked for and carried out on the engine's thread.
struct TransferPlan: Sendable {
    enum Work: Sendable {
        case exchange(HTTPExchange)
        case delivery(SMTPDelivery)
    }

    let work: Work
    let url: String
    let addressGuard: AddressGuard
    let deadline: ContinuousClock.Instant
    let connectTimeout: Duration
    let authorities: String?
    let proxy: String?
    /// For protocols for which curl waits on its own thread: how others end that wait.
    let lifeline: SocketLifeline?
}

struct HTTPExchange: Sendable {
    let method: String
    let headers: [(name: String, value: String)]
    let body: [UInt8]?
    let userAgent: String
    let maximumBytes: Int
}

/// A mail to hand over, or where there is no recipient, none: then the dialogue goes as far as user and password.
struct SMTPDelivery: Sendable {
    let sender: String
    let recipients: [String]
    let message: [UInt8]
    let security: SMTPSettings.Security
    let user: String?
    let password: OutboundSecret?
}

/// How one transfer ended. It has what had come also where it failed.
struct TransferOutcome: Sendable {
    var failure: OutboundError?
    var status = 0
    var headers = OutboundHeaders()
    var body: [UInt8] = []
    /// What was said for a mail; nil where somebody other than the thread ended the transfer, and so does not know.
    var dialogue: SMTPDialogue?
    var sentBytes = 0
    var receivedBytes = 0

    static func failed(_ error: OutboundError) -> TransferOutcome { TransferOutcome(failure: error) }
}
