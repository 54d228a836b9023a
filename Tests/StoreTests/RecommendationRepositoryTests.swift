import Foundation
import Store
import Testing

struct RecommendationRepositoryTests {
    private static let record = RecommendationRecord(
        id: "r", generation: .max - 1,
        careerIDs: ["nurse", "pilot \"1\"", "bäcker", "", "a\\b/c", "\u{1}\u{1F}\t\n\u{7F}", "日本語🚀"],
        query: #"{"alpha":0.25}"#)

    @Test(arguments: DriverUnderTest.all)
    func `a recommendation is stored with the session it makes`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let sessions = SessionRepository(database, clock: clock.read)
            let recommendations = RecommendationRepository(database)
            let session = try await sessions.create(
                kind: "recommend", request: "{}", reply: "[]", recommendation: Self.record)
            let found = try #require(try await recommendations.recommendation(id: "r"))
            #expect(found.record == Self.record)
            #expect(found.sessionID == session && found.request == "{}" && found.createdAt == clock.now)
            #expect(try await recommendations.recommendation(id: "other") == nil)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a recommendation is found in its own session alone`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let sessions = SessionRepository(database)
            let recommendations = RecommendationRepository(database)
            let session = try await sessions.create(kind: "recommend", recommendation: Self.record)
            let other = try await sessions.create(kind: "recommend")
            #expect(try await recommendations.contains(id: "r", in: session))
            for (id, place) in [("r", other), ("r", ""), ("r", "unknown"), ("R", session), ("", session)] {
                #expect(try await recommendations.contains(id: id, in: place) == false, "\(id) in \(place)")
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a session that comes again is left as it is`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let sessions = SessionRepository(database)
            let recommendations = RecommendationRepository(database)
            for attempt in ["1", "2"] {
                let id = try await sessions.create(
                    kind: "recommend", request: attempt, reply: attempt, recommendation: Self.record, id: "given")
                #expect(id == "given")
            }
            #expect(try await sessions.session(id: "given")?.reply == "1")
            #expect(try await recommendations.recommendation(id: "r")?.request == "1")
            #expect(try await sessions.count() == 1)
            #expect(try await recommendations.count() == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a reply that comes again is left as it is`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let sessions = SessionRepository(database)
            let recommendations = RecommendationRepository(database)
            let session = try await sessions.create(kind: "quiz")
            let second = RecommendationRecord(id: "r2", generation: 1, careerIDs: [])
            #expect(try await sessions.attach(request: "1", reply: "1", recommendation: Self.record, to: session))
            #expect(try await sessions.attach(request: "2", reply: "2", recommendation: second, to: session))
            #expect(try await sessions.attach(request: "3", reply: "3", recommendation: Self.record, to: session))
            #expect(try await sessions.session(id: session)?.reply == "2")
            #expect(try await recommendations.recommendation(id: "r")?.request == "1")
            #expect(try await recommendations.count() == 2)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `session and recommendation are stored together or not at all`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let sessions = SessionRepository(database)
            let recommendations = RecommendationRepository(database)
            let session = try await sessions.create(kind: "quiz", recommendation: Self.record)
            let other = try await sessions.create(kind: "quiz", reply: "old")
            // The id is another session's.
            await expectError(.uniqueViolation) {
                _ = try await sessions.create(kind: "quiz", recommendation: Self.record, id: "new")
            }
            await expectError(.uniqueViolation) {
                _ = try await sessions.attach(request: "", reply: "new", recommendation: Self.record, to: other)
            }
            #expect(try await sessions.session(id: "new") == nil)
            #expect(try await sessions.session(id: other)?.reply == "old")
            #expect(try await recommendations.recommendation(id: "r")?.sessionID == session)
            let unknown = RecommendationRecord(id: "r2", generation: 1, careerIDs: [])
            #expect(try await sessions.attach(request: "", reply: "", recommendation: unknown, to: "unknown") == false)
            #expect(try await recommendations.count() == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a damaged list of careers is refused`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let session = try await SessionRepository(database).create(kind: "quiz", recommendation: Self.record)
            let events = CareerEventRepository(database)
            _ = try await events.record(.saved, career: "nurse", in: session, recommendation: "r")
            for damaged in ["", "{}", "[1]", "[\"a\"", "null"] {
                try await database.write { connection in
                    try connection.execute("UPDATE recommendations SET career_ids = ?", [.text(damaged)])
                }
                await expectError(.unexpectedValue) {
                    _ = try await RecommendationRepository(database).recommendation(id: "r")
                }
                await expectError(.unexpectedValue) { _ = try await events.feedback() }
            }
        }
    }
}
