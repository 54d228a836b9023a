import ArgumentParser
import Foundation
import Synchronization

/// Asks a running service at a constant rate and prints one JSON document: what `make bench-load` runs.
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Ask a running service at a constant rate; print one JSON document.")

    enum Texts: String, ExpressibleByArgument, Codable {
        /// Always the same one.
        case known
        /// Of 16 to 24 tokens, none asked before.
        case new
        /// No text: a route that does nothing, for what client and HTTP cost.
        case empty
    }

    @Option(help: "The service's port on this machine.")
    var port: UInt16

    @Option(help: "Requests a second.")
    var rate = 100.0

    @Option(help: "Seconds to measure.")
    var seconds = 10.0

    @Option(help: "Seconds of the same before, not counted.")
    var warmUp = 2.0

    @Option(help: "known, new, or empty for GET /livez.")
    var texts = Texts.new

    @Option(help: "Connections, each with a thread: as many requests as may be under way.")
    var connections = 64

    @Option(help: "Words of one token each.")
    var words = "Benchmarks/http/words.txt"

    @Option(help: "Of the new texts; another each time if not given.")
    var seed: UInt64?

    func validate() throws {
        guard (0.01...100_000).contains(rate) else {
            throw ValidationError("--rate takes 0.01 to 100000, not \(rate)")
        }
        guard (0.1...3_600).contains(seconds) else {
            throw ValidationError("--seconds takes 0.1 to 3600, not \(seconds)")
        }
        guard (0...3_600).contains(warmUp) else {
            throw ValidationError("--warm-up takes 0 to 3600, not \(warmUp)")
        }
        guard (1...1_000).contains(connections) else {
            throw ValidationError("--connections takes 1 to 1000, not \(connections)")
        }
    }

    /// What is printed; milliseconds from when a request was due.
    private struct Answer: Encodable {
        var texts: Texts
        var rate: Double
        var seconds: Double
        var seed: UInt64
        var connections: Int
        var requests: Int
        var requestsPerSecond: Double
        /// Of good answers.
        var p50Ms: Double?
        var p90Ms: Double?
        var p99Ms: Double?
        var maxMs: Double?
        /// Turned away with 429 or 503.
        var rejected: Int
        var errors: Int
        /// How late requests were sent: beyond some tenths, the client and not the service is what is measured.
        var sentLateP50Ms: Double
        var sentLateP99Ms: Double
    }

    func run() throws {
        let words = try String(contentsOfFile: words, encoding: .utf8).split(whereSeparator: \.isWhitespace)
            .map(String.init)
        guard words.count >= 18 else { throw ValidationError("\(self.words) has too few words") }
        let seed = seed ?? UInt64.random(in: 0...UInt64.max)
        let requests = Requests(texts: texts, words: words, seed: seed)
        let connections = Self.connected(connections, to: port)
        if warmUp > 0 { _ = samples(seconds: warmUp, requests: requests, from: 1 << 30, over: connections) }
        let clock = ContinuousClock()
        var samples: [OpenLoop.Sample] = []
        let time = clock.measure {
            samples = self.samples(seconds: seconds, requests: requests, from: 0, over: connections)
        }
        let good = samples.filter { $0.outcome == .good }
        let answered = good.isEmpty ? nil : Measurement(good.map(\.took))
        let late = Measurement(samples.map(\.late))
        let answer = Answer(
            texts: texts, rate: rate, seconds: seconds, seed: seed, connections: connections.count,
            requests: samples.count, requestsPerSecond: Double(samples.count) / (time / .seconds(1)),
            p50Ms: answered?.p50Ms, p90Ms: answered?.p90Ms, p99Ms: answered?.p99Ms,
            maxMs: answered?.maxMs, rejected: samples.count { $0.outcome == .rejected },
            errors: samples.count { $0.outcome == .failed },
            sentLateP50Ms: late.p50Ms, sentLateP99Ms: late.p99Ms)
        try Figures.say(answer)
        if good.isEmpty { throw ExitCode(1) }
    }

    /// Connections that have carried a request each: none that is measured pays for connecting.
    private static func connected(_ count: Int, to port: UInt16) -> [HTTPConnection] {
        let connections = (0..<count).map { _ in HTTPConnection(port: port) }
        // Where one gets no answer the others would wait as long for theirs.
        _ = connections.allSatisfy { $0.status(of: Requests.livez) != nil }
        return connections
    }

    private func samples(
        seconds: Double, requests: Requests, from first: Int, over connections: [HTTPConnection]
    ) -> [OpenLoop.Sample] {
        OpenLoop(rate: rate, seconds: seconds).run(workers: connections.count) { worker in
            let connection = connections[worker]
            return { number in
                switch connection.status(of: requests.bytes(first + number)) {
                case 200: .good
                case 429, 503: .rejected
                default: .failed
                }
            }
        }
    }

    /// Whole requests as bytes, each made from its number alone.
    private struct Requests: Sendable {
        let texts: Texts
        let words: [String]
        let seed: UInt64

        static let livez = Array("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)

        func bytes(_ number: Int) -> [UInt8] {
            switch texts {
            case .empty: Self.livez
            case .known: post("We like " + words.prefix(18).joined(separator: " "))
            case .new: post(newText(number))
            }
        }

        private func newText(_ number: Int) -> String {
            var random = SplitMix64(state: seed &+ UInt64(number) &* 0xA076_1D64_78BD_642F)
            let count = 12 + Int(random.next() % 9)
            return "We like "
                + (0..<count).map { _ in words[Int(random.next() % UInt64(words.count))] }
                .joined(separator: " ")
        }

        private func post(_ text: String) -> [UInt8] {
            let body = #"{"text":"\#(text)"}"#
            let head = """
                POST /api/results/recommend/ HTTP/1.1\r
                Host: localhost\r
                Content-Type: application/json\r
                Content-Length: \(body.utf8.count)\r
                \r

                """
            return Array((head + body).utf8)
        }
    }
}
