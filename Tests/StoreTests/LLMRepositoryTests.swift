import Foundation
import Store
import Testing

struct LLMRepositoryTests {
    private let day = "2026-02-26"

    private func usage(
        _ cost: Int64, user: String? = "ada", feature: String = "resume", day: String = "2026-02-26"
    ) -> LLMUsageRecord {
        LLMUsageRecord(
            day: day, userID: user, feature: feature, provider: "openai", model: "m", calls: 1, inputTokens: 10,
            outputTokens: 2, cost: cost)
    }

    /// The row with which a call begins.
    private func opening(_ user: String) -> LLMUsageRecord {
        LLMUsageRecord(
            day: day, userID: user, feature: "resume", provider: "openai", model: "m", calls: 0, inputTokens: 0,
            outputTokens: 0, cost: 0)
    }

    // MARK: Usage

    @Test(arguments: DriverUnderTest.all)
    func `usage adds up by day, user, feature and model`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let usages = LLMUsageRepository(database)
            try await usages.add(usage(5))
            try await usages.add(usage(7))
            try await usages.add(usage(3, user: nil))
            try await usages.add(usage(4, feature: "digest"))
            try await usages.add(usage(100, day: "2026-02-25"))
            let rows = try await usages.rows(of: day)
            #expect(rows.map(\.cost) == [12, 4, 3])
            #expect(rows[0].calls == 2 && rows[0].inputTokens == 20 && rows[0].outputTokens == 4)
            #expect(rows.map(\.userID) == ["ada", "ada", nil])
            let (count, total) = try await usages.total(of: day)
            #expect(count == 3 && total == LLMUsageTotal(calls: 4, inputTokens: 40, outputTokens: 8, cost: 19))
            #expect(try await usages.rows(of: day, skip: 1, limit: 1).map(\.cost) == [4])
            #expect(try await usages.total(of: "2026-01-01").total.cost == 0)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `old days go`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let usages = LLMUsageRepository(database)
            try await usages.add(usage(5, day: "2026-01-31"))
            try await usages.add(usage(6, day: "2026-02-01"))
            #expect(try await usages.purge(before: "2026-02-01") == 1)
            #expect(try await usages.rows(of: "2026-02-01").count == 1)
        }
    }

    // MARK: Budget

    @Test(arguments: DriverUnderTest.all)
    func `calls at once cannot set aside more than the limit`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let budget = LLMBudgetRepository(database)
            let (now, day) = (TestClock().now, day)
            let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        try await budget.reserve(
                            7, id: "\(number)", day: day, limit: 100, now: now, expiresAt: now + 60
                        ).isReserved
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(taken == 14)
            let state = try await budget.state(of: day, limit: 100)
            #expect(state.reserved == 98 && state.remaining == 2 && state.spent == 0)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `settling frees what was set aside and counts what was spent`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let budget = LLMBudgetRepository(database)
            let now = TestClock().now
            for id in ["a", "b"] {
                _ = try await budget.reserve(50, id: id, day: day, limit: 100, now: now, expiresAt: now + 60)
            }
            #expect(
                try await budget.reserve(1, id: "c", day: day, limit: 100, now: now, expiresAt: now).isReserved == false
            )
            #expect(try await budget.settle(id: "a", day: day, usage: usage(10), limit: 100).isEmpty)
            #expect(try await budget.settle(id: "b", day: day, usage: nil, limit: 100).isEmpty)
            let state = try await budget.state(of: day, limit: 100)
            #expect(state.spent == 10 && state.reserved == 0 && !state.isStored)
            #expect(try await LLMUsageRepository(database).total(of: day).total.calls == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `what nobody settles counts as spent when its time is over`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let budget = LLMBudgetRepository(database)
            let now = TestClock().now
            _ = try await budget.reserve(60, id: "lost", day: day, limit: 100, now: now, expiresAt: now + 60)
            let later = now + 61
            let next = try await budget.reserve(50, id: "b", day: day, limit: 100, now: later, expiresAt: later + 60)
            #expect(!next.isReserved && next.state.spent == 60 && next.state.reserved == 0)
            // Its call ends after all: it is accounted for, and not counted again.
            _ = try await budget.settle(id: "lost", day: day, usage: usage(5), limit: 100)
            #expect(try await budget.state(of: day, limit: 100).spent == 60)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `each alert is told once a day`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let budget = LLMBudgetRepository(database)
            let now = TestClock().now
            func spend(_ amount: Int64, day: String) async throws -> [Int] {
                let id = UUID().uuidString
                _ = try await budget.reserve(0, id: id, day: day, limit: 1000, now: now, expiresAt: now + 60)
                return try await budget.settle(id: id, day: day, usage: usage(amount, day: day), limit: 1000)
                    .map(\.percent)
            }
            var told: [[Int]] = []
            for amount: Int64 in [799, 1, 199, 1, 1000] { told.append(try await spend(amount, day: day)) }
            #expect(told == [[], [80], [], [100], []])
            let next = try await spend(5000, day: "2026-02-27")
            #expect(next == [80, 100])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `the first refusal of a day is told, whoever makes it`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let budget = LLMBudgetRepository(database)
            let now = TestClock().now
            func reserve(_ amount: Int64, day: String, usual: Int64 = 0) async throws -> [Int] {
                try await budget.reserve(
                    amount, id: UUID().uuidString, day: day, limit: 100, usual: usual, now: now, expiresAt: now + 60
                ).alerts.map(\.percent)
            }
            // What is set aside counts where a call is refused for it.
            var told: [[Int]] = []
            for amount: Int64 in [60, 39, 1, 1, 1] { told.append(try await reserve(amount, day: day)) }
            #expect(told == [[], [], [], [80, 100], []])
            #expect(try await budget.refuse(day: day, limit: 100).isEmpty)
            // Each call is dearer than the day's limit.
            let next = "2026-02-27"
            #expect(try await reserve(101, day: next, usual: 101) == [100])
            #expect(try await budget.refuse(day: next, limit: 100, usual: 101).isEmpty)
            let last = try await budget.refuse(day: "2026-02-28", limit: 100, usual: 101).map(\.percent)
            #expect(last == [100])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a call that is far dearer than others is refused without a word of the day`(driver: DriverUnderTest)
        async throws
    {
        try await driver.withSchema { database in
            let budget = LLMBudgetRepository(database)
            let now = TestClock().now
            func refusals(_ id: String) async throws -> [[Int]] {
                let refused = try await budget.reserve(
                    1000, id: id, day: day, limit: 100, usual: 10, now: now, expiresAt: now + 60)
                #expect(!refused.isReserved)
                return [
                    refused.alerts.map(\.percent),
                    try await budget.refuse(day: day, limit: 100, usual: 10).map(\.percent),
                ]
            }
            #expect(try await refusals("a") == [[], []])
            _ = try await budget.reserve(70, id: "b", day: day, limit: 100, usual: 10, now: now, expiresAt: now + 60)
            #expect(try await budget.extend(id: "b", to: 1000, day: day, limit: 100, usual: 10).alerts.isEmpty)
            #expect(try await budget.state(of: day, limit: 100).wasUsedUp == false)
            _ = try await budget.reserve(20, id: "c", day: day, limit: 100, usual: 10, now: now, expiresAt: now + 60)
            // As much as others may cost.
            #expect(try await refusals("d") == [[80], []])
            _ = try await budget.reserve(1, id: "e", day: day, limit: 100, usual: 10, now: now, expiresAt: now + 60)
            #expect(try await refusals("f") == [[100], []])
            #expect(try await budget.state(of: day, limit: 100).wasUsedUp)
        }
    }

    @Test(
        arguments: [
            (6, 0, false), (5, 0, true), (0, 0, true), (-7, 0, true), (50, 50, false), (50, 51, true),
        ] as [(Int64, Int64, Bool)])
    func `what is left is next to nothing below a call's cost or a twentieth`(left: Int64, usual: Int64, isLittle: Bool)
    {
        let state = LLMBudgetState(day: day, limit: 100, spent: 0, reserved: 0, isStored: false)
        #expect(state.isLittle(left, usual: usual) == isLittle)
    }

    @Test(arguments: DriverUnderTest.all)
    func `what a killed process had set aside alerts when it counts as spent`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let budget = LLMBudgetRepository(database)
            let now = TestClock().now
            _ = try await budget.reserve(85, id: "lost", day: day, limit: 100, now: now, expiresAt: now + 60)
            let later = now + 61
            let next = try await budget.reserve(5, id: "b", day: day, limit: 100, now: later, expiresAt: later + 60)
            #expect(next.isReserved && next.alerts.map(\.percent) == [80])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a reservation grows within the limit alone`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let budget = LLMBudgetRepository(database)
            let now = TestClock().now
            for id in ["a", "b"] {
                _ = try await budget.reserve(30, id: id, day: day, limit: 100, now: now, expiresAt: now + 60)
            }
            #expect(try await budget.extend(id: "a", to: 70, day: day, limit: 100).isReserved)
            #expect(try await budget.state(of: day, limit: 100).reserved == 100)
            let refused = try await budget.extend(id: "b", to: 31, day: day, limit: 100)
            #expect(!refused.isReserved && refused.alerts.map(\.percent) == [80, 100])
            // It does not shrink, and one that has ended does not come back.
            #expect(try await budget.extend(id: "a", to: 1, day: day, limit: 100).isReserved)
            #expect(try await budget.state(of: day, limit: 100).reserved == 100)
            _ = try await budget.settle(id: "a", day: day, usage: nil, limit: 100)
            #expect(try await budget.extend(id: "a", to: 1, day: day, limit: 100).isReserved == false)
            #expect(try await budget.state(of: day, limit: 100).reserved == 30)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `what ends after its user was erased is nobody's`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let (budget, usages) = (LLMBudgetRepository(database), LLMUsageRepository(database))
            let (now, cache) = (TestClock().now, LLMCacheRepository(database))
            for user in ["ada", "eve"] {
                try await usages.open(opening(user))
                _ = try await budget.reserve(
                    50, id: user, day: day, limit: 100, now: now, expiresAt: now + 60, opened: opening(user))
            }
            // A call that has begun is no call yet.
            #expect(try await usages.rows(of: day).isEmpty)
            #expect(try await usages.total(of: day).rows == 0)
            try await database.write { try $0.execute("DELETE FROM llm_usage WHERE user_id = 'ada'") }
            for user in ["ada", "eve"] {
                _ = try await budget.settle(id: user, day: day, usage: usage(5, user: user), limit: 100)
                try await cache.set(user, to: "x", userID: user, expiresAt: now + 60, needsUsage: true)
            }
            #expect(try await usages.rows(of: day).map(\.userID) == [nil, "eve"])
            #expect(try await cache.present(["ada", "eve"]) == ["eve"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `money set aside later brings nobody back who was erased, on the same day or the next`(driver: DriverUnderTest)
        async throws
    {
        try await driver.withSchema { database in
            let (budget, usages) = (LLMBudgetRepository(database), LLMUsageRepository(database))
            let (now, cache) = (TestClock().now, LLMCacheRepository(database))
            let days = [day, "2026-02-27"]
            for user in ["ada", "eve"] { try await usages.open(opening(user)) }
            try await database.write { try $0.execute("DELETE FROM llm_usage WHERE user_id = 'ada'") }
            for day in days {
                for user in ["ada", "eve"] {
                    _ = try await budget.reserve(
                        10, id: user, day: day, limit: 100, now: now, expiresAt: now + 60, opened: opening(user))
                    _ = try await budget.settle(id: user, day: day, usage: usage(5, user: user, day: day), limit: 100)
                }
            }
            for user in ["ada", "eve"] {
                try await cache.set(user, to: "x", userID: user, expiresAt: now + 60, needsUsage: true)
            }
            for day in days { #expect(try await usages.rows(of: day).map(\.userID) == [nil, "eve"]) }
            #expect(try await cache.present(["ada", "eve"]) == ["eve"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a stored limit holds in place of the given one`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let budget = LLMBudgetRepository(database)
            let now = TestClock().now
            try await budget.setLimit(10, now: now)
            let state = try await budget.state(of: day, limit: 100)
            #expect(state.limit == 10 && state.isStored)
            #expect(
                try await budget.reserve(11, id: "a", day: day, limit: 100, now: now, expiresAt: now).isReserved
                    == false)
            try await budget.setLimit(nil, now: now)
            #expect(try await budget.state(of: day, limit: 100).limit == 100)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a day that was used up is known to be, until its limit is another`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let budget = LLMBudgetRepository(database)
            let now = TestClock().now
            let today = String(SQLTime.text(of: now).prefix(10))
            func isUsedUp(_ day: String) async throws -> Bool {
                try await budget.state(of: day, limit: 100).wasUsedUp
            }
            #expect(try await isUsedUp(today) == false)
            for day in [today, "2001-01-01"] {
                let refused = try await budget.reserve(
                    101, id: day, day: day, limit: 100, usual: 101, now: now, expiresAt: now + 60)
                #expect(!refused.isReserved && refused.alerts.map(\.percent) == [100])
                #expect(try await isUsedUp(day))
            }
            #expect(try await isUsedUp("2001-01-02") == false)
            try await budget.setLimit(200, now: now)
            #expect(try await isUsedUp(today) == false)
            #expect(try await isUsedUp("2001-01-01"), "what is over is left as it was")
            // Told of the other limit as of the first.
            #expect(try await budget.refuse(day: today, limit: 100, usual: 201).map(\.percent) == [100])
            #expect(try await isUsedUp(today))
        }
    }

    // MARK: Cache

    @Test(arguments: DriverUnderTest.all)
    func `a reply is kept until it expires`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let cache = LLMCacheRepository(database, clock: clock.read)
            #expect(try await cache.reply(of: "k") == nil)
            try await cache.set("k", to: "one", userID: "ada", expiresAt: clock.now + 10)
            try await cache.set("k", to: "two", userID: "ada", expiresAt: clock.now + 20)
            clock.advance(by: 19)
            let found = try #require(try await cache.reply(of: "k"))
            #expect(found.text == "two" && found.expiresAt == clock.now + 1)
            clock.advance(by: 1)
            #expect(try await cache.reply(of: "k") == nil)
            #expect(try await cache.count() == 1)
            #expect(try await cache.purge(limit: 10) == 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `what is too much goes, the earliest to expire first`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let cache = LLMCacheRepository(database, clock: clock.read)
            for number in 0..<5 {
                try await cache.set("k\(number)", to: "x", userID: nil, expiresAt: clock.now + Double(number + 1))
            }
            #expect(try await cache.purge(limit: 2) == 3)
            #expect(try await cache.reply(of: "k3") != nil)
            #expect(try await cache.reply(of: "k4") != nil)
            #expect(try await cache.reply(of: "k1") == nil)
        }
    }

    // MARK: Prompts

    @Test(arguments: DriverUnderTest.all)
    func `prompts are stored, replaced and removed`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let prompts = PromptRepository(database, clock: clock.read)
            try await prompts.set("b", to: "one", by: nil)
            try await prompts.set("a", to: "two", by: "ada")
            clock.advance(by: 1)
            try await prompts.set("b", to: "three", by: "eve")
            #expect(try await prompts.all().map(\.id) == ["a", "b"])
            let found = try #require(try await prompts.prompt(id: "b"))
            #expect(found.text == "three" && found.updatedBy == "eve" && found.updatedAt == clock.now)
            #expect(try await prompts.remove("b"))
            #expect(try await prompts.remove("b") == false)
            #expect(try await prompts.prompt(id: "b") == nil)
        }
    }
}
