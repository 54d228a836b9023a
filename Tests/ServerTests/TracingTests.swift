import Foundation
import TestSupport
import Testing
import server

/// The parts of tracing that send nothing.
struct TracingTests {
    private static let example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test func `the recommendation's own example is read and written again`() throws {
        let parent = try #require(TraceParent(Self.example))
        #expect(parent.trace == TraceParent.TraceID(high: 0x4bf9_2f35_77b3_4da6, low: 0xa3ce_929d_0e0e_4736))
        #expect(parent.span == 0x00f0_67aa_0ba9_02b7 && parent.isSampled && parent.text == Self.example)
        let unsampled = try #require(TraceParent(Self.example.dropLast() + "0"))
        #expect(!unsampled.isSampled)
    }

    @Test(arguments: [
        "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 ",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
        "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
        "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
    ])
    func `what is not of the form begins a trace of its own`(header: String) {
        #expect(TraceParent(header) == nil)
    }

    @Test func `a later version is read as far as this one goes`() {
        let later = "01" + Self.example.dropFirst(2)
        #expect(TraceParent(later)?.text == Self.example)
        #expect(TraceParent(later + "-what-comes-then")?.text == Self.example)
    }

    @Test func `every parent survives being written and read`() {
        var generator = SeededGenerator()
        for _ in 0..<2_000 {
            let trace = TraceParent.TraceID(
                high: generator.next() >> UInt64.random(in: 0..<60, using: &generator), low: generator.next() | 1)
            let parent = TraceParent(
                trace: trace, span: max(1, generator.next() >> UInt64.random(in: 0..<64, using: &generator)),
                isSampled: Bool.random(using: &generator))
            #expect(TraceParent(parent.text) == parent, "\(generator)")
        }
    }

    @Test func `no bytes end the program, and what is read is what stands there`() {
        var generator = SeededGenerator()
        let alphabet = Array("0123456789abcdefABCDEFg- \u{0}é".unicodeScalars)
        for _ in 0..<20_000 {
            var scalars = Array(Self.example.unicodeScalars)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<scalars.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: scalars[place] = alphabet.randomElement(using: &generator) ?? "0"
                case 1: scalars.remove(at: place)
                default: scalars.insert(alphabet.randomElement(using: &generator) ?? "0", at: place)
                }
            }
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars)
            guard let parent = TraceParent(text) else { continue }
            // The same ids and flag, whatever the version and the flags that this version does not know.
            #expect(
                text.utf8.dropFirst(2).prefix(51).elementsEqual(parent.text.utf8.dropFirst(2).prefix(51)), "\(text)")
        }
    }

    @Test func `a full buffer takes no more, says how many found no room, and gives the oldest first`() {
        let buffer = SpanBuffer(capacity: 3)
        #expect(buffer.add([Self.span(1), Self.span(2)]) == 0)
        #expect(buffer.add([Self.span(3), Self.span(4), Self.span(5)]) == 2)
        #expect(buffer.count == 3 && buffer.take(2).map(\.id) == [1, 2])
        #expect(buffer.add([Self.span(6)]) == 0)
        #expect(buffer.take(10).map(\.id) == [3, 6])
        #expect(buffer.take(10).isEmpty && buffer.add([]) == 0)
    }

    @Test func `a batch is written as OTLP's JSON mapping wants it`() throws {
        let trace = TraceParent.TraceID(high: 0x4bf9_2f35_77b3_4da6, low: 0xa3ce_929d_0e0e_4736)
        let spans = [
            TraceSpan(
                trace: trace, id: 0x1a, parent: nil, name: "POST /api/results/recommend", kind: .server,
                start: 1_772_098_200_125_000_000, end: 1_772_098_200_130_500_000, hasFailed: true,
                attributes: [("http.response.status_code", .integer(503)), ("http.route", .text("a \"b\""))]),
            TraceSpan(
                trace: trace, id: 0x1b, parent: 0x1a, name: "search", kind: .inside, start: 1, end: 2,
                attributes: [("exact", .bool(true))]),
        ]
        let body = OTLPTraces.body(of: spans, service: "pathlight", version: "1.2.3")
        let golden = """
            {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"pathlight"}},\
            {"key":"service.version","value":{"stringValue":"1.2.3"}}]},"scopeSpans":[{"scope":{"name":"pathlight"},\
            "spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"000000000000001a",\
            "name":"POST /api/results/recommend","kind":2,"startTimeUnixNano":"1772098200125000000",\
            "endTimeUnixNano":"1772098200130500000","attributes":[{"key":"http.response.status_code",\
            "value":{"intValue":"503"}},{"key":"http.route","value":{"stringValue":"a \\"b\\""}}],\
            "status":{"code":2}},{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"000000000000001b",\
            "parentSpanId":"000000000000001a","name":"search","kind":1,"startTimeUnixNano":"1",\
            "endTimeUnixNano":"2","attributes":[{"key":"exact","value":{"boolValue":true}}]}]}]}]}
            """
        #expect(String(decoding: body, as: UTF8.self) == golden)
        #expect(try JSONSerialization.jsonObject(with: Data(body)) is [String: Any])
    }

    private static func span(_ id: UInt64) -> TraceSpan {
        TraceSpan(
            trace: TraceParent.TraceID(high: 0, low: 1), id: id, parent: nil, name: "a", kind: .inside, start: 0, end: 1
        )
    }
}
