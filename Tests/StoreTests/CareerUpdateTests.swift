import Foundation
import Store
import Testing

struct CareerUpdateTests {
    private static let onet = CareerSource(
        name: "onet", title: "O*NET", attribution: "Includes O*NET", licence: "CC BY 4.0",
        url: "https://www.onetcenter.org", version: "30.0")

    @Test(arguments: DriverUnderTest.all)
    func `careers and their sources are stored together`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = CareerRepository(database)
            let sources = CareerSourceRepository(database)
            let plain = CareerSource(name: "file", title: "A file")
            let report = try await repository.update(
                CareerUpdate(careers: [Self.career("nurse")], sources: [Self.onet, plain]))
            #expect(report.added == ["nurse"])
            #expect(report.changedSources == ["file", "onet"])
            #expect(try await sources.all() == [plain, Self.onet])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `the revision counts what changes and nothing else`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = CareerRepository(database)
            #expect(try await repository.revision() == 0)
            var update = CareerUpdate(
                careers: ["a", "b"].map { Self.career($0) }, sources: [Self.onet], retiringMissingOf: ["onet"])
            func apply(_ update: CareerUpdate, changes: Bool, _ what: Comment) async throws {
                let before = try await repository.revision()
                let report = try await repository.update(update)
                #expect(report.hasChanges == changes, what)
                #expect(try await repository.revision() == before + (changes ? 1 : 0), what)
            }
            try await apply(update, changes: true, "careers and a source are new")
            try await apply(update, changes: false, "the same again")
            update.careers[0].name = "Other"
            try await apply(update, changes: true, "a career differs")
            update.careers[0].source = "elsewhere"
            try await apply(update, changes: true, "a career has another source")
            update.careers.removeFirst()
            try await apply(update, changes: false, "a career of a source that was not named is missing")
            update.careers = []
            try await apply(update, changes: true, "a career is retired")
            try await apply(update, changes: false, "a career stays retired")
            try await apply(CareerUpdate(careers: []), changes: false, "nothing is given")
            for alter: (inout CareerSource) -> Void in [
                { $0.title += "!" }, { $0.attribution = nil }, { $0.licence = "other" }, { $0.url = nil },
                { $0.version = "31.0" },
            ] {
                alter(&update.sources[0])
                try await apply(update, changes: true, "a source is described otherwise")
                #expect(try await CareerSourceRepository(database).all() == update.sources)
                try await apply(update, changes: false, "a source is described as before")
            }

            let before = try await repository.revision()
            _ = try await repository.update([Self.career("c")])
            _ = try await repository.update([Self.career("c")])
            #expect(try await repository.revision() == before + 1)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `named sources are retired`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = CareerRepository(database)
            _ = try await repository.update(
                [
                    Self.career("a", source: "one"), Self.career("b", source: "one"), Self.career("c", source: "two"),
                    Self.career("d", source: "three"), Self.career("e", source: "two"),
                ])
            // One that changes its source is among the careers, and so stays.
            let report = try await repository.update(
                CareerUpdate(careers: [Self.career("e", source: "four")], retiringMissingOf: ["one", "two"]))
            #expect(report.changed == ["e"])
            #expect(report.retired == ["a", "b", "c"])
            #expect(try await repository.active().map(\.content.id) == ["d", "e"])
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `all other sources are retired`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = CareerRepository(database)
            _ = try await repository.update(
                [
                    Self.career("a", source: "one"), Self.career("b", source: "two"), Self.career("c", source: "three"),
                ])
            let update = CareerUpdate(
                careers: [Self.career("b", source: "two"), Self.career("n", source: "four")],
                retiringAllOtherSources: true)
            let report = try await repository.update(update)
            #expect(report.added == ["n"] && report.unchanged == ["b"] && report.retired == ["a", "c"])
            #expect(try await repository.active().map(\.content.id) == ["b", "n"])
            #expect(try await repository.update(update).hasChanges == false)
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a refused update stores nothing and counts nothing`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = CareerRepository(database)
            _ = try await repository.update([Self.career("a")])
            var bad = Self.career("z")
            bad.abilities = [.nan]
            for update in [
                CareerUpdate(careers: [bad], sources: [Self.onet], retiringAllOtherSources: true),
                CareerUpdate(careers: [Self.career("b"), Self.career("b")], retiringAllOtherSources: true),
                CareerUpdate(careers: [Self.career("b")], sources: [Self.onet, Self.onet]),
            ] {
                await expectError(.invalidValue) { _ = try await repository.update(update) }
            }
            #expect(try await repository.active().map(\.content.id) == ["a"])
            #expect(try await CareerSourceRepository(database).all().isEmpty)
            #expect(try await repository.revision() == 1)
        }
    }

    private static func career(_ id: String, source: String = "onet") -> CareerContent {
        CareerRepositoryTests.career(id, source: source)
    }
}
