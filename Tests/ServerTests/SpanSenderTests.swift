import Foundation
import Logging
import Platform
import ServiceLifecycle
import Store
import TestSupport
import Testing
import server

/// A collector that answers by a script, whose last step repeats.
final class ScriptedCollector: OutboundTransport {
    enum Step: Sendable {
        case status(Int, body: String = "{}")
        case fails(OutboundError.Code)
        /// Until it is cancelled.
        case hangs
    }

    private struct State {
        var steps: [Step]
        var requests: [OutboundRequest] = []
    }

    private let state: Guarded<State>

    init(_ steps: Step...) { state = Guarded(State(steps: steps)) }

    var requests: [OutboundRequest] { state.withLock { $0.requests } }

    func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        let step = state.withLock { state in
            state.requests.append(request)
            return state.steps.count > 1 ? state.steps.removeFirst() : state.steps[0]
        }
        switch step {
        case .status(let status, let body):
            return OutboundResponse(status: status, body: Array(body.utf8), url: request.url)
        case .fails(let code): throw OutboundError(code, "it fails")
        case .hangs:
            try? await Task.sleep(for: .seconds(60))
            throw OutboundError(.cancelled, "it was cancelled")
        }
    }
}

struct SpanSenderTests {
    /// A sender with its collector, and what it leaves behind.
    private struct Sending {
        let collector: ScriptedCollector
        let sender: SpanSender
        let registry = MetricsRegistry()
        let log = HTTPTestLog()
        let pauses = Guarded<[Duration]>([])

        init(_ collector: ScriptedCollector, shutdown: Duration = .seconds(10)) throws {
            self.collector = collector
            let (log, pauses) = (log, pauses)
            var settings = TracingSettings()
            settings.url = "http://127.0.0.1:4318"
            sender = SpanSender(
                TraceRecorder(settings, metrics: TracingMetrics(registry)),
                to: try TraceCollector(settings, transport: collector), version: "1.2.3", shutdown: shutdown,
                logger: Logger(label: "test") { label in JSONLogHandler(label: label, level: .info) { log.add($0) } },
                sleep: { pause in pauses.withLock { $0.append(pause) } })
        }

        func record(_ count: Int) {
            for number in 0..<count {
                sender.recorder.keep([
                    TraceSpan(
                        trace: TraceParent.TraceID(high: 1, low: 1), id: UInt64(number + 1), parent: nil,
                        name: "GET /a",
                        kind: .server, start: 1, end: 2)
                ])
            }
        }

        /// Runs it as a service that is told to end when it has something to send.
        func end(afterRecording count: Int) async throws {
            let group = ServiceGroup(
                configuration: .init(services: [.init(service: sender)], logger: Logger(label: "test")))
            async let ended: Void = group.run()
            record(count)
            await group.triggerGracefulShutdown()
            try await ended
        }

        /// Sent, and lost because they were not taken.
        var counts: [Int] {
            let lines = registry.render().split(separator: "\n")
            return ["pathlight_spans_sent_total ", #"pathlight_spans_dropped_total{reason="unsent"} "#].map { name in
                lines.first { $0.hasPrefix(name) }.flatMap { Int($0.dropFirst(name.count)) } ?? -1
            }
        }
    }

    @Test func `everything that waits is sent, a batch at a time, to that address alone`() async throws {
        let sending = try Sending(ScriptedCollector(.status(200)))
        sending.record(1_100)
        await sending.sender.sendAll()
        let requests = sending.collector.requests
        #expect(
            requests.map { String(decoding: $0.body ?? [], as: UTF8.self).matches(of: /"spanId"/).count } == [
                512, 512, 76,
            ])
        let request = try #require(requests.first)
        #expect(request.method == "POST" && request.url == "http://127.0.0.1:4318/v1/traces")
        #expect(request.timeout == .seconds(5) && request.maximumRedirects == 0 && request.allowsPrivateAddresses)
        #expect(request.headers.contains { $0 == ("Content-Type", "application/json") })
        #expect(sending.counts == [1_100, 0] && sending.log.all.isEmpty)
    }

    @Test(arguments: [429, 502, 503, 504])
    func `a collector that is busy is tried once more, a moment later`(status: Int) async throws {
        let sending = try Sending(ScriptedCollector(.status(status), .status(200)))
        sending.record(7)
        await sending.sender.sendAll()
        #expect(sending.counts == [7, 0] && sending.collector.requests.count == 2)
        #expect(sending.collector.requests[0].body == sending.collector.requests[1].body)
        #expect(sending.pauses.withLock { $0 } == [SpanSender.pause] && sending.log.all.isEmpty)
    }

    @Test(arguments: [400, 401, 404, 413, 500, 302])
    func `a batch that will never be taken is not sent again`(status: Int) async throws {
        let sending = try Sending(ScriptedCollector(.status(status)))
        sending.record(600)
        await sending.sender.sendAll()
        #expect(sending.counts == [0, 600] && sending.collector.requests.count == 2)
        #expect(sending.log.all.count == 1 && sending.log.all[0].contains("the status \(status)"))
    }

    @Test(arguments: OutboundError.Code.allCases)
    func `whatever goes wrong, a batch is tried twice at most and then forgotten`(code: OutboundError.Code) async throws
    {
        let sending = try Sending(ScriptedCollector(.fails(code)))
        sending.record(3)
        await sending.sender.sendAll()
        let isTransient = OutboundError(code, "").isTransient
        #expect(sending.counts == [0, 3] && sending.collector.requests.count == (isTransient ? 2 : 1))
        #expect(sending.sender.recorder.buffer.count == 0)
    }

    @Test func `a failure is told once until it is mended, and then again`() async throws {
        let sending = try Sending(
            ScriptedCollector(
                .fails(.tls), .fails(.tls), .status(400), .fails(.tls), .status(200), .status(200), .fails(.tls)))
        for _ in 0..<7 {
            sending.record(2)
            await sending.sender.sendAll()
        }
        let log = sending.log.all
        try #require(log.count == 4, "\(log)")
        #expect(log[0].contains("does not take spans") && log[0].contains("it fails"))
        #expect(log[1].contains("does not take spans") && log[1].contains("the status 400"))
        #expect(log[2].contains("takes spans again") && log[2].contains(#""lost":"8""#))
        #expect(log[3].contains("does not take spans"))
        #expect(sending.counts == [4, 10])
    }

    @Test func `spans that a collector refuses of a batch are counted as lost`() async throws {
        let sending = try Sending(
            ScriptedCollector(
                .status(200, body: #"{"partialSuccess": {"rejectedSpans": "3", "errorMessage": "too old"}}"#),
                .status(200, body: #"{"partialSuccess": {"rejectedSpans": 99}}"#), .status(200, body: "")))
        for _ in 0..<3 {
            sending.record(10)
            await sending.sender.sendAll()
        }
        #expect(sending.counts == [17, 13])
        #expect(sending.log.all.count == 2 && sending.log.all[0].contains("too old"), "\(sending.log.all)")
    }

    @Test(arguments: [
        "", "{}", "[]", "null", "<html>", #"{"partialSuccess": null}"#, #"{"partialSuccess": {"rejectedSpans": "-1"}}"#,
        #"{"partialSuccess": {"rejectedSpans": "many"}}"#, #"{"partialSuccess": {"errorMessage": "only a warning"}}"#,
    ])
    func `a reply that names no refused spans refuses none`(reply: String) {
        #expect(OTLPTraces.rejection(in: Array(reply.utf8)).count == 0)
    }

    @Test func `at the end each batch is sent once, and the first that is not taken ends it`() async throws {
        let sending = try Sending(ScriptedCollector(.status(200), .status(503), .status(200)))
        sending.record(1_500)
        await sending.sender.flush()
        #expect(sending.collector.requests.count == 2 && sending.counts == [512, 988])
        #expect(sending.pauses.withLock { $0.isEmpty } && sending.sender.recorder.buffer.count == 0)
    }

    @Test func `a service that ends sends what is left`() async throws {
        let sending = try Sending(ScriptedCollector(.status(200)))
        try await sending.end(afterRecording: 5)
        #expect(sending.counts == [5, 0])
    }

    @Test func `a collector that does not answer does not keep the service from ending`() async throws {
        let sending = try Sending(ScriptedCollector(.hangs), shutdown: .milliseconds(100))
        try await sending.end(afterRecording: 600)
        #expect(sending.counts == [0, 600] && sending.collector.requests.count >= 1)
    }

    @Test func `doctor says whether the collector takes a batch`() async throws {
        var settings = TracingSettings()
        settings.url = "http://127.0.0.1:4318/own/path"
        let good = ScriptedCollector(.status(200))
        let found = try await CollectorCheck.finding(settings, transport: good)
        #expect(found.state == .good && found.detail.contains("one request in 100"))
        #expect(good.requests.map(\.url) == ["http://127.0.0.1:4318/own/path"])
        #expect(!String(decoding: good.requests[0].body ?? [], as: UTF8.self).contains("spanId"))
        let bad = try await CollectorCheck.finding(settings, transport: ScriptedCollector(.fails(.notConnected)))
        #expect(bad.state == .warning && bad.subject == "traces" && bad.detail.contains("it fails"))
    }
}
