import Foundation
import Store
import TestSupport
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
    func `an id that is stored in other bytes is refused`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = CareerRepository(database)
            // “ä” as one scalar, and as two.
            _ = try await repository.update([Self.career("b\u{E4}cker")])
            let other = CareerUpdate(careers: [Self.career("ba\u{308}cker"), Self.career("nurse")])
            let error = await expectError(.invalidValue) { _ = try await repository.update(other) }
            #expect(error?.message.contains("in other bytes") == true)
            #expect(try await repository.active().count == 1)
            // Once the first is retired, the other may come.
            let alone = CareerUpdate(careers: [Self.career("nurse")], retiringAllOtherSources: true)
            _ = try await repository.update(alone)
            #expect(try await repository.update(other).added.count == 1)
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

    @Test(arguments: DriverUnderTest.all)
    func `each source is counted, and careers that change hands are named`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = CareerRepository(database)
            _ = try await repository.update(
                ["a", "b", "c"].map { Self.career($0, source: "one") } + [Self.career("d", source: "two")])
            // “gone” is nobody's: it was retired before another source gave it.
            _ = try await repository.update([Self.career("gone", source: "three")])
            _ = try await repository.update([], retiringMissingOf: "three")
            let report = try await repository.update(
                CareerUpdate(
                    careers: ["a", "b", "n", "gone"].map { Self.career($0, source: "two") },
                    retiringMissingOf: ["two"]))
            #expect(report.takenOver.map(\.id) == ["a", "b"])
            #expect(report.takenOver.allSatisfy { $0.from == "one" && $0.to == "two" })
            #expect(report.sources.keys.sorted() == ["one", "two"])
            let (one, two) = (try #require(report.sources["one"]), try #require(report.sources["two"]))
            #expect((one.before, one.added, one.changed, one.retired, one.kept) == (3, 0, 0, 0, 0))
            #expect((two.before, two.added, two.changed, two.unchanged, two.retired) == (1, 1, 3, 0, 1))
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a source that would lose more than half is kept`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = CareerRepository(database)
            let all = (0..<20).map { Self.career("c\($0 + 10)") }
            let few = (0..<9).map { Self.career("f\($0)", source: "few") }
            _ = try await repository.update(all + few)
            func update(_ careers: [CareerContent], _ sources: Set<String> = ["onet"]) -> CareerUpdate {
                CareerUpdate(careers: careers, retiringMissingOf: sources, keepingSourcesThatWouldShrink: true)
            }
            // New careers do not make up for those that are missing.
            let new = (0..<30).map { Self.career("n\($0 + 10)") }
            var report = try await repository.update(update(Array(all[..<9]) + new))
            #expect(report.retired.isEmpty && report.sources["onet"]?.kept == 11, "11 of 20 are missing")
            #expect(report.added.count == 30)
            _ = try await repository.update(
                CareerUpdate(careers: all, retiringMissingOf: ["onet"], keepingSourcesThatWouldShrink: false))
            #expect(try await repository.activeCount() == 29)
            report = try await repository.update(update(Array(all[..<10])))
            #expect(report.retired.count == 10 && report.sources["onet"]?.kept == 0, "half may go")
            report = try await repository.update(update([few[0]], ["few"]))
            #expect(report.retired.count == 8, "so few are not guarded")
            report = try await repository.update(update([], ["onet", "few"]))
            #expect(report.retired == ["f0"] && report.sources["onet"]?.kept == 10, "each source is judged alone")
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a setting comes with the end of its source`(driver: DriverUnderTest) async throws {
        try await driver.withSchema { database in
            let repository = CareerRepository(database)
            let settings = SettingRepository(database)
            let all = (0..<12).map { Self.career("c\($0 + 10)") }
            _ = try await repository.update(all)
            var update = CareerUpdate(
                careers: [all[0], Self.career("new", source: "file")], retiringMissingOf: ["onet", "file"],
                retiringAllOtherSources: true, keepingSourcesThatWouldShrink: true,
                settingsOfRetiredSources: ["onet": "onet_retired"])
            #expect(try await repository.update(update).sources["onet"]?.kept == 11)
            #expect(try await settings.value(of: "onet_retired") == nil)
            update.careers.removeFirst()
            update.retiringMissingOf = ["file"]
            #expect(try await repository.preview(update).retired.count == 12)
            #expect(try await settings.value(of: "onet_retired") == nil)
            #expect(try await repository.update(update).retired.count == 12)
            #expect(try await settings.value(of: "onet_retired") == "true")
        }
    }

    @Test(arguments: DriverUnderTest.all)
    func `a preview tells what the update does, and does nothing`(driver: DriverUnderTest) async throws {
        var generator = SeededGenerator()
        let names = ["one", "two", "three"]
        try await driver.withSchema { database in
            let repository = CareerRepository(database)
            struct State: Equatable {
                let careers: [CareerRecord]
                let sources: [CareerSource]
                let settings: [String: String]
                let revision: Int64
            }
            func state() async throws -> State {
                State(
                    careers: try await repository.active(), sources: try await CareerSourceRepository(database).all(),
                    settings: try await SettingRepository(database).all(), revision: try await repository.revision())
            }
            for round in 0..<60 {
                let ids = (0..<40).filter { _ in Bool.random(using: &generator) }
                var update = CareerUpdate(
                    careers: ids.map { number in
                        var career = Self.career("c\(number)", source: names.randomElement(using: &generator) ?? "")
                        career.name += Int.random(in: 0..<4, using: &generator) == 0 ? "!" : ""
                        return career
                    })
                update.careers.removeLast(Int.random(in: 0...update.careers.count, using: &generator))
                update.sources = [
                    CareerSource(name: "one", title: "T\(Int.random(in: 0..<3, using: &generator))")
                ]
                update.retiringMissingOf = Set(names.filter { _ in Bool.random(using: &generator) })
                update.retiringAllOtherSources = Int.random(in: 0..<5, using: &generator) == 0
                update.keepingSourcesThatWouldShrink = Bool.random(using: &generator)
                update.settingsOfRetiredSources = ["two": "two_\(round)"]
                let before = try await state()
                let preview = try await repository.preview(update)
                #expect(try await state() == before, "round \(round), \(generator)")
                #expect(try await repository.update(update) == preview, "round \(round), \(generator)")
                let counts = preview.sources.values
                #expect(counts.reduce(0) { $0 + $1.added } == preview.added.count, "\(generator)")
                #expect(counts.reduce(0) { $0 + $1.changed } == preview.changed.count, "\(generator)")
                #expect(counts.reduce(0) { $0 + $1.unchanged } == preview.unchanged.count, "\(generator)")
                #expect(counts.reduce(0) { $0 + $1.retired } == preview.retired.count, "\(generator)")
            }
            var bad = Self.career("z")
            bad.abilities = [.nan]
            let refused = CareerUpdate(careers: [bad])
            await expectError(.invalidValue) { _ = try await repository.preview(refused) }
        }
    }

    private static func career(_ id: String, source: String = "onet") -> CareerContent {
        CareerRepositoryTests.career(id, source: source)
    }
}
