import Engine
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Platform
import Store
import TestSupport
import Testing
import server

struct OutsideModelTests {
    @Test(arguments: [
        ("gemini:gemini-embedding-001", "gemini-embedding-001"),
        ("openai:text-embedding-3-small", "text-embedding-3-small"),
        ("openai:BAAI/bge-base-en-v1.5", "BAAI/bge-base-en-v1.5"), ("openai:nomic:latest", "nomic:latest"),
    ])
    func `a model outside is named by provider and model`(id: String, name: String) throws {
        let model = try #require(OutsideModel(id))
        #expect(model.id == id && model.name == name && model.remote.id == id)
    }

    @Test(arguments: [
        "all-MiniLM-L6-v2", "", ":", "openai", "openai:", "OpenAI:x", "azure:x", "gemini:two words", "gemini:\u{7}",
        "gemini:ä", "openai:" + String(repeating: "x", count: 201),
    ])
    func `everything else is a folder's name`(id: String) { #expect(OutsideModel(id) == nil) }

    @Test func `Gemini is told what a text is for, and the others have no word for it`() throws {
        let gemini = try #require(OutsideModel("gemini:e")).remote
        #expect(gemini.queryTask == "RETRIEVAL_QUERY" && gemini.documentTask == "RETRIEVAL_DOCUMENT")
        let openAI = try #require(OutsideModel("openai:e")).remote
        #expect(openAI.queryTask.isEmpty && openAI.documentTask.isEmpty)
    }

    @Test func `the gateway's failures reach the engine with their reason`() async throws {
        let database = try await SQLiteDatabase.temporary()
        _ = try await SchemaMigrator().migrate(database)
        let source = GatewayTextSource(gateway: LLMGateway(settings: LLMSettings(), provider: nil, database: database))
        for role in [TextRole.query, .document] {
            do {
                _ = try await source.vectors(of: ["a"], role: role, within: .seconds(1))
                Issue.record("vectors came from nobody")
            } catch let error as VectorsUnavailable {
                #expect(error.reason == "not_configured" && !error.isTransient)
            }
        }
        try await database.close()
    }

    @Test(
        arguments: [
            (.badRequest("empty"), true), (.blocked("safety"), true), (.rejected(status: 400, code: nil), true),
            (.rejected(status: 413, code: nil), true), (.rejected(status: 422, code: nil), true),
            (.rejected(status: 401, code: nil), false), (.rejected(status: 429, code: nil), false),
            (.timedOut, false), (.tooLarge(maximumBytes: 1), false),
        ] as [(LLMError, Bool)])
    func `a refusal may be for what a text says, and other failures are not`(error: LLMError, isAboutTexts: Bool) {
        #expect(VectorsUnavailable(error).isAboutTexts == isAboutTexts)
    }

    @Test(arguments: ["0.2", "1.5", "10"])
    func `how long a request waits for a model outside is a setting`(seconds: String) throws {
        let loaded = try ServiceSettings.load(
            environment: ["PATHLIGHT_EMBEDDING_REMOTE_SECONDS": seconds], yaml: "model: gemini:e")
        #expect(loaded.warnings.isEmpty && loaded.settings.model == "gemini:e")
        #expect(loaded.settings.remoteDeadline == .milliseconds(Int64((Double(seconds) ?? 0) * 1000)))
    }

    @Test func `a service whose model outside is not set up answers by abilities, and says why`() async throws {
        let service = try await AccessTestService(isExposed: false) { $0.model = "gemini:gemini-embedding-001" }
        try await service.run { client, _ in
            let ready = try await client.send(.get, "/readyz")
            #expect(ready.status == .ok)
            let text = String(buffer: ready.body)
            #expect(text.contains(#""status":"degraded""#) && text.contains(#""reason":"not_configured""#))
            let abilities = (Array(repeating: "5", count: 14) + ["9"]).joined(separator: ",")
            let reply = try await client.send(
                .post, "/api/results/recommend/", #"{"text": "I like bees.", "abilities": [\#(abilities)]}"#)
            #expect(reply.status == .ok)
            let body = String(buffer: reply.body)
            #expect(body.contains(#""alpha":0"#) && body.contains(#""reason":"not_configured""#))
        }
    }
}
