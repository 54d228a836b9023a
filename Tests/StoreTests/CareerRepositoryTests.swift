import Foundation
import Store
import Testing

struct CareerRepositoryTests {
    @Test(arguments: DriverUnderTest.all)
    func `careers are added, then unchanged, then changed`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let clock = TestClock()
            let repository = CareerRepository(database, clock: clock.read)
            let given = ["nurse", "baker", "pilot"].map { Self.career($0) }
            var report = try await repository.update(given)
            #expect(report.added == ["baker", "nurse", "pilot"])
            #expect(report.changed.isEmpty && report.unchanged.isEmpty && report.retired.isEmpty)

            let created = clock.now
            clock.advance(by: 10)
            var altered = given
            altered[0].document = #"{"title":"Nurse"}"#
            report = try await repository.update(altered)
            #expect(report.added.isEmpty)
            #expect(report.changed == ["nurse"])
            #expect(report.unchanged == ["baker", "pilot"])

            let nurse = try #require(try await repository.career(id: "nurse"))
            #expect(nurse.content == altered[0])
            #expect(nurse.createdAt == created)
            #expect(nurse.updatedAt == clock.now)
            let baker = try #require(try await repository.career(id: "baker"))
            #expect(baker.updatedAt == created)
            #expect(try await repository.activeCount() == 3)
            #expect(try await repository.career(id: "nobody") == nil)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `every field alone makes a change`(driver: DriverUnderTest) async throws {
        let alterations: [@Sendable (inout CareerContent) -> Void] = [
            { $0.source = "other" }, { $0.name += "!" }, { $0.cluster = "Other" }, { $0.document = "{}" },
            { $0.abilities[14] = 0.25 },
        ]
        try await driver.withSchema { database in
            let repository = CareerRepository(database)
            var career = Self.career("nurse")
            _ = try await repository.update([career])
            for alter in alterations {
                alter(&career)
                #expect(try await repository.update([career]).changed == ["nurse"])
                #expect(try await repository.career(id: "nurse")?.content == career)
                #expect(try await repository.update([career]).unchanged == ["nurse"])
            }
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `what a source no longer gives is retired, and may come back`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = CareerRepository(database)
            _ = try await repository.update(["a", "b", "c"].map { Self.career($0, source: "one") })
            _ = try await repository.update([Self.career("x", source: "two")], retiringMissingOf: "two")

            var report = try await repository.update([Self.career("b", source: "one")], retiringMissingOf: "one")
            #expect(report.retired == ["a", "c"])
            #expect(try await repository.retiredIDs().sorted() == ["a", "c"])
            let counts = try await repository.counts()
            #expect(counts.map(\.source) == ["one", "two"])
            #expect(counts.map(\.active) == [1, 1] && counts.map(\.retired) == [2, 0])
            #expect(report.unchanged == ["b"])
            #expect(try await repository.active().map(\.content.id) == ["b", "x"])
            #expect(try await repository.career(id: "a")?.isActive == false)

            report = try await repository.update([Self.career("b", source: "one")], retiringMissingOf: "one")
            #expect(report.retired.isEmpty)
            report = try await repository.update([Self.career("a", source: "one")])
            #expect(report.changed == ["a"])
            #expect(try await repository.active().map(\.content.id) == ["a", "b", "x"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `active careers come in order of id`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = CareerRepository(database)
            let ids = ["b", "a-2", "a_1", "Z", "a", "ä", "10", "9"]
            _ = try await repository.update(ids.map { Self.career($0) })
            #expect(try await repository.active().map(\.content.id) == ["10", "9", "Z", "a", "a-2", "a_1", "b", "ä"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `abilities come back exactly`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = CareerRepository(database)
            var career = Self.career("nurse")
            career.abilities = [
                0, 10, 0.1, 1.0 / 3, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -2.5, 1e21, 7, 1e-5,
            ]
            _ = try await repository.update([career])
            #expect(try await repository.career(id: "nurse")?.content.abilities == career.abilities)
            career.abilities = []
            _ = try await repository.update([career])
            #expect(try await repository.career(id: "nurse")?.content.abilities.isEmpty == true)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `one bad career stores none`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = CareerRepository(database)
            for bad in [Double.nan, .infinity] {
                var career = Self.career("pilot")
                career.abilities[3] = bad
                await expectError(.invalidValue) { _ = try await repository.update([Self.career("nurse"), career]) }
            }
            let error = await expectError(.invalidValue) {
                _ = try await repository.update(["a", "b", "a"].map { Self.career($0) })
            }
            #expect(error?.message.contains("twice: a") == true)
            let count = try await repository.activeCount()
            #expect(count == 0)
        }
    }

    static func career(_ id: String, source: String = "catalogue") -> CareerContent {
        CareerContent(
            id: id, source: source, name: id.capitalized, cluster: "Health", document: #"{"id":"\#(id)"}"#,
            abilities: (0..<15).map { Double($0) / 2 })
    }
}
