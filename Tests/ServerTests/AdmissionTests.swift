import HTTPTypes
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Store
import Testing
import server

/// Who comes when as many are answered as may is refused at the connection.
struct AdmissionTests {
    /// One connection, of those that share the places.
    private struct Connection {
        let channel = EmbeddedChannel()
        /// What came out behind the guard, in order.
        let news = Guarded<[String]>([])
        /// What had come when the guard said last that there is no more for now.
        let complete = Guarded<[String]>([])
        private let wanted = Guarded(0)

        init(_ admission: Admission) throws {
            let handler = AdmissionGuard(
                admission: admission, metrics: HTTPMetrics(factory: MetricsRegistry()),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let (news, complete, wanted) = (news, complete, wanted)
            try channel.pipeline.syncOperations.addHandlers([
                ReadWatch { wanted.withLock { $0 += 1 } }, handler,
                NewsWatch { piece in
                    if let piece {
                        news.withLock { $0.append(piece) }
                    } else {
                        complete.withLock { $0 = news.withLock { $0 } }
                    }
                },
            ])
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        func set(isWritable: Bool) {
            channel.isWritable = isWritable
            channel.pipeline.fireChannelWritabilityChanged()
        }

        /// How often more was wanted of the socket while `body` ran.
        func reads(_ body: () throws -> Void) rethrows -> Int {
            let before = wanted.withLock { $0 }
            try body()
            return wanted.withLock { $0 } - before
        }

        func head(_ path: String = "/api/careers", _ fields: HTTPFields = [:]) throws {
            let head = HTTPRequest(method: .post, scheme: "http", authority: "x", path: path, headerFields: fields)
            try channel.writeInbound(HTTPRequestPart.head(head))
        }

        func body() throws { try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "x"))) }
        func end() throws { try channel.writeInbound(HTTPRequestPart.end(nil)) }

        func ask(_ path: String = "/api/careers", _ fields: HTTPFields = [:]) throws {
            try head(path, fields)
            try end()
        }

        func answer() throws {
            try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
            try channel.writeOutbound(HTTPResponsePart.end(nil))
        }

        /// How many parts of requests were handed on since the last look.
        func handedOn() throws -> Int {
            var parts = 0
            while try channel.readInbound(as: HTTPRequestPart.self) != nil { parts += 1 }
            return parts
        }

        /// What the replies since the last look say of the connection.
        func replies() throws -> [String?] {
            var fields: [String?] = []
            while let part = try channel.readOutbound(as: HTTPResponsePart.self) {
                if case .head(let head) = part { fields.append(head.headerFields[.connection]) }
            }
            return fields
        }

        /// The statuses of the replies since the last look.
        func statuses() throws -> [Int] {
            var statuses: [Int] = []
            while let part = try channel.readOutbound(as: HTTPResponsePart.self) {
                if case .head(let head) = part { statuses.append(head.status.code) }
            }
            return statuses
        }
    }

    @Test func `refuses who comes while all places are taken, and keeps the connection`() throws {
        let admission = Admission(maximum: 1)
        let (first, second) = (try Connection(admission), try Connection(admission))
        try first.ask()
        #expect(admission.isFull)
        try second.head()
        try second.body()
        #expect(try second.statuses() == [])
        try second.end()
        #expect(try second.statuses() == [429])
        #expect(try second.handedOn() == 0)
        try first.answer()
        #expect(admission.count == 0)
        try second.ask()
        #expect(try second.handedOn() == 2)
        #expect(second.channel.isActive)
        #expect(admission.refused == 1)
    }

    @Test func `who sends slowly takes no place, and who reads slowly keeps none`() throws {
        let admission = Admission(maximum: 1)
        let (sender, reader) = (try Connection(admission), try Connection(admission))
        try sender.head()
        try sender.body()
        #expect(admission.count == 0)
        try reader.ask()
        #expect(admission.count == 1)
        try reader.channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        #expect(admission.count == 0)
        // What was let in when there was room is finished, even if there is none any more.
        try Connection(admission).ask()
        try sender.end()
        #expect(try sender.handedOn() == 3)
        #expect(admission.count == 2)
    }

    @Test func `a reply before the end of its request leaves nothing behind`() throws {
        let admission = Admission(maximum: 1)
        let connection = try Connection(admission)
        try connection.head()
        try connection.answer()
        try connection.body()
        try connection.end()
        #expect(admission.count == 0)
        try connection.ask()
        #expect(admission.count == 1)
        try connection.answer()
        #expect(admission.count == 0)
    }

    @Test func `a client that goes gives its place back, once`() throws {
        let admission = Admission(maximum: 2)
        let connection = try Connection(admission)
        try connection.ask()
        #expect(admission.count == 1)
        connection.channel.pipeline.fireChannelInactive()
        #expect(admission.count == 0)
        _ = try connection.channel.finish(acceptAlreadyClosed: true)
        #expect(admission.count == 0)
    }

    @Test func `a reply that begins before the end of its request leaves nothing behind`() throws {
        let admission = Admission(maximum: 1)
        let connection = try Connection(admission)
        try connection.head()
        try connection.channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        try connection.end()
        try connection.channel.writeOutbound(HTTPResponsePart.end(nil))
        #expect(admission.count == 0)
    }

    // MARK: More than one request of a connection

    @Test func `a request behind another one on its connection is answered in its turn`() throws {
        let admission = Admission(maximum: 1)
        let connection = try Connection(admission)
        try connection.ask()
        try connection.ask()
        #expect(try connection.handedOn() == 2)
        #expect(admission.count == 1)
        try connection.answer()
        #expect(try connection.handedOn() == 2)
        // Who reads them by the batch has got it.
        #expect(connection.complete.withLock { $0 } == ["head", "end", "head", "end"])
        #expect(admission.count == 1)
        try connection.answer()
        #expect(admission.count == 0)
        #expect(admission.refused == 0)
    }

    @Test func `who always has another request on the way is refused like others`() throws {
        let admission = Admission(maximum: 1)
        let (connection, other) = (try Connection(admission), try Connection(admission))
        // Both heads come while there is room.
        try other.head()
        try connection.ask()
        try connection.ask()
        try connection.ask("/livez")
        try other.end()
        try connection.answer()
        #expect(try connection.statuses() == [200, 429])
        // The probe behind it is not.
        #expect(try connection.handedOn() == 4)
        try connection.answer()
        try connection.ask()
        #expect(try connection.statuses() == [200, 429])
        try other.answer()
        try connection.ask()
        #expect(admission.count == 1)
        #expect(admission.refused == 2)
    }

    @Test func `who does not read is neither answered nor refused, and holds no place`() throws {
        let admission = Admission(maximum: 1)
        let connection = try Connection(admission)
        try connection.ask()
        for _ in 0..<3 { try connection.ask() }
        connection.set(isWritable: false)
        try connection.answer()
        #expect(try connection.handedOn() == 2)
        #expect(admission.count == 0)
        try Connection(admission).ask()
        try connection.ask()
        #expect(try connection.statuses() == [200])
        connection.set(isWritable: true)
        #expect(try connection.statuses() == [429, 429, 429, 429])
        #expect(try connection.handedOn() == 0)
    }

    @Test func `no more is read while a whole request waits`() throws {
        let connection = try Connection(Admission(maximum: 1))
        try connection.ask()
        try connection.head()
        #expect(connection.reads { connection.channel.read() } == 1)
        // A body that has begun must come in time.
        try connection.body()
        #expect(connection.reads { connection.channel.read() } == 1)
        try connection.end()
        #expect(connection.reads { connection.channel.read() } == 0)
        #expect(try connection.reads { try connection.answer() } == 1)
        #expect(try connection.handedOn() == 5)
    }

    @Test func `a packet of very many requests ends with the connection, and loses no reply`() throws {
        let admission = Admission(maximum: 1)
        let connection = try Connection(admission)
        for _ in 0..<1_000 { try connection.ask() }
        for _ in 0..<AdmissionGuard.longestQueue { try connection.answer() }
        #expect(try connection.replies() == Array(repeating: nil, count: AdmissionGuard.longestQueue))
        // Who answers may write now and flush later.
        connection.channel.write(HTTPResponsePart.head(HTTPResponse(status: .ok)), promise: nil)
        connection.channel.write(HTTPResponsePart.end(nil), promise: nil)
        connection.set(isWritable: true)
        #expect(connection.channel.isActive)
        connection.channel.flush()
        #expect(try connection.replies() == ["close"])
        #expect(!connection.channel.isActive)
        #expect(admission.count == 0)
        #expect(try connection.handedOn() == 2 * (1 + AdmissionGuard.longestQueue))
    }

    @Test func `what ends a connection comes after the requests before it`() throws {
        let connection = try Connection(Admission(maximum: 1))
        try connection.ask()
        try connection.ask()
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        connection.channel.pipeline.fireErrorCaught(RequestReadError.bodyTooLarge(limit: 1))
        #expect(connection.news.withLock { $0 } == ["head", "end"])
        try connection.answer()
        #expect(connection.news.withLock { $0 } == ["head", "end", "head", "end"])
        try connection.answer()
        #expect(connection.news.withLock { $0 } == ["head", "end", "head", "end", "closed", "error"])
        // Nothing waits: at once.
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(connection.news.withLock { $0.last } == "closed")
    }

    @Test(arguments: ["/livez", "/readyz/", "/healthz?x=1", "/metrics"])
    func `probes are answered always`(path: String) throws {
        let admission = Admission(maximum: 1)
        try Connection(admission).ask()
        let probe = try Connection(admission)
        try probe.ask(path)
        #expect(try probe.handedOn() == 2)
        #expect(try probe.statuses() == [])
    }

    @Test func `a client that asks to close is refused and closed`() throws {
        let admission = Admission(maximum: 1)
        try Connection(admission).ask()
        let other = try Connection(admission)
        try other.ask("/", [.connection: "close"])
        #expect(try other.statuses() == [429])
        #expect(!other.channel.isActive)
    }

    @Test func `a refused body that is cut off is answered, and read on until the client has the answer`() throws {
        let admission = Admission(maximum: 1)
        try Connection(admission).ask()
        let other = try Connection(admission)
        try other.head()
        other.channel.pipeline.fireErrorCaught(RequestReadError.bodyTooLarge(limit: 1))
        #expect(try other.statuses() == [429])
        // Closing is `ConnectionGuard`'s.
        #expect(other.channel.isActive)
        try other.body()
        #expect(try other.handedOn() == 0)
    }

    @Test func `a refused body that is not HTTP is answered, and the connection closed`() throws {
        let admission = Admission(maximum: 1)
        try Connection(admission).ask()
        let other = try Connection(admission)
        try other.head()
        other.channel.pipeline.fireErrorCaught(ChannelError.inputClosed)
        #expect(try other.statuses() == [429])
        #expect(!other.channel.isActive)
    }

    @Test func `a refused request is answered although its connection is closed for idleness`() throws {
        let admission = Admission(maximum: 1)
        try Connection(admission).ask()
        let other = try Connection(admission)
        try other.head()
        other.channel.close(promise: nil)
        #expect(try other.statuses() == [429])
        #expect(!other.channel.isActive)
    }

    @Test(
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_825_599, "Tue, 29 Feb 2000 11:59:59 GMT"),
        ])
    func `dates are written as HTTP does`(seconds: Int, text: String) { #expect(HTTPDate.text(seconds) == text) }
}

/// Before the guard: tells who wants more of the socket.
private final class ReadWatch: ChannelOutboundHandler {
    typealias OutboundIn = HTTPResponsePart
    private let tell: () -> Void

    init(_ tell: @escaping () -> Void) { self.tell = tell }

    func read(context: ChannelHandlerContext) {
        tell()
        context.read()
    }
}

/// Behind the guard: tells what came, nil for no more, and lets it pass.
private final class NewsWatch: ChannelInboundHandler {
    typealias InboundIn = HTTPRequestPart
    private let tell: (String?) -> Void

    init(_ tell: @escaping (String?) -> Void) { self.tell = tell }

    func channelReadComplete(context: ChannelHandlerContext) {
        tell(nil)
        context.fireChannelReadComplete()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: tell("head")
        case .body: tell("body")
        case .end: tell("end")
        }
        context.fireChannelRead(data)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { tell("closed") }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { tell("error") }
}
