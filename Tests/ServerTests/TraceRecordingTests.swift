import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Platform
import Store
import TestSupport
import Testing
import server

/// Which requests are recorded, and what of them.
struct TraceRecordingTests {
    private static let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    private static func recorder(
        every: Int = 1, trustsCaller: Bool = false, capacity: Int = 2_048,
        registry: MetricsRegistry = MetricsRegistry(),
        random: @escaping @Sendable () -> UInt64 = { .random(in: .min ... .max) }
    ) -> TraceRecorder {
        var settings = TracingSettings()
        settings.every = every
        settings.trustsCaller = trustsCaller
        return TraceRecorder(
            settings, metrics: TracingMetrics(registry), buffer: SpanBuffer(capacity: capacity), random: random)
    }

    // MARK: Which

    @Test func `one request in so many is recorded, and its id says so to every replica`() {
        let generator = Guarded(SeededGenerator())
        let recorder = Self.recorder(every: 10) { generator.withLock { $0.next() } }
        let traces = (0..<20_000).compactMap { _ in recorder.begin(nil) }
        #expect((1_700...2_300).contains(traces.count), "\(traces.count), \(generator.withLock { $0 })")
        #expect(traces.allSatisfy { TraceRecorder.isRecorded($0.id.low, every: 10) && $0.id.high != 0 })
        #expect(Set(traces.map(\.id)).count == traces.count)
        #expect(!TraceRecorder.isRecorded(11, every: 10) && TraceRecorder.isRecorded(11, every: 1))
    }

    @Test func `a trusted caller decides, and one that is not does not`() throws {
        let never: @Sendable () -> UInt64 = { 1 }
        let trusting = Self.recorder(every: 1_000, trustsCaller: true, random: never)
        let trace = try #require(trusting.begin(Self.header))
        #expect(trace.id == TraceParent(Self.header)?.trace)
        let root = try #require(trace.end(name: "a", hasFailed: false, []).first)
        #expect(root.parent == 0x00f0_67aa_0ba9_02b7 && root.trace == trace.id)
        #expect(trusting.begin(Self.header.dropLast() + "0") == nil)
        // What is no header leaves it to chance.
        #expect(trusting.begin(Self.header.uppercased()) == nil)
        #expect(Self.recorder(trustsCaller: true).begin("x") != nil)

        #expect(Self.recorder(every: 1_000, random: never).begin(Self.header) == nil)
        let own = try #require(Self.recorder().begin(Self.header))
        #expect(own.id != trace.id)
        #expect(own.end(name: "a", hasFailed: false, []).first?.parent == nil)
    }

    // MARK: One trace

    @Test func `work below a request keeps its times, whatever the wall clock does`() throws {
        let start = ContinuousClock.now
        let trace = RequestTrace(
            id: .init(high: 1, low: 2), parent: nil, start: start, date: Date(timeIntervalSince1970: 1_772_098_200))
        trace.add(
            "search", from: start + .milliseconds(2), to: start + .milliseconds(5), [("pathlight.rows", .integer(3))])
        trace.add("llm", kind: .client, from: start - .seconds(1), to: start + .milliseconds(1), hasFailed: true)
        let spans = trace.end(name: "GET /a", hasFailed: false, at: start + .milliseconds(7), [])
        try #require(spans.map(\.name) == ["GET /a", "search", "llm"])
        let zero: UInt64 = 1_772_098_200_000_000_000
        #expect(spans.map(\.start) == [zero, zero + 2_000_000, zero])
        #expect(spans.map(\.end) == [zero + 7_000_000, zero + 5_000_000, zero + 1_000_000])
        #expect(spans.map(\.kind) == [.server, .inside, .client] && spans.map(\.hasFailed) == [false, false, true])
        #expect(spans.map(\.parent) == [nil, trace.span, trace.span] && Set(spans.map(\.id)).count == 3)
    }

    @Test func `what ends after its request is left out, and so is what is one too many`() {
        let trace = RequestTrace(id: .init(high: 1, low: 2), parent: nil)
        for _ in 0..<100 { trace.add("sql", from: .now) }
        let spans = trace.end(name: "GET /a", hasFailed: false, [("http.route", .text("/a"))])
        #expect(spans.count == RequestTrace.maximumSpans)
        #expect(spans.first?.attributes.last?.value == .integer(100 - RequestTrace.maximumSpans + 1))
        trace.add("sql", from: .now)
        #expect(trace.end(name: "GET /a", hasFailed: false, []).isEmpty)
    }

    @Test func `a buffer without room loses spans and counts them`() {
        let registry = MetricsRegistry()
        let recorder = Self.recorder(capacity: 3, registry: registry)
        let spans = RequestTrace(id: .init(high: 1, low: 2), parent: nil).end(name: "a", hasFailed: false, [])
        for _ in 0..<5 { recorder.keep(spans) }
        #expect(recorder.buffer.count == 3)
        let text = registry.render()
        #expect(text.contains(#"pathlight_spans_dropped_total{reason="full"} 2"#), "\(text)")
        #expect(text.contains("pathlight_spans_sent_total 0"), "\(text)")
    }

    // MARK: Requests

    /// Runs requests against a service with a few routes and gives what was recorded.
    private func recorded(
        by recorder: TraceRecorder?, log: HTTPTestLog = HTTPTestLog(),
        _ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws -> [TraceSpan] {
        let service = HTTPService(
            settings: ServiceSettings(), registry: MetricsRegistry(), traces: recorder,
            logger: Logger(label: "test") { label in JSONLogHandler(label: label, level: .info) { log.add($0) } })
        service.router.get("/careers/{id}") { _, _ in
            RequestTrace.current?.add("search", from: .now)
            return Response(status: RequestTrace.current == nil ? .noContent : .ok)
        }
        service.router.get("/broken") { _, _ -> Response in throw CocoaError(.fileNoSuchFile) }
        try await service.application().test(.router) { try await body($0) }
        return recorder?.buffer.take(.max) ?? []
    }

    @Test func `a request is told by its route, method, status and id, and never by its path`() async throws {
        let log = HTTPTestLog()
        let spans = try await recorded(by: Self.recorder(), log: log) { client in
            let reply = try await client.send(.get, "/careers/ada-lovelace?for=ada")
            #expect(reply.status == .ok)
            _ = try await client.send(.get, "/broken")
            _ = try await client.send(.post, "/no/such/ada", "{}")
        }
        try #require(spans.map(\.name) == ["GET /careers/{id}", "search", "GET /broken", "POST unmatched"])
        #expect(spans.map(\.hasFailed) == [false, false, true, false])
        let roots = spans.filter { $0.kind == .server }
        #expect(
            roots.map { $0.attributes.map(\.name).prefix(3) }.allSatisfy {
                $0.elementsEqual(["http.request.method", "http.route", "http.response.status_code"])
            })
        #expect(roots.map { $0.attributes[2].value } == [.integer(200), .integer(500), .integer(404)])
        #expect(spans[1].parent == spans[0].id && spans[1].trace == spans[0].trace)
        #expect(Set(roots.map(\.trace)).count == 3 && roots.allSatisfy { $0.parent == nil })
        // The access log leads from a request to its trace.
        let lines = log.all.filter { $0.contains(#""message":"request""#) }
        #expect(zip(lines, roots).allSatisfy { $0.contains($1.trace.text) } && lines.count == 3, "\(lines)")
        #expect(!"\(spans)".contains("ada"))
    }

    @Test(arguments: [
        ("6f1c2a3b-0000-4000-8000-0123456789ab", true), ("6F1C2A3B0000400080000123456789AB", true),
        ("ada@example.org", false), ("0049-151-23456789", false), ("6f1c2a3b00004000800001234567ada!", false),
        ("------6f1c2a3b00004000-8000-0123456789ab", false), ("", false),
    ])
    func `a request's id is told where it can be nothing else`(id: String, isShown: Bool) async throws {
        #expect(TracingMiddleware.shown(id) == (isShown ? id : nil))
    }

    @Test func `nothing is recorded where traces are off or a request is not chosen`() async throws {
        for recorder in [nil, Self.recorder(every: 1_000) { 1 }] {
            let spans = try await recorded(by: recorder) { client in
                // Its handler sees no trace.
                let reply = try await client.send(.get, "/careers/a", nil, [.traceParent: Self.header])
                #expect(reply.status == .noContent)
            }
            #expect(spans.isEmpty)
        }
    }

    @Test func `a recommendation is recorded with its search and what the database did`() async throws {
        let test = try await AccessTestService(isExposed: false) { settings in
            settings.tracing.url = "http://127.0.0.1:9"
            settings.tracing.every = 1
        }
        let recorder = try #require(test.service.spans?.recorder)
        try await test.run { client, _ in
            let reply = try await client.send(
                .post, "/api/results/recommend/", #"{"abilities": [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 9]}"#)
            #expect(reply.status == .ok)
        }
        let spans = recorder.buffer.take(.max)
        let root = try #require(spans.first)
        #expect(root.name == "POST /api/results/recommend")
        let below = spans.dropFirst()
        #expect(below.allSatisfy { $0.parent == root.id && $0.start >= root.start && $0.end <= root.end })
        let search = try #require(below.first { $0.name == "search" })
        #expect(search.attributes.contains { $0.name == "pathlight.exact" && $0.value == .bool(true) })
        // Without a text nothing is embedded.
        #expect(!below.contains { $0.name == "embed" })
        let writes = below.filter { $0.name == "sql" && $0.attributes.first?.value == .text("write") }
        #expect(writes.count == 1 && writes.allSatisfy { $0.attributes.map(\.name).contains("pathlight.waited_us") })
    }
}
