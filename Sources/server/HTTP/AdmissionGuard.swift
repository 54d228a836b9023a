import HTTPTypes
import Hummingbird
package import Logging
package import NIOCore
package import NIOHTTPTypes

/// Refuses requests at the connection while as many are being answered as may: before a task, a route or a lock has to do
/// with them, since under load all of these are what everybody waits for.
///
/// It lies behind `ConnectionGuard`, whose limits hold for refused bodies too, and hands on one request of a connection at
/// a time. What a client sends behind it is kept back until that has its reply and the client has read enough of it, and
/// is looked at then: who sends many at once, or never reads, holds no place meanwhile and passes nobody.
package final class AdmissionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPRequestPart
    package typealias InboundOut = HTTPRequestPart
    package typealias OutboundIn = HTTPResponsePart
    package typealias OutboundOut = HTTPResponsePart

    /// What waits for its turn, in the order in which it came.
    private enum Held {
        case part(HTTPRequestPart)
        case error(any Error)
        case inputClosed
    }

    /// So many requests may wait behind one. One packet has room for thousands, and each takes memory.
    package static let longestQueue = 128

    /// Probes and figures: who asks them must learn how the service is above all when it is busy.
    private static let exempt: Set<String> = ["/livez", "/readyz", "/healthz", "/metrics"]

    private let admission: Admission
    private let metrics: HTTPMetrics
    private let logger: Logger
    /// Of the request whose turn it is; before the first, as after one that is done.
    private var isWhole = true
    private var isAnswered = true
    private var isInside = false
    /// Its head, where it is refused once it has come whole.
    private var refused: (head: HTTPRequest, since: ContinuousClock.Instant)?
    private var held = CircularBuffer<Held>()
    /// How many of the requests that wait have come whole.
    private var heldWhole = 0
    /// Whether somebody wanted to read on meanwhile.
    private var isReadWanted = false
    /// Whether what still comes is dropped.
    private var isDeaf = false
    /// Whether the connection is closed after what waits.
    private var endsWithQueue = false
    /// Whether the last reply is on its way, with which it is.
    private var isEnding = false

    package init(admission: Admission, metrics: HTTPMetrics, logger: Logger) {
        self.admission = admission
        self.metrics = metrics
        self.logger = logger
    }

    package func handlerRemoved(context: ChannelHandlerContext) { leave() }

    package func channelInactive(context: ChannelHandlerContext) {
        leave()
        held.removeAll()
        heldWhole = 0
        isDeaf = true
        context.fireChannelInactive()
    }

    // MARK: One at a time

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        take(.part(unwrapInboundIn(data)), context)
    }

    /// `ConnectionGuard` cuts a body off, or it is not HTTP.
    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if refused == nil, held.isEmpty { context.fireErrorCaught(error) } else { take(.error(error), context) }
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The client's last word must not come before what it asked.
        if event as? ChannelEvent == .inputClosed, !held.isEmpty {
            take(.inputClosed, context)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// No more is read while a request waits. It must come whole first: its time runs.
    package func read(context: ChannelHandlerContext) {
        if heldWhole > 0 { isReadWanted = true } else { context.read() }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        context.fireChannelWritabilityChanged()
        goOn(context)
    }

    private func take(_ next: Held, _ context: ChannelHandlerContext) {
        if isDeaf { return }
        if held.isEmpty, mayGoOn(context) { return handle(next, context) }
        held.append(next)
        if case .part(.end) = next {
            heldWhole += 1
            isDeaf = heldWhole == Self.longestQueue
            endsWithQueue = isDeaf
        }
    }

    /// Whether what comes next is part of the request whose turn it is, or the next one's turn has come.
    private func mayGoOn(_ context: ChannelHandlerContext) -> Bool {
        !isWhole || isAnswered && context.channel.isWritable
    }

    private func goOn(_ context: ChannelHandlerContext) {
        if isEnding { return }
        var hasHandedOn = false
        while !held.isEmpty, mayGoOn(context) {
            let next = held.removeFirst()
            if case .part(.end) = next { heldWhole -= 1 }
            handle(next, context)
            hasHandedOn = true
        }
        // Who reads takes what came when there is no more for now.
        if hasHandedOn { context.fireChannelReadComplete() }
        if endsWithQueue, held.isEmpty, isWhole, isAnswered {
            context.close(promise: nil)
        } else if isReadWanted, heldWhole == 0 {
            isReadWanted = false
            context.read()
        }
    }

    private func handle(_ next: Held, _ context: ChannelHandlerContext) {
        switch next {
        case .part(let part): handle(part, context)
        case .inputClosed: context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        case .error(let error):
            guard refused != nil else { return context.fireErrorCaught(error) }
            // `ConnectionGuard` closes when the client has had time to read the answer.
            if error is RequestReadError { refuse(context, saysClose: true) } else { close(context: context) }
        }
    }

    private func handle(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head):
            (isWhole, isAnswered) = (false, false)
            if admission.isFull, !Self.isExempt(head.path) { refused = (head, .now) }
        case .body: break
        case .end:
            isWhole = true
            if let head = refused?.head {
                let isClosing = head.headerFields[.connection]?.lowercased() == "close"
                refuse(context, saysClose: isClosing || isLast)
                if isClosing { context.close(promise: nil) }
                return
            }
            // Where it has its reply already, nothing is left to be done for it.
            if !isAnswered { enter() }
        }
        if refused == nil { context.fireChannelRead(wrapInboundOut(part)) }
    }

    /// Who refuses to serve a connection any longer, for having been idle for long, has not seen the request that is
    /// refused here: its client gets an answer.
    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        refuse(context, saysClose: true)
        context.close(mode: mode, promise: promise)
    }

    private func close(context: ChannelHandlerContext) { close(context: context, mode: .all, promise: nil) }

    // MARK: Refusing

    private func refuse(_ context: ChannelHandlerContext, saysClose: Bool) {
        guard let (head, since) = refused else { return }
        refused = nil
        (isWhole, isAnswered) = (true, true)
        if saysClose {
            isDeaf = true
            held.removeAll()
        }
        answer(head, since: since, context, saysClose: saysClose)
    }

    private static func isExempt(_ target: String?) -> Bool {
        guard var path = target?.prefix(while: { $0 != "?" }) else { return false }
        if path.count > 1, path.last == "/" { path.removeLast() }
        return exempt.contains(String(path))
    }

    private func answer(
        _ head: HTTPRequest, since: ContinuousClock.Instant, _ context: ChannelHandlerContext, saysClose: Bool
    ) {
        if let count = admission.refuse() {
            logger.notice(
                "requests turned away",
                metadata: ["since_last": .stringConvertible(count), "bound": .stringConvertible(admission.maximum)])
        }
        metrics.record(
            method: head.method, route: "turned away", status: HTTPResponse.Status.tooManyRequests.code,
            duration: since.duration(to: .now))
        var response = Self.response(to: head)
        if saysClose { response.head.headerFields[.connection] = "close" }
        context.write(wrapOutboundOut(.head(response.head)), promise: nil)
        if head.method != .head { context.write(wrapOutboundOut(.body(response.body)), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    private static func response(to head: HTTPRequest) -> (head: HTTPResponse, body: ByteBuffer) {
        let id = RequestIdentifier.accepted(head.headerFields[.requestID]) ?? RequestIdentifier.make()
        let path = (head.path ?? "").prefix { $0 != "?" }
        let document = ProblemDocument(
            code: .tooManyRequests, detail: "As many requests are under way as may; try again in a moment.",
            instance: String(path.prefix(256)), requestID: id)
        var json = JSONWriter(capacity: 512)
        document.write(to: &json)
        let body = json.finish()
        var fields = HTTPFields()
        fields[.contentType] = ProblemDocument.contentType
        fields[.contentLength] = String(body.readableBytes)
        fields[.retryAfter] = "1"
        fields[.cacheControl] = "no-store"
        fields[.requestID] = id
        fields[.date] = HTTPDate.now()
        SecurityHeadersMiddleware.add(to: &fields)
        return (HTTPResponse(status: .tooManyRequests, headerFields: fields), body)
    }

    // MARK: Writing

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where head.status.kind != .informational:
            leave()
            if isLast { head.headerFields[.connection] = "close" }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .head, .body: context.write(data, promise: promise)
        case .end:
            // Its request's end may have come after the head of its reply.
            leave()
            isAnswered = true
            isEnding = isLast
            let promise = isEnding ? promise ?? context.eventLoop.makePromise() : promise
            if isEnding {
                // What is not flushed yet would be lost.
                promise?.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
            }
            context.write(data, promise: promise)
            if isWhole { goOn(context) }
        }
    }

    /// Whether the request whose turn it is is the last one of its connection.
    private var isLast: Bool { endsWithQueue && held.isEmpty && isWhole }

    package func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        guard event is PlaceReturn else { return context.triggerUserOutboundEvent(event, promise: promise) }
        leave()
        promise?.succeed()
    }

    // MARK: The place

    private func enter() {
        guard !isInside else { return }
        isInside = true
        admission.enter()
    }

    private func leave() {
        guard isInside else { return }
        isInside = false
        admission.leave()
    }
}

@available(*, unavailable)
extension AdmissionGuard: Sendable {}

/// Gives a request's place back before its reply begins; taken by `AdmissionGuard`.
struct PlaceReturn {}

extension RequestScope {
    /// Gives this request's place among those that are answered to another, for good.
    ///
    /// For what waits for somebody else, a model outside or its turn in a queue that has a bound of its own: others need
    /// not be turned away for it.
    func giveUpPlace() {
        channel.triggerUserOutboundEvent(PlaceReturn(), promise: nil)
    }
}
