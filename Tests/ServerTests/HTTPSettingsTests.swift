import Embedder
import Foundation
import Logging
import Synchronization
import Testing
import server

struct HTTPSettingsTests {
    private func settings(
        _ environment: [String: String] = [:], yaml: String = "", overrides: SettingsOverrides = SettingsOverrides()
    ) throws -> ServiceSettings {
        try ServiceSettings.load(environment: environment, yaml: yaml, overrides: overrides).settings
    }

    private func mistake(_ environment: [String: String] = [:], yaml: String = "") -> String {
        do {
            return "\(try settings(environment, yaml: yaml))"
        } catch {
            return "\(error)"
        }
    }

    @Test func `starts from defaults`() throws {
        var defaults = ServiceSettings()
        defaults.model = DefaultModel.installed(in: defaults.modelsDirectory)
        #expect(try settings() == defaults)
        #expect(try settings(yaml: "# nothing\n\n") == defaults)
    }

    @Test func `lets the file win over variables and flags over both`() throws {
        let variables = ["PATHLIGHT_PORT": "1", "PATHLIGHT_DATA": "/env", "PATHLIGHT_MODEL": "env"]
        let yaml = "port: 2\ndata: /file\n"
        var flags = SettingsOverrides()
        flags.port = 3
        let settings = try settings(variables, yaml: yaml, overrides: flags)
        #expect(settings.port == 3)
        #expect(settings.dataDirectory == "/file")
        #expect(settings.model == "env")
    }

    @Test func `reads every setting from both sources`() throws {
        let yaml = """
            host: localhost
            port: 0
            data: d
            models: m
            model: x
            database_url: sqlite:x
            log:
              level: debug
              format: json
            limits:
              body_bytes: 2048
              list_items: 5
              string_bytes: 64
              concurrent_requests: 11
              address:
                requests_per_second: 12.5
                burst: 13
              key:
                requests_per_second: 0
                burst: 15
            timeouts:
              header_seconds: 1
              body_seconds: 2
              idle_seconds: 3
              write_seconds: 4
              request_seconds: 0.5
              shutdown_seconds: 6
            max_connections: 7
            top_n_maximum: 8
            cache_entries: 9
            index:
              memory: lean
            embedding:
              precision: float32
              queue_tokens: 20000
              queue_texts: 100
              batch_tokens: 10
            trusted_proxy: 127.0.0.1
            auth:
              sign_up: false
              jwt:
                secret_file: secret
                jwks_file: keys.json
                issuer: https://id.example.org/
                audience: pathlight
                user_claim: oid
                role_claim: realm_access.roles
            """
        let fromFile = try settings(yaml: yaml)
        #expect(fromFile.limits == FieldLimits(bodyBytes: 2048, listCount: 5, stringBytes: 64))
        #expect(fromFile.timeouts.request == .milliseconds(500))
        #expect(fromFile.logLevel == .debug)
        #expect(fromFile.logFormat == .json)
        #expect("\(fromFile.indexMemory)" == "lean")
        #expect("\(fromFile.precision)" == "float32")
        #expect(fromFile.embedding.tokens == 20_000)
        #expect(fromFile.embedding.texts == 100)
        #expect(fromFile.embedding.batchTokens == 10)
        #expect(fromFile.trustedProxy == "127.0.0.1")
        #expect(fromFile.requestLimits.concurrentRequests == 11)
        #expect(fromFile.requestLimits.address == .init(perSecond: 12.5, burst: 13))
        #expect(fromFile.requestLimits.key == .init(perSecond: 0, burst: 15))
        #expect(!fromFile.allowsSignUp)
        #expect(fromFile.tokens.secretFile == "secret")
        #expect(fromFile.tokens.jwksFile == "keys.json")
        #expect(fromFile.tokens.issuer == "https://id.example.org/")
        #expect(fromFile.tokens.audience == "pathlight")
        #expect(fromFile.tokens.userClaim == "oid")
        #expect(fromFile.tokens.roleClaim == "realm_access.roles")
        let variables = [
            "PATHLIGHT_HOST": "localhost", "PATHLIGHT_PORT": "0", "PATHLIGHT_DATA": "d", "PATHLIGHT_MODELS": "m",
            "PATHLIGHT_MODEL": "x", "DATABASE_URL": "sqlite:x", "LOG_LEVEL": "debug", "PATHLIGHT_LOG_FORMAT": "json",
            "PATHLIGHT_LIMITS_BODY_BYTES": "2048", "PATHLIGHT_LIMITS_LIST_ITEMS": "5",
            "PATHLIGHT_LIMITS_STRING_BYTES": "64", "PATHLIGHT_TIMEOUTS_HEADER_SECONDS": "1",
            "PATHLIGHT_TIMEOUTS_BODY_SECONDS": "2", "PATHLIGHT_TIMEOUTS_IDLE_SECONDS": "3",
            "PATHLIGHT_TIMEOUTS_WRITE_SECONDS": "4", "PATHLIGHT_TIMEOUTS_REQUEST_SECONDS": "0.5",
            "PATHLIGHT_TIMEOUTS_SHUTDOWN_SECONDS": "6", "PATHLIGHT_MAX_CONNECTIONS": "7",
            "PATHLIGHT_TOP_N_MAXIMUM": "8", "PATHLIGHT_CACHE_ENTRIES": "9", "PATHLIGHT_INDEX_MEMORY": "lean",
            "PATHLIGHT_EMBEDDING_PRECISION": "float32",
            "PATHLIGHT_EMBEDDING_QUEUE_TOKENS": "20000", "PATHLIGHT_EMBEDDING_QUEUE_TEXTS": "100",
            "PATHLIGHT_EMBEDDING_BATCH_TOKENS": "10", "PATHLIGHT_TRUSTED_PROXY": "127.0.0.1",
            "PATHLIGHT_LIMITS_CONCURRENT_REQUESTS": "11", "PATHLIGHT_LIMITS_ADDRESS_REQUESTS_PER_SECOND": "12.5",
            "PATHLIGHT_LIMITS_ADDRESS_BURST": "13", "PATHLIGHT_LIMITS_KEY_REQUESTS_PER_SECOND": "0",
            "PATHLIGHT_LIMITS_KEY_BURST": "15", "PATHLIGHT_AUTH_SIGN_UP": "false",
            "PATHLIGHT_AUTH_JWT_SECRET_FILE": "secret", "PATHLIGHT_AUTH_JWT_JWKS_FILE": "keys.json",
            "PATHLIGHT_AUTH_JWT_ISSUER": "https://id.example.org/", "PATHLIGHT_AUTH_JWT_AUDIENCE": "pathlight",
            "PATHLIGHT_AUTH_JWT_USER_CLAIM": "oid", "PATHLIGHT_AUTH_JWT_ROLE_CLAIM": "realm_access.roles",
        ]
        #expect(try settings(variables) == fromFile)
    }

    @Test func `refuses a queue that the longest text would never fit into`() throws {
        #expect(mistake(yaml: "embedding:\n  queue_tokens: 16383").contains("from 16384 to 100000000, not `16383`"))
        let variables = ["PATHLIGHT_EMBEDDING_QUEUE_TOKENS": "16384", "PATHLIGHT_LIMITS_STRING_BYTES": "32768"]
        #expect(try settings(variables).embedding.tokens == 16_384)
        let problem = mistake(["PATHLIGHT_LIMITS_STRING_BYTES": "40000"], yaml: "embedding:\n  queue_tokens: 16384")
        for part in ["`embedding.queue_tokens` is 16384", "`limits.string_bytes`", "20000 at least", "32768 at most"] {
            #expect(problem.contains(part), "\(problem)")
        }
    }

    @Test func `prefers the service's own variable to a shared one`() throws {
        let settings = try settings(["LOG_LEVEL": "error", "PATHLIGHT_LOG_LEVEL": "trace", "DATABASE_URL": "x"])
        #expect(settings.logLevel == .trace)
        #expect(settings.databaseURL == "x")
    }

    @Test func `takes an empty variable for none`() throws {
        #expect(try settings(["PATHLIGHT_PORT": ""]).port == 8080)
    }

    @Test(arguments: [
        ("prot: 1", "pathlight.yaml: unknown setting `prot`; did you mean `port`?"),
        (
            "limits:\n  body_byte: 1",
            "pathlight.yaml: unknown setting `limits.body_byte`; did you mean `limits.body_bytes`?"
        ),
        (
            "limits: 5",
            "pathlight.yaml: unknown setting `limits`; it holds `body_bytes`, `list_items`, `string_bytes`, "
                + "`concurrent_requests`, `address.requests_per_second`, `address.burst`, `key.requests_per_second`, "
                + "`key.burst`"
        ),
        ("zzz: 1", "pathlight.yaml: unknown setting `zzz`"),
        ("port: eighty", "pathlight.yaml: `port` must be a whole number from 0 to 65535, not `eighty`"),
        ("port: 70000", "pathlight.yaml: `port` must be a whole number from 0 to 65535, not `70000`"),
        ("port: [1]", "pathlight.yaml: `port` must be a single value, not `a list`"),
        ("host: ''", "pathlight.yaml: `host` must be a text that is not empty, not ``"),
        (
            "timeouts:\n  body_seconds: 0",
            "pathlight.yaml: `timeouts.body_seconds` must be a number of seconds above 0 and up to 3600, not `0`"
        ),
        ("log:\n  format: xml", "pathlight.yaml: `log.format` must be one of `text`, `json`, not `xml`"),
        ("auth:\n  sign_up: maybe", "pathlight.yaml: `auth.sign_up` must be one of `true`, `false`, not `maybe`"),
        (
            "limits:\n  key:\n    requests_per_second: -1",
            "pathlight.yaml: `limits.key.requests_per_second` must be 0 for no limit, or a number from 0.001 to 1000000, "
                + "not `-1`"
        ),
        (
            "trusted_proxy: proxy.example.org",
            "pathlight.yaml: `trusted_proxy` must be an address, or addresses and networks separated by commas "
                + "(`10.0.0.5, 172.16.0.0/12`), not `proxy.example.org`"
        ),
        ("index:\n  memory: most", "pathlight.yaml: `index.memory` must be one of `full`, `lean`, not `most`"),
    ])
    func `refuses a wrong file by name`(yaml: String, expected: String) {
        #expect(mistake(yaml: yaml) == expected)
    }

    @Test(arguments: ["- a", "just text", "a: [", "a: {b"])
    func `refuses a file that is no mapping`(yaml: String) {
        #expect(mistake(yaml: yaml).hasPrefix("pathlight.yaml is not a settings file: "))
    }

    @Test func `names the variable and the value that are wrong`() {
        #expect(
            mistake(["PATHLIGHT_PORT": "x"])
                == "environment: `PATHLIGHT_PORT` must be a whole number from 0 to 65535, not `x`")
        #expect(mistake(["LOG_LEVEL": "loud"]).hasPrefix("environment: `LOG_LEVEL` must be one of `trace`, "))
    }

    @Test func `warns of variables that set nothing`() throws {
        let loaded = try ServiceSettings.load(
            environment: ["PATHLIGHT_PROT": "1", "PATHLIGHT_CORE_ONLY": "1"], yaml: "")
        #expect(loaded.warnings == ["the variable `PATHLIGHT_PROT` sets nothing; did you mean `PATHLIGHT_PORT`?"])
    }

    @Test(arguments: ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
    func `listens on loopback`(host: String) throws {
        #expect(try settings(["PATHLIGHT_HOST": host]).host == host)
    }

    @Test(arguments: ["0.0.0.0", "::", "192.168.1.5", "example.com", "127.0.0.1.example.com", "127.0.0", "127.0.0.256"])
    func `refuses to listen beyond loopback`(host: String) {
        #expect(throws: SettingsError.beyondLoopback(host: host)) { try settings(["PATHLIGHT_HOST": host]) }
    }

    @Test func `listens beyond loopback behind a proxy that it is told of`() throws {
        let settings = try settings(["PATHLIGHT_HOST": "0.0.0.0", "PATHLIGHT_TRUSTED_PROXY": "10.0.0.0/8, ::1"])
        #expect(settings.isExposed)
        #expect(try self.settings(["PATHLIGHT_TRUSTED_PROXY": "127.0.0.1"]).isExposed)
        #expect(try !self.settings().isExposed)
    }

    @Test func `says how to listen beyond loopback`() {
        let problem = mistake(["PATHLIGHT_HOST": "0.0.0.0"])
        for part in ["`0.0.0.0`", "trusted_proxy", "PATHLIGHT_TRUSTED_PROXY", "127.0.0.1"] {
            #expect(problem.contains(part), "\(problem)")
        }
    }

    @Test func `asks for a named file to exist`() {
        #expect(throws: SettingsError.unreadableFile(path: "/nowhere/p.yaml", reason: "there is no such file")) {
            try ServiceSettings.load(environment: [:], file: "/nowhere/p.yaml")
        }
        #expect(SettingsError.exitCode == 78)
    }

    @Test func `logs one line of text for an event, whatever is in it`() throws {
        let lines = Mutex<[String]>([])
        var logger = Logger(label: "test") { label in
            StreamLogHandler(label: label, stream: TextLogStream { line in lines.withLock { $0.append(line) } })
        }
        logger[metadataKey: "request_id"] = "a\r\nb"
        logger.info(
            "hello\n2026-01-01T00:00:00+0000 error test: [server] the disk is full",
            metadata: ["path": "\u{1B}[2J\u{85}c\u{2028}d\u{7F}e\0", "list": ["x\ny"], "plain": "Grüße, 🧭"])
        logger.info("second")
        let written = lines.withLock { $0 }
        try #require(written.count == 2)
        let line = written[0]
        for part in [
            #"request_id=a\r\nb"#, #"hello\n2026-01-01"#, "[2J", #"x\ny"#, "plain=Grüße, 🧭", "the disk is full\n",
        ] {
            #expect(line.contains(part), "\(line)")
        }
        let kinds: [Unicode.GeneralCategory] = [.control, .lineSeparator, .paragraphSeparator]
        let breaks = line.unicodeScalars.filter { kinds.contains($0.properties.generalCategory) }.map(\.value)
        // The line break at its end.
        #expect(breaks == [0x0A], "\(line)")
        #expect(written[1].hasSuffix("second\n"))
    }

    @Test func `logs one line of JSON for an event`() throws {
        let lines = Mutex<[String]>([])
        var logger = Logger(label: "test") { label in
            JSONLogHandler(label: label, level: .info) { line in lines.withLock { $0.append(line) } }
        }
        logger[metadataKey: "request_id"] = "a\"b"
        logger.info("hello\nworld", metadata: ["status": .stringConvertible(200), "list": ["x", "y"]])
        logger.debug("not this")
        let written = lines.withLock { $0 }
        #expect(written.count == 1)
        let line = try #require(written.first)
        #expect(line.hasSuffix("}\n"))
        guard case .object(let event) = try JSONParser.parse(Array(line.dropLast().utf8)) else { return }
        #expect(event["message"] == .string("hello\nworld"))
        #expect(event["level"] == .string("info"))
        guard case .object(let metadata) = try #require(event["metadata"]) else { return }
        #expect(metadata["request_id"] == .string("a\"b"))
        #expect(metadata["status"] == .integer(200))
        #expect(metadata["list"] == .array([.string("x"), .string("y")]))
    }
}
