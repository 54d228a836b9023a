import Foundation
import Platform
import TestSupport
import Testing
import server

/// Where traces go, by the settings.
struct TraceCollectorTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory("collector") }

    private func collector(
        _ url: String, header: String? = nil, mode: Int = 0o600,
        transport: any OutboundTransport = ScriptedCollector(.status(200))
    ) throws -> TraceCollector {
        var settings = TracingSettings()
        settings.url = url
        if let header {
            let file = try folder.write(header, to: "header")
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
            settings.headerFile = file.path
        }
        return try TraceCollector(settings, transport: transport)
    }

    private func problem(_ url: String, header: String? = nil, mode: Int = 0o600) -> String {
        do {
            return "none: \(try collector(url, header: header, mode: mode))"
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
        ("http://[::1]:4318/", "http://[::1]:4318/v1/traces"),
        ("https://otel.example.org/tenant/v1/traces", "https://otel.example.org/tenant/v1/traces"),
        ("https://otel.example.org/tenant/", "https://otel.example.org/tenant/"),
    ])
    func `an address without a path gets the one that OTLP says`(url: String, endpoint: String) throws {
        #expect(try collector(url).url == endpoint)
    }

    @Test(arguments: [
        "Authorization=Bearer a=b==\n", "Authorization=Bearer a=b==", " Authorization = Bearer a=b== \r\n\n",
    ])
    func `the header of the file goes with each batch and into no description`(text: String) async throws {
        let scripted = ScriptedCollector(.status(200))
        let collector = try collector("http://localhost:4318", header: text, transport: scripted)
        #expect(await collector.send([], timeout: .seconds(1)) == .taken(rejected: 0, reason: nil))
        #expect(scripted.requests[0].headers.contains { $0 == ("Authorization", "Bearer a=b==") })
        var dumped = ""
        dump(collector, to: &dumped)
        #expect(!"\(collector) \(String(reflecting: collector)) \(dumped)".contains("Bearer"))
    }

    @Test(arguments: [
        ("", "name=value"), ("quokka", "name=value"), ("a=quokka\nb=c\n", "name=value"),
        ("Authorization=\n", "no value"),
        ("Host=quokka", "holds no header"), ("a b=quokka", "holds no header"), ("a=quo\u{1}kka", "holds no header"),
    ])
    func `a file that holds no header is refused, and its content kept`(text: String, said: String) {
        let problem = problem("http://127.0.0.1:4318", header: text)
        #expect(problem.contains("tracing.header_file") && problem.contains(said), "\(problem)")
        #expect(!problem.contains("quokka") && !problem.contains("quo"), "\(problem)")
    }

    @Test func `a header file that others may read is refused, and one that is not there`() {
        #expect(problem("http://127.0.0.1:4318", header: "a=b", mode: 0o644).contains("chmod"))
        var settings = TracingSettings()
        settings.url = "http://127.0.0.1:4318"
        settings.headerFile = folder.path + "/none"
        #expect(throws: SettingsError.self) { try TraceCollector(settings, transport: ScriptedCollector(.hangs)) }
    }

    @Test func `a secret header goes over a network by TLS alone`() throws {
        #expect(problem("http://otel.example.org", header: "a=b").contains("https"))
        #expect(problem("http://10.0.0.5:4318", header: "a=b").contains("https"))
        for url in ["https://otel.example.org", "http://127.0.0.1:4318", "http://[::1]:4318"] {
            #expect(try collector(url, header: "a=b").url.hasPrefix(url))
        }
        #expect(try collector("http://10.0.0.5:4318").url == "http://10.0.0.5:4318/v1/traces")
    }

    // MARK: Settings

    @Test func `the settings are read from file and environment, and off by default`() throws {
        let none = try ServiceSettings.load(environment: [:], yaml: "").settings.tracing
        #expect(!none.isOn && none.every == 100 && !none.trustsCaller && none.headerFile == nil)
        let yaml = """
            tracing:
              url: http://127.0.0.1:4318
              every: 7
              trust_caller: true
              header_file: secret
            """
        let fromFile = try ServiceSettings.load(environment: [:], yaml: yaml).settings.tracing
        #expect(fromFile.isOn && fromFile.url == "http://127.0.0.1:4318" && fromFile.every == 7)
        #expect(fromFile.trustsCaller && fromFile.headerFile == "secret")
        let variables = [
            "PATHLIGHT_TRACING_URL": "http://127.0.0.1:4318", "PATHLIGHT_TRACING_EVERY": "7",
            "PATHLIGHT_TRACING_TRUST_CALLER": "true", "PATHLIGHT_TRACING_HEADER_FILE": "secret",
        ]
        #expect(try ServiceSettings.load(environment: variables, yaml: "").settings.tracing == fromFile)
    }

    @Test(arguments: [
        "url: 127.0.0.1:4318", "url: ftp://127.0.0.1", "url: http://me:secret@127.0.0.1",
        "url: 'http://127.0.0.1/?key=1'",
        "url: 'http://127.0.0.1/#a'", "every: 0", "every: 1000001", "trust_caller: some",
    ])
    func `a setting that cannot be meant is refused by name`(line: String) {
        let key = "tracing.\(line.prefix { $0 != ":" })"
        let error = #expect(throws: SettingsError.self) {
            try ServiceSettings.load(environment: [:], yaml: "tracing:\n  \(line)\n")
        }
        #expect(error.map { "\($0)".contains("`\(key)`") } == true, "\(String(describing: error))")
    }
}
