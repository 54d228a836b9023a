import HTTPTypes
package import NIOCore
package import NIOHTTPTypes

/// Cuts off clients that are slow on purpose or by accident, and bodies without end.
///
/// Hummingbird's own idle time-out starts anew with every part that arrives, so that one byte a minute holds a
/// connection for ever, and the rest of an unread body is read to its end whatever its size. This handler gives
/// the first head, each body and a stalled reader one total time each, and each body a size. A refusal goes to
/// the handler of the request as an error of its body, so that the client gets a problem document; what still
/// arrives is thrown away until that is written and for a moment after, because closing on unread bytes would make the
/// client's system drop the reply.
///
/// A connection between two requests is the idle time-out's business.
package final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPRequestPart
    package typealias InboundOut = HTTPRequestPart
    package typealias OutboundIn = HTTPResponsePart
    package typealias OutboundOut = HTTPResponsePart

    package struct Limits: Sendable {
        /// From the opening of the connection to the end of its first head.
        package var header = TimeAmount.seconds(10)
        /// From the end of a head to the end of its body.
        package var body = TimeAmount.seconds(20)
        /// How long a client may leave a reply unread.
        package var write = TimeAmount.seconds(30)
        /// How long the reply to a refused request may take.
        package var reply = TimeAmount.seconds(60)
        /// From the reply to a refused request to the closing of the connection.
        package var grace = TimeAmount.seconds(2)
        package var bodyBytes = 1 << 20

        package init() {}
    }

    private let limits: Limits
    private var state: ConnectionGuardState
    private var readTimer: Scheduled<Void>?
    private var writeTimer: Scheduled<Void>?
    private var repliesOwed = 0
    /// Who wants to know that the client has gone before the reply is written.
    private var watches: [ClientWatch] = []
    private var hasClientGone = false

    package init(limits: Limits) {
        self.limits = limits
        state = ConnectionGuardState(
            maxBodyBytes: limits.bodyBytes, bodySeconds: Double(limits.body.nanoseconds) / 1e9)
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        startReadTimer(context, limits.header)
    }

    package func handlerRemoved(context: ChannelHandlerContext) { stopTimers() }

    package func channelInactive(context: ChannelHandlerContext) {
        stopTimers()
        clientHasGone()
        context.fireChannelInactive()
    }

    // MARK: Watching the client

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { clientHasGone() }
        context.fireUserInboundEventTriggered(event)
    }

    package func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        guard let watch = event as? ClientWatch else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        if hasClientGone { watch.whenGone() } else { watches.append(watch) }
        promise?.succeed()
    }

    private func clientHasGone() {
        hasClientGone = true
        let told = watches
        watches = []
        for watch in told { watch.whenGone() }
    }

    // MARK: Reading

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if state.isRefusing { return }
        let part = unwrapInboundIn(data)
        let action: ConnectionGuardState.Action
        switch part {
        case .head(let head):
            repliesOwed += 1
            action = headAction(head, context)
        case .body(let bytes): action = state.body(bytes: bytes.readableBytes)
        case .end: action = state.end()
        }
        if case (.body, .refuse) = (part, action) {
            // What breaks the limit goes no further. A refused head does: the error needs a request to answer.
        } else {
            context.fireChannelRead(data)
        }
        perform(action, context)
    }

    private func headAction(_ head: HTTPRequest, _ context: ChannelHandlerContext) -> ConnectionGuardState.Action {
        let declared = head.headerFields[.contentLength].flatMap { Int($0) }
        let hasBody = (declared ?? 0) > 0 || head.headerFields[.transferEncoding] != nil
        let action = state.head(declaredBytes: declared, hasBody: hasBody)
        // RFC 9110 §10.1.1. Without the interim reply many clients wait a second before they send the body.
        // It must not overtake a reply that is still owed to an earlier request of the connection.
        if action == .awaitBody, repliesOwed == 1, head.headerFields[.expect]?.lowercased() == "100-continue" {
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
        return action
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // The reader behind this handler has gone and asks for no more; keep draining until the grace ends.
        if state.isRefusing { context.read() }
    }

    private func perform(_ action: ConnectionGuardState.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .none: break
        case .awaitBody: startReadTimer(context, limits.body)
        case .stopTimer: stopReadTimer()
        case .close: context.close(promise: nil)
        case .refuse(let error):
            // The moment begins with the reply, which a busy machine may write late.
            startReadTimer(context, repliesOwed > 0 ? limits.reply : limits.grace)
            context.fireErrorCaught(error)
            context.read()
        }
    }

    // MARK: Writing

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            repliesOwed -= 1
            watches.removeAll()
            if state.isRefusing, repliesOwed == 0 { startReadTimer(context, limits.grace) }
        }
        context.write(data, promise: promise)
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        writeTimer?.cancel()
        writeTimer = nil
        if !context.channel.isWritable {
            writeTimer = context.eventLoop.assumeIsolated().scheduleTask(in: limits.write) {
                context.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: Timers

    private func startReadTimer(_ context: ChannelHandlerContext, _ time: TimeAmount) {
        stopReadTimer()
        readTimer = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            self.readTimer = nil
            self.perform(self.state.timerFired(), context)
        }
    }

    private func stopReadTimer() {
        readTimer?.cancel()
        readTimer = nil
    }

    private func stopTimers() {
        stopReadTimer()
        writeTimer?.cancel()
        writeTimer = nil
    }
}

@available(*, unavailable)
extension ConnectionGuard: Sendable {}
