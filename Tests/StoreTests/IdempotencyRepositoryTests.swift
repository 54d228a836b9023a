import Foundation
import Store
import Testing

struct IdempotencyRepositoryTests {
    private static let scope = "POST /api/quiz"

    @Test(arguments: DriverUnderTest.all)
    func `a request is started, resumed, done`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = IdempotencyRepository(database)
            let first = try await repository.reserve(key: "k", scope: Self.scope, requestHash: "h")
            guard case .started(let id, resumed: false) = first else {
                Issue.record("\(first)")
                return
            }
            #expect(id.utf8.count == 32)
            #expect(
                try await repository.reserve(key: "k", scope: Self.scope, requestHash: "h")
                    == .started(id: id, resumed: true))
            #expect(try await repository.reserve(key: "k", scope: Self.scope, requestHash: "other") == .mismatch)

            let reply = StoredReply(status: 201, contentType: "application/json", body: Array(#"{"a":"ä"}"#.utf8) + [0])
            try await repository.finish(key: "k", scope: Self.scope, reply: reply)
            #expect(try await repository.reserve(key: "k", scope: Self.scope, requestHash: "h") == .done(reply))
            #expect(try await repository.reserve(key: "k", scope: Self.scope, requestHash: "other") == .mismatch)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `keys of different scopes have nothing to do with each other`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = IdempotencyRepository(database)
            let one = try await repository.reserve(key: "k", scope: Self.scope, requestHash: "h")
            let two = try await repository.reserve(key: "k", scope: "POST /api/other", requestHash: "i")
            #expect(one != two)
            let reply = StoredReply(status: 200, contentType: "text/plain", body: [])
            try await repository.finish(key: "k", scope: "POST /api/other", reply: reply)
            #expect(try await repository.reserve(key: "k", scope: "POST /api/other", requestHash: "i") == .done(reply))
            guard
                case .started(_, resumed: true) = try await repository.reserve(
                    key: "k", scope: Self.scope, requestHash: "h")
            else {
                Issue.record("the reply went to another scope")
                return
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `the first reply stays, and none is kept without a reservation`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = IdempotencyRepository(database)
            let first = StoredReply(status: 200, contentType: "text/plain", body: [1])
            try await repository.finish(key: "k", scope: Self.scope, reply: first)
            guard
                case .started(_, resumed: false) = try await repository.reserve(
                    key: "k", scope: Self.scope, requestHash: "h")
            else {
                Issue.record("a reply without a reservation was kept")
                return
            }
            try await repository.finish(key: "k", scope: Self.scope, reply: first)
            try await repository.finish(
                key: "k", scope: Self.scope, reply: StoredReply(status: 500, contentType: "", body: []))
            #expect(try await repository.reserve(key: "k", scope: Self.scope, requestHash: "h") == .done(first))
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `of many that reserve one key at once, one is new and all have one id`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = IdempotencyRepository(database)
            for round in 0..<5 {
                let all = try await withThrowingTaskGroup(of: IdempotencyRepository.Reservation.self) { group in
                    for _ in 0..<40 {
                        group.addTask {
                            try await repository.reserve(key: "k\(round)", scope: Self.scope, requestHash: "h")
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                var ids: Set<String> = []
                var new = 0
                for case .started(let id, let resumed) in all {
                    ids.insert(id)
                    if !resumed { new += 1 }
                }
                #expect(all.count == 40 && ids.count == 1 && new == 1)
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `old requests are forgotten`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let repository = IdempotencyRepository(database, clock: clock.read)
            let old = try await repository.reserve(key: "old", scope: Self.scope, requestHash: "h")
            clock.advance(by: 10)
            let recent = try await repository.reserve(key: "recent", scope: Self.scope, requestHash: "h")
            #expect(try await repository.purge(olderThan: clock.now) == 1)
            #expect(try await repository.purge(olderThan: clock.now) == 0)
            let again = try await repository.reserve(key: "old", scope: Self.scope, requestHash: "h")
            guard case .started(_, resumed: false) = again else {
                Issue.record("\(again)")
                return
            }
            #expect(again != old)
            guard case .started(let id, _) = recent else {
                Issue.record("\(recent)")
                return
            }
            #expect(
                try await repository.reserve(key: "recent", scope: Self.scope, requestHash: "h")
                    == .started(id: id, resumed: true))
        }
    }
}
