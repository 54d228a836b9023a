/// What a connection may still do, as a value: events go in, actions come out, and the channel handler that
/// owns it carries them out.
struct ConnectionGuardState {
    enum Action: Equatable {
        case none
        /// The rest of the body must come before the body time-out.
        case awaitBody
        /// The request is complete; no timer is needed.
        case stopTimer
        /// Hand the error to whoever reads the body, then close after a moment.
        case refuse(RequestReadError)
        /// Nobody asked anything: there is nothing to answer.
        case close
    }

    private enum Phase: Equatable {
        case awaitingFirstHead
        case betweenRequests
        case readingBody(received: Int)
        case refusing
    }

    let maxBodyBytes: Int
    let bodySeconds: Double
    private var phase = Phase.awaitingFirstHead

    init(maxBodyBytes: Int, bodySeconds: Double) {
        self.maxBodyBytes = maxBodyBytes
        self.bodySeconds = bodySeconds
    }

    /// Whether what arrives is thrown away.
    var isRefusing: Bool { phase == .refusing }

    /// A request's head has come.
    ///
    /// - Parameters:
    ///   - declaredBytes: its Content-Length, if it has one.
    ///   - hasBody: whether a body follows.
    mutating func head(declaredBytes: Int?, hasBody: Bool) -> Action {
        if isRefusing { return .none }
        if let declaredBytes, declaredBytes > maxBodyBytes { return refuse(.bodyTooLarge(limit: maxBodyBytes)) }
        phase = .readingBody(received: 0)
        return hasBody ? .awaitBody : .stopTimer
    }

    mutating func body(bytes: Int) -> Action {
        guard case .readingBody(let received) = phase else { return .none }
        guard received + bytes <= maxBodyBytes else { return refuse(.bodyTooLarge(limit: maxBodyBytes)) }
        phase = .readingBody(received: received + bytes)
        return .none
    }

    mutating func end() -> Action {
        guard case .readingBody = phase else { return .none }
        phase = .betweenRequests
        return .stopTimer
    }

    mutating func timerFired() -> Action {
        switch phase {
        case .awaitingFirstHead, .refusing: .close
        case .readingBody: refuse(.bodyTimeout(seconds: bodySeconds))
        case .betweenRequests: .none
        }
    }

    private mutating func refuse(_ error: RequestReadError) -> Action {
        phase = .refusing
        return .refuse(error)
    }
}
