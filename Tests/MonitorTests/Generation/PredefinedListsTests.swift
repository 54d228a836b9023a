import Engine
import Foundation
import Monitor
import Platform
import TestSupport
import Testing

struct PredefinedListsTests {
    private func list(_ interests: String, course: String = "", careers: [Career]) async throws -> [ListedCareer] {
        let fixture = try await GenerationFixture(hasVectors: false, careers: careers)
        let input = GenerationFixture.student(interests, course: course)
        return try await fixture.maker.lists(for: [input]).first?.careers ?? []
    }

    private static func builtIn() throws -> [Career] {
        let folder = RepositoryRoot.file("Sources/CAssets/careers")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().flatMap { name in
            try CareerFile.careers(from: GenerationFixture.asset("careers/\(name)"), named: name)
        }
    }

    @Test func `the built-in lists name careers of the built-in catalogue`() throws {
        let names = Set(try Self.builtIn().map(\.name))
        let text = String(decoding: try GenerationFixture.asset("predefined-lists.json"), as: UTF8.self)
        let document = try JSONReply.tree(of: text)
        let listed = (document["areas"]?.elements ?? []).flatMap { $0["careers"]?.elements ?? [] }
        #expect(listed.count >= 100)
        for career in listed.compactMap({ $0["career"]?.text }) { #expect(names.contains(career), "\(career)") }
        #expect(document["general"]?.elements?.count == ListMaker.listSize)
    }

    @Test func `careers come from the areas that are named, the most named one first, in turns`() async throws {
        let list = try await list("guitar, music, cricket", careers: SmallCatalogue.careers)
        #expect(list.count == ListMaker.listSize && Set(list.map(\.career)).count == list.count)
        #expect(list[0].reason.contains("Media & Performance") && list[0].reason.contains("“music”"))
        #expect(list[1].reason.contains("Sport & Transport") && list[1].reason.contains("“cricket”"))
        #expect(list[2].reason.contains("Media & Performance"))
    }

    @Test func `a word is found as a whole, within one interest`() async throws {
        // “artisan” is no art, and no one said “social work”.
        let list = try await list("artisanal, social, work", careers: SmallCatalogue.careers)
        #expect(list.allSatisfy { $0.reason.hasPrefix("Chosen by many students") })
    }

    @Test func `only careers that there are count as the catalogue's`() async throws {
        let list = try await list("music, guitar, singing", careers: SmallCatalogue.careers)
        let ids = Set(SmallCatalogue.careers.map(\.id))
        for career in list {
            #expect(career.inCatalogue == (career.careerID != nil) && career.score == nil && career.band == nil)
            if let id = career.careerID { #expect(ids.contains(id)) }
            #expect(!career.skills.isEmpty && career.cluster?.isEmpty == false)
            if !career.inCatalogue { #expect(career.salaryRange == nil) }
        }
        #expect(list.contains { $0.career == "Musician" && $0.cluster == "Media & Performance" && $0.inCatalogue })
        #expect(list.contains { !$0.inCatalogue })
    }

    @Test(arguments: [
        "", "[]", #"{"areas":[],"general":[]}"#, #"{"areas":[],"general":["Chef"]}"#,
        #"{"areas":[{"area":"A","words":[],"careers":[{"career":"Chef","skills":[]}]}],"general":["Chef"]}"#,
        #"{"areas":[{"area":"A","words":["a"],"careers":[]}],"general":["Chef"]}"#,
    ])
    func `a file that lacks something is refused`(_ text: String) {
        #expect(throws: CatalogueError.self) { try PredefinedLists(from: Data(text.utf8)) }
    }
}
