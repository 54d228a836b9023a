import Engine
import Foundation
import Monitor
import Store
import Testing

struct EngineListTests {
    private func student(_ interests: String, course: String = "", hometown: String = "", id: String = "u1")
        -> StudentInput
    {
        GenerationFixture.student(interests, course: course, hometown: hometown, id: id)
    }

    @Test func `a list has the engine's careers, with the catalogue's facts and plain reasons`() async throws {
        let fixture = try await GenerationFixture()
        let list = try #require(
            try await fixture.maker.lists(for: [student("painting, pictures, books", course: "Fine Arts")]).first)
        #expect(list.origin == .engine && list.problem == nil && list.costNanodollars == 0)
        #expect(list.generation == Int64(clamping: fixture.recommender.current.number))
        #expect(list.careers.count == ListMaker.listSize)
        let first = try #require(list.careers.first)
        #expect(first.careerID == "illustrator" && first.career == "Illustrator" && first.cluster == "Art & Design")
        #expect(first.salaryRange == "$40k – $90k" && first.skills == ["books", "patience", "illustrator tools"])
        // What was named and is used is said.
        #expect(first.reason.contains("above all for “") && first.reason.contains("It uses what you named: books."))
        for career in list.careers {
            #expect(career.origin == "engine" && career.inCatalogue && career.band != nil)
            #expect(career.reason.hasSuffix(".") && !career.reason.contains(where: \.isNumber))
            let score = try #require(career.score)
            #expect((0...100).contains(score) && (score * 10).rounded() / 10 == score)
        }
        // As varied as everywhere else: one career a cluster.
        #expect(Set(list.careers.map(\.cluster)).count == list.careers.count)
    }

    @Test func `a reason names the interests that led to the career, and the course where it did`() async throws {
        let fixture = try await GenerationFixture()
        let inputs = [
            student("guitar and piano, cooking meals"), student("guitar and piano", course: "Plays music"),
            student("<b>guitar</b> and [piano](https://evil.example/)"),
        ]
        let lists = try await fixture.maker.lists(for: inputs)
        func reason(_ id: String, in list: MadeList) throws -> String {
            try #require(list.careers.first { $0.careerID == id }).reason
        }
        let chef = try reason("chef", in: lists[0])
        #expect(chef.contains("above all for “cooking meals”") && !chef.contains("guitar"))
        let musician = try reason("musician", in: lists[0])
        #expect(musician.contains("above all for “guitar and piano”") && !musician.contains("cooking"))
        let both = try reason("musician", in: lists[1])
        #expect(both.contains("“guitar and piano”") && both.contains("“plays music”"))
        #expect(both.contains("leads here too."))
        let marked = try reason("musician", in: lists[2])
        #expect(marked.contains("“guitar and piano”"))
    }

    @Test func `equal inputs have equal lists, however they are written and whoever wrote them`() async throws {
        let fixture = try await GenerationFixture()
        let lists = try await fixture.maker.lists(for: [
            student("Painting, pictures;music", course: "Fine Arts", hometown: "Pune"),
            student("music | PICTURES\npainting, music", course: " fine  arts ", hometown: "PUNE", id: "u2"),
            student("cooking", course: "Fine Arts", hometown: "Pune", id: "u3"),
        ])
        #expect(lists[0] == lists[1] && lists[0].document == lists[1].document)
        #expect(lists[0] != lists[2])
        #expect(try await fixture.maker.lists(for: [student("cooking", course: "Fine Arts")]).first == lists[2])
    }

    @Test func `a batch gives what one by one gives`() async throws {
        let fixture = try await GenerationFixture()
        let inputs =
            SmallCatalogue.careers.enumerated().map { student($1.description, course: $1.cluster, id: "u\($0)") }
            + [student("", id: "nobody"), student("12, 34", course: "guitar", id: "digits")]
        let batch = try await fixture.maker.lists(for: inputs)
        #expect(batch.count == inputs.count)
        for (input, list) in zip(inputs, batch) {
            #expect(try await fixture.maker.lists(for: [input]) == [list], "\(input.userID)")
        }
        #expect(try await fixture.maker.lists(for: []).isEmpty)
    }

    @Test func `where somebody comes from changes no search`() async throws {
        let fixture = try await GenerationFixture()
        let lists = try await fixture.maker.lists(for: [
            student("cooking meals", hometown: "Pune"), student("cooking meals", hometown: "Laboratories of guitar"),
        ])
        #expect(lists[0] == lists[1] && lists[0].careers.first?.careerID == "chef")
    }

    @Test func `the JSON of a list is what it says, its fields in their order`() async throws {
        let fixture = try await GenerationFixture()
        let maker = fixture.maker
        let list = try #require(try await maker.lists(for: [student("teaching pupils")]).first)
        #expect(try JSONDecoder().decode([ListedCareer].self, from: Data(list.document.utf8)) == list.careers)
        let fields = [
            "career_id", "career", "score", "band", "cluster", "salary_range", "skills", "reason", "origin",
            "in_catalogue",
        ]
        let places = fields.map { list.document.firstRange(of: "\"\($0)\":")?.lowerBound }
        #expect(!places.contains(nil))
        #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted())
        let paths = try #require(try await maker.paths(for: ["Education"]).first)
        #expect(try JSONDecoder().decode([CoursePath].self, from: Data(paths.document.utf8)) == paths.careers)
    }

    // MARK: Where the engine gives nothing

    @Test(arguments: ["", " , ;\n", "123, 45", "!!!"])
    func `who says nothing has the predefined list, marked`(_ interests: String) async throws {
        let fixture = try await GenerationFixture()
        let list = try #require(try await fixture.maker.lists(for: [student(interests)]).first)
        #expect(list.origin == .fallback && list.problem == "nothing_to_go_on")
        #expect(list.careers.count == ListMaker.listSize && list.careers.allSatisfy { $0.origin == "fallback" })
    }

    @Test func `without vectors every list is predefined, marked`() async throws {
        let fixture = try await GenerationFixture(hasVectors: false)
        let lists = try await fixture.maker.lists(for: [student("coding"), student("cooking")])
        #expect(lists.allSatisfy { $0.origin == .fallback && $0.problem == "no_model" && !$0.careers.isEmpty })
        #expect(lists[0].careers.first?.careerID == "software-engineer" && lists[1].careers.first?.careerID == "chef")
        let paths = try #require(try await fixture.maker.paths(for: ["Hotel Management"]).first)
        #expect(paths.origin == .fallback && paths.problem == "no_model" && paths.careers.first?.career == "Chef")
    }

    @Test func `an encoder that fails leaves nobody without a list`() async throws {
        let fixture = try await GenerationFixture()
        fixture.vectorizer?.isFailing.withLock { $0 = true }
        let lists = try await fixture.maker.lists(for: [student("coding"), student("")])
        #expect(lists.map(\.problem) == ["engine_failed", "nothing_to_go_on"])
        #expect(lists.allSatisfy { $0.origin == .fallback && $0.careers.count == ListMaker.listSize })
        fixture.vectorizer?.isFailing.withLock { $0 = false }
        #expect(try await fixture.maker.lists(for: [student("coding games")]).first?.origin == .engine)
    }

    // MARK: Courses

    @Test func `a course leads to careers of its field, with salary, skills and industry`() async throws {
        let fixture = try await GenerationFixture()
        let made = try await fixture.maker.paths(for: ["Programs for games and websites", " 101 "])
        let found = made[0]
        #expect(found.origin == .engine && found.problem == nil && found.careers.count == ListMaker.listSize)
        let first = try #require(found.careers.first)
        #expect(first.industry == "Technology" && first.salaryRange != nil && !first.skills.isEmpty)
        #expect(first.reason.contains("course") && first.inCatalogue && first.origin == "engine")
        // More than one of a field, and not that field alone.
        let fields = found.careers.map(\.industry)
        #expect((2...3).contains(fields.count { $0 == "Technology" }) && Set(fields).count > 3)
        #expect(made[1].origin == .fallback && !made[1].careers.isEmpty)
        #expect(try await fixture.maker.paths(for: ["PROGRAMS for games  and websites"]) == [found])
    }
}
