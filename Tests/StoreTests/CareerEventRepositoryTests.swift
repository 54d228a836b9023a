import Foundation
import Store
import Testing

struct CareerEventRepositoryTests {
    @Test(arguments: DriverUnderTest.all)
    func `events come oldest first with what was given`(driver: DriverUnderTest) async throws {
        try await Self.withSession(driver) { events, session, database in
            _ = try await SessionRepository(database).attach(
                request: "{}", reply: "{}",
                recommendation: RecommendationRecord(id: "r", generation: 1, careerIDs: ["nurse"]), to: session)
            // All at one time: the order of recording decides.
            #expect(try await events.record(.viewed, career: "pilot", in: session, recommendation: nil, id: "z"))
            #expect(try await events.record(.chosen, career: "nurse", in: session, recommendation: "r", id: "y"))
            #expect(try await events.record(.viewed, career: "pilot", in: session, id: "x"))
            let found = try await events.events(in: session)
            let time = TestClock().now
            #expect(
                found == [
                    CareerEvent(
                        id: "z", kind: .viewed, sessionID: session, careerID: "pilot", recommendationID: nil,
                        createdAt: time),
                    CareerEvent(
                        id: "y", kind: .chosen, sessionID: session, careerID: "nurse", recommendationID: "r",
                        createdAt: time),
                    CareerEvent(
                        id: "x", kind: .viewed, sessionID: session, careerID: "pilot", recommendationID: nil,
                        createdAt: time),
                ])
            #expect(try await events.events(in: "unknown").isEmpty)
        }
    }

    @Test(arguments: DriverUnderTest.all, [CareerEventKind.saved, .dismissed, .chosen])
    func `it counts once in a session`(driver: DriverUnderTest, kind: CareerEventKind) async throws {
        try await Self.withSession(driver) { events, session, database in
            let other = try await SessionRepository(database).create(kind: "quiz")
            #expect(try await events.record(kind, career: "nurse", in: session))
            #expect(try await events.record(kind, career: "nurse", in: session) == false)
            #expect(try await events.record(kind, career: "nurse", in: session, id: "own") == false)
            #expect(try await events.record(kind, career: "pilot", in: session))
            #expect(try await events.record(kind, career: "nurse", in: other))
            #expect(try await events.events(in: session).map(\.careerID) == ["nurse", "pilot"])
            #expect(try await events.undo(kind, career: "nurse", in: session))
            #expect(try await events.undo(kind, career: "nurse", in: session) == false)
            #expect(try await events.record(kind, career: "nurse", in: session))
            #expect(try await events.events(in: session).map(\.careerID) == ["pilot", "nurse"])
            #expect(try await events.events(in: other).map(\.careerID) == ["nurse"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `of many that record it at once, one is new`(driver: DriverUnderTest) async throws {
        try await Self.withSession(driver) { events, session, _ in
            let new = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<30 { group.addTask { try await events.save(career: "nurse", in: session) } }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(new == 1)
            #expect(try await events.saved(in: session).count == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `every view is an event unless it comes again with its id`(driver: DriverUnderTest) async throws {
        try await Self.withSession(driver) { events, session, _ in
            for _ in 0..<2 {
                let isNew = try await events.record(.viewed, career: "nurse", in: session)
                #expect(isNew)
            }
            #expect(try await events.record(.viewed, career: "pilot", in: session, id: "v"))
            #expect(try await events.record(.viewed, career: "pilot", in: session, id: "v") == false)
            #expect(try await events.record(.viewed, career: "pilot", in: nil))
            #expect(try await events.viewed(in: session) == ["nurse", "pilot"])
            #expect(try await events.viewCounts() == ["nurse": 2, "pilot": 2])
            #expect(try await events.undo(.viewed, career: "nurse", in: session))
            #expect(try await events.viewed(in: session) == ["pilot"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `saving takes back a dismissal, and the reverse`(driver: DriverUnderTest) async throws {
        try await Self.withSession(driver) { events, session, _ in
            for career in ["nurse", "pilot"] { _ = try await events.record(.dismissed, career: career, in: session) }
            _ = try await events.record(.chosen, career: "nurse", in: session)
            _ = try await events.record(.viewed, career: "nurse", in: session)
            #expect(try await events.record(.saved, career: "nurse", in: session))
            #expect(try await events.dismissed(in: session) == ["pilot"])
            #expect(try await events.saved(in: session).map(\.careerID) == ["nurse"])
            #expect(try await events.record(.dismissed, career: "nurse", in: session))
            #expect(try await events.saved(in: session).isEmpty)
            #expect(try await events.dismissed(in: session) == ["pilot", "nurse"])
            #expect(try await events.chosen(in: session) == ["nurse"])
            #expect(try await events.viewed(in: session) == ["nurse"])
            // An event that is not recorded takes nothing back.
            #expect(try await events.record(.viewed, career: "baker", in: session, id: "taken"))
            #expect(try await events.record(.saved, career: "pilot", in: session, id: "taken") == false)
            #expect(try await events.dismissed(in: session) == ["pilot", "nurse"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `unknown sessions and recommendations are refused`(driver: DriverUnderTest) async throws {
        try await Self.withSession(driver) { events, session, _ in
            _ = try await events.record(.dismissed, career: "nurse", in: session)
            for kind in CareerEventKind.allCases {
                await expectError(.foreignKeyViolation) {
                    _ = try await events.record(kind, career: "pilot", in: "unknown")
                }
                await expectError(.foreignKeyViolation) {
                    _ = try await events.record(kind, career: "pilot", in: session, recommendation: "unknown")
                }
                guard kind != .viewed else { continue }
                await expectError(.invalidValue) { _ = try await events.record(kind, career: "pilot", in: nil) }
            }
            await expectError(.foreignKeyViolation) {
                _ = try await events.record(.saved, career: "nurse", in: session, recommendation: "unknown")
            }
            #expect(try await events.events(in: session).map(\.kind) == [.dismissed])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `feedback joins events with what was shown`(driver: DriverUnderTest) async throws {
        try await Self.withSession(driver) { events, session, database in
            let sessions = SessionRepository(database)
            for (id, careers) in [("r1", ["nurse", "pilot"]), ("r2", [])] {
                _ = try await sessions.attach(
                    request: #"{"for":"\#(id)"}"#, reply: "{}",
                    recommendation: RecommendationRecord(
                        id: id, generation: .max, careerIDs: careers, query: id == "r1" ? #"{"alpha":0.5}"# : nil),
                    to: session)
            }
            _ = try await events.record(.viewed, career: "pilot", in: nil, recommendation: "r1")
            _ = try await events.record(.viewed, career: "pilot", in: session)
            _ = try await events.record(.saved, career: "nurse", in: session, recommendation: "r2")
            _ = try await events.record(.chosen, career: "nurse", in: session, recommendation: "r1")
            let feedback = try await events.feedback()
            #expect(feedback.map(\.event.kind) == [.viewed, .saved, .chosen])
            #expect(feedback.map(\.event.sessionID) == [nil, session, session])
            #expect(feedback.map(\.event.recommendationID) == ["r1", "r2", "r1"])
            // Each with the request of its own recommendation, not the last of the session.
            #expect(feedback.map(\.request) == [#"{"for":"r1"}"#, #"{"for":"r2"}"#, #"{"for":"r1"}"#])
            #expect(feedback.map(\.query) == [#"{"alpha":0.5}"#, nil, #"{"alpha":0.5}"#])
            #expect(feedback.map(\.careerIDs) == [["nurse", "pilot"], [], ["nurse", "pilot"]])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a purged session takes its events, and leaves views outside of it`(driver: DriverUnderTest) async throws {
        try await Self.withSession(driver) { events, session, database in
            let sessions = SessionRepository(database)
            _ = try await sessions.attach(
                request: "{}", reply: "{}", recommendation: RecommendationRecord(id: "r", generation: 0, careerIDs: []),
                to: session)
            _ = try await events.record(.saved, career: "nurse", in: session, recommendation: "r")
            _ = try await events.record(.viewed, career: "nurse", in: nil, recommendation: "r")
            #expect(try await sessions.purge(olderThan: .distantFuture) == 1)
            #expect(try await events.saveCounts().isEmpty)
            #expect(try await events.viewCounts() == ["nurse": 1])
            #expect(try await events.feedback().isEmpty)
            #expect(try await RecommendationRepository(database).count() == 0)
        }
    }

    private static func withSession(
        _ driver: DriverUnderTest, _ body: (CareerEventRepository, String, any SQLDatabase) async throws -> Void
    ) async throws {
        try await driver.withSchema { database in
            let session = try await SessionRepository(database).create(kind: "quiz")
            try await body(CareerEventRepository(database, clock: TestClock().read), session, database)
        }
    }
}
