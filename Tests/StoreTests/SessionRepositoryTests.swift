import Foundation
import Store
import Testing

struct SessionRepositoryTests {
    @Test(arguments: DriverUnderTest.all)
    func `a session is stored with what was given`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let sessions = SessionRepository(database, clock: clock.read)
            let quiz = try await sessions.create(kind: "quiz", owner: "ada", answers: #"{"1":"a"}"#)
            let bare = try await sessions.create(kind: "recommend", request: "{}", reply: #"{"ok":true}"#)
            #expect(quiz != bare)
            let found = try #require(try await sessions.session(id: quiz))
            #expect(found.id == quiz && found.kind == "quiz" && found.owner == "ada")
            #expect(found.answers == #"{"1":"a"}"# && found.request == nil && found.reply == nil)
            #expect(found.createdAt == clock.now && found.updatedAt == clock.now)
            let other = try #require(try await sessions.session(id: bare))
            #expect(other.owner == nil && other.answers == nil)
            #expect(other.request == "{}" && other.reply == #"{"ok":true}"#)
            #expect(try await sessions.session(id: "unknown") == nil)
            #expect(try await sessions.count() == 2)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a reply is attached to its session alone`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let sessions = SessionRepository(database, clock: clock.read)
            let first = try await sessions.create(kind: "quiz", answers: "{}")
            let second = try await sessions.create(kind: "quiz", answers: "{}")
            let created = clock.now
            clock.advance(by: 5)
            #expect(try await sessions.attach(request: "[1]", reply: "[2]", to: first))
            #expect(try await sessions.attach(request: "[1]", reply: "[2]", to: "unknown") == false)
            let found = try #require(try await sessions.session(id: first))
            #expect(found.answers == "{}" && found.request == "[1]" && found.reply == "[2]")
            #expect(found.createdAt == created && found.updatedAt == clock.now)
            #expect(try await sessions.session(id: second)?.reply == nil)
        }
    }

    /// Writes into a session in one of the three ways that there are.
    private static func write(
        _ way: Int, in id: String, _ database: any SQLDatabase, by claim: SessionOwnerRepository.Claim
    ) async throws {
        let events = CareerEventRepository(database)
        switch way {
        case 0:
            let sessions = SessionRepository(database)
            guard try await sessions.attach(request: "{}", reply: "{}", to: id, by: claim) else {
                throw StoreError(.foreignKeyViolation, "nothing was attached")
            }
        case 1: _ = try await events.record(.saved, career: "nurse", in: id, by: claim)
        default: _ = try await events.undo(.saved, career: "nurse", in: id, by: claim)
        }
    }

    @Test(arguments: DriverUnderTest.all, 0..<3)
    func `a session that is nobody's becomes its writer's with the write, once`(
        driver: DriverUnderTest, way: Int
    ) async throws {
        typealias Claim = SessionOwnerRepository.Claim
        try await driver.withSchema { database in
            let owners = SessionOwnerRepository(database)
            let id = try await SessionRepository(database).create(kind: "quiz")
            try await Self.write(way, in: id, database, by: Claim(on: .nobody, writer: nil, adopts: true))
            #expect(try await owners.owner(of: id) == .nobody)
            // Twice, as by somebody who sends two requests at once.
            for _ in 0..<2 {
                try await Self.write(way, in: id, database, by: Claim(on: .nobody, writer: "ada", adopts: true))
            }
            #expect(try await owners.owner(of: id) == .user(id: "ada"))
            // Who was let in while it was nobody's.
            for late in ["eve", nil].map({ Claim(on: .nobody, writer: $0, adopts: true) }) {
                await expectError(.foreignKeyViolation) {
                    try await Self.write(way, in: id, database, by: late)
                }
            }
            for right in [Claim(on: .user(id: "ada"), writer: "ada", adopts: true), Claim.any] {
                try await Self.write(way, in: id, database, by: right)
            }
            #expect(try await owners.owner(of: id) == .user(id: "ada"))
            await expectError(.foreignKeyViolation) {
                try await Self.write(way, in: "unknown", database, by: Claim(on: .nobody, writer: "ada", adopts: true))
            }
        }
    }

    @Test(arguments: DriverUnderTest.all, 0..<3)
    func `who only looks does not take a session, and is not kept from it by their own save beside`(
        driver: DriverUnderTest, way: Int
    ) async throws {
        typealias Claim = SessionOwnerRepository.Claim
        try await driver.withSchema { database in
            let owners = SessionOwnerRepository(database)
            let id = try await SessionRepository(database).create(kind: "quiz")
            let look = Claim(on: .nobody, writer: "ada", adopts: false)
            try await Self.write(way, in: id, database, by: look)
            #expect(try await owners.owner(of: id) == .nobody)
            // Let in while it was nobody's, and written after her save.
            try await Self.write(1, in: id, database, by: Claim(on: .nobody, writer: "ada", adopts: true))
            try await Self.write(way, in: id, database, by: look)
            #expect(try await owners.owner(of: id) == .user(id: "ada"))
            await expectError(.foreignKeyViolation) {
                try await Self.write(way, in: id, database, by: Claim(on: .nobody, writer: "eve", adopts: false))
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a write that fails leaves a session nobody's`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let sessions = SessionRepository(database)
            let claim = SessionOwnerRepository.Claim(on: .nobody, writer: "ada", adopts: true)
            let taken = RecommendationRecord(id: "r", generation: 1, careerIDs: ["nurse"])
            _ = try await sessions.create(kind: "recommend", request: "{}", reply: "{}", recommendation: taken)
            let id = try await sessions.create(kind: "quiz")
            await expectError(.uniqueViolation) {
                _ = try await sessions.attach(request: "{}", reply: "{}", recommendation: taken, to: id, by: claim)
            }
            await expectError(.foreignKeyViolation) {
                _ = try await CareerEventRepository(database).record(
                    .saved, career: "nurse", in: id, recommendation: "unknown", by: claim)
            }
            #expect(try await SessionOwnerRepository(database).owner(of: id) == .nobody)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `old sessions go with what was saved and viewed in them`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let sessions = SessionRepository(database, clock: clock.read)
            let events = CareerEventRepository(database, clock: clock.read)
            let old = try await sessions.create(kind: "quiz")
            let touched = try await sessions.create(kind: "quiz")
            _ = try await events.save(career: "nurse", in: old)
            try await events.recordView(of: "nurse", in: old)
            try await events.recordView(of: "nurse", in: nil)
            clock.advance(by: 100)
            _ = try await sessions.attach(request: "{}", reply: "{}", to: touched)
            let recent = try await sessions.create(kind: "quiz")
            #expect(try await sessions.purge(olderThan: clock.now) == 1)
            #expect(try await sessions.session(id: old) == nil)
            #expect(try await sessions.session(id: touched) != nil)
            #expect(try await sessions.session(id: recent) != nil)
            #expect(try await events.saved(in: old).isEmpty)
            #expect(try await events.viewCounts() == ["nurse": 1])
            #expect(try await sessions.purge(olderThan: clock.now) == 0)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `an id given twice is refused, not overwritten`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let sessions = SessionRepository(database, makeID: { "same" })
            _ = try await sessions.create(kind: "quiz", answers: "1")
            await expectError(.uniqueViolation) { _ = try await sessions.create(kind: "quiz", answers: "2") }
            #expect(try await sessions.session(id: "same")?.answers == "1")
        }
    }

    @Test func `ids are long, of one form and all different`() {
        let ids = (0..<1000).map { _ in RandomID.make() }
        #expect(Set(ids).count == ids.count)
        #expect(ids.allSatisfy { id in id.utf8.count == 32 && id.allSatisfy { $0.isHexDigit && !$0.isUppercase } })
    }

    @Test func `ids come in the order of their moments and share nothing else`() {
        let start = Date(timeIntervalSince1970: 1_772_357_400)
        // Eighths of a second, which a double holds exactly.
        let ids = (0..<1000).map { RandomID.make(at: start + Double($0) / 8) }
        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
        let same = (0..<1000).map { _ in RandomID.make(at: start) }
        #expect(Set(same.map { $0.prefix(10) }).count == 1)
        // 22 digits of randomness: none of them stands still.
        for place in 10..<32 {
            let digits = Set(same.map { $0[$0.index($0.startIndex, offsetBy: place)] })
            #expect(digits.count == 16, "digit \(place)")
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a career is saved once in a session`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let sessions = SessionRepository(database, clock: clock.read)
            let events = CareerEventRepository(database, clock: clock.read)
            let one = try await sessions.create(kind: "quiz")
            let two = try await sessions.create(kind: "quiz")
            let start = clock.now
            #expect(try await events.save(career: "pilot", in: one))
            clock.advance(by: 1)
            #expect(try await events.save(career: "pilot", in: one) == false)
            #expect(try await events.save(career: "baker", in: one))
            #expect(try await events.save(career: "pilot", in: two))
            #expect(
                try await events.saved(in: one) == [
                    SavedCareer(careerID: "pilot", savedAt: start), SavedCareer(careerID: "baker", savedAt: clock.now),
                ])
            #expect(try await events.saveCounts() == ["pilot": 2, "baker": 1])
            #expect(try await events.unsave(career: "pilot", in: one))
            #expect(try await events.unsave(career: "pilot", in: one) == false)
            #expect(try await events.saveCounts() == ["pilot": 1, "baker": 1])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `an unknown session cannot save or view`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let events = CareerEventRepository(database)
            await expectError(.foreignKeyViolation) { _ = try await events.save(career: "a", in: "unknown") }
            await expectError(.foreignKeyViolation) { try await events.recordView(of: "a", in: "unknown") }
            let views = try await events.viewCounts()
            #expect(views.isEmpty)
            let saves = try await events.saveCounts()
            #expect(saves.isEmpty)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `every view counts`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let session = try await SessionRepository(database).create(kind: "recommend")
            let events = CareerEventRepository(database)
            for career in ["a", "b", "a"] { try await events.recordView(of: career, in: session) }
            try await events.recordView(of: "a", in: nil)
            #expect(try await events.viewCounts() == ["a": 3, "b": 1])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `settings are set, replaced and removed`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let settings = SettingRepository(database)
            #expect(try await settings.value(of: "limit") == nil)
            try await settings.set("limit", to: "1")
            try await settings.set("limit", to: "2")
            try await settings.set("name", to: #""x""#)
            #expect(try await settings.value(of: "limit") == "2")
            #expect(try await settings.all() == ["limit": "2", "name": #""x""#])
            #expect(try await settings.remove("limit"))
            #expect(try await settings.remove("limit") == false)
            #expect(try await settings.all() == ["name": #""x""#])
        }
    }
}
