import Engine
import Foundation
import TestSupport
import Testing

struct OccupationTitlesTests {
    @Test func `those of O*NET are taken where there are some`() {
        let own = [Jobs.career("a", "Baker"), Jobs.career("b", "Cook", source: "school")]
        let sourced = [Jobs.career("d", "Nurse", source: "onet"), Jobs.career("c", "Driver", source: "onet")]
        #expect(OccupationTitles(of: own + sourced) == OccupationTitles(of: sourced))
        #expect(OccupationTitles(of: sourced).occupations.map(\.id) == ["c", "d"])
        #expect(OccupationTitles(of: own).occupations.map(\.name) == ["Baker", "Cook"])
        let none = OccupationTitles(of: [])
        #expect(none.occupations.isEmpty && none.titles.isEmpty)
    }

    @Test(arguments: [
        ("Data Scientist", "data scientist"), ("  DATA\t scientist \n", "data scientist"),
        ("Ärztin\u{00A0}für", "ärztin für"), (" \u{3000} ", ""), ("", ""),
    ])
    func `case and spaces are folded`(title: String, folded: String) {
        #expect(OccupationTitles.folded(title) == folded)
        #expect(OccupationTitles.folded(folded) == folded)
    }

    @Test func `a title has the occupations that go by it, each once, and its first wording`() {
        let titles = OccupationTitles(of: [
            Jobs.career("b", "Cook", ["chef  de partie", "COOK", "cook"]), Jobs.career("a", "Chef de Partie"),
            Jobs.career("c", "Sous-chef", ["Cook", " ", "", "Chef De Partie"]),
        ])
        #expect(titles.occupations.map(\.id) == ["a", "b", "c"])
        #expect(titles.titles.map(\.text) == ["Chef de Partie", "Cook", "Sous-chef"])
        #expect(titles.titles.map(\.occupations) == [[0, 1, 2], [1, 2], [2]])
    }

    @Test func `what is held out is not known, nor are its occupations fewer`() {
        let known = Jobs.titles(leavingOut: ["pastry baker", "nurse für ältere", "no such title", "Bread Baker"])
        #expect(known.occupations == Jobs.titles().occupations)
        let gone = Jobs.titles().titles.filter { !known.titles.contains($0) }
        // What is held out is folded already: a name in capitals is none of them.
        #expect(gone.map(\.text) == ["Nurse für Ältere", "Pastry Baker"])
        #expect(known.titles.count == Jobs.titles().titles.count - 2)
        let nothing = Jobs.titles(leavingOut: Set(Jobs.titles().titles.map { OccupationTitles.folded($0.text) }))
        #expect(nothing.titles.isEmpty && nothing.occupations.count == 5)
    }

    /// Against a plain reading of the same careers.
    @Test func `are those of random careers`() {
        var random = SeededGenerator(seed: 310)
        let pool = [
            "Cook", "cook", " COOK ", "Bread  Baker", "bread baker", "", " ", "\t", "Älter", "ÄLTER", "A\u{308}lter",
            "b", "B b", "b\nB", "Nurse", "nurses", "工", "Zimmerer", "zz",
        ]
        func title() -> String { pool.randomElement(using: &random) ?? "" }
        for _ in 0..<500 {
            let careers = (0..<Int.random(in: 0...9, using: &random)).map { number in
                Jobs.career("id-\(number)", title(), (0..<Int.random(in: 0...6, using: &random)).map { _ in title() })
            }
            let heldOut = Set(
                (0..<Int.random(in: 0...2, using: &random)).map { _ in OccupationTitles.folded(title()) })
            let titles = OccupationTitles(of: careers.shuffled(using: &random), leavingOut: heldOut)
            var expected: [String: Set<String>] = [:]
            for career in careers {
                for title in [career.name] + career.aliases {
                    let words = title.lowercased().components(separatedBy: .whitespacesAndNewlines)
                    let key = words.filter { !$0.isEmpty }.joined(separator: " ")
                    if !key.isEmpty, !heldOut.contains(key) { expected[key, default: []].insert(career.id) }
                }
            }
            let ids = titles.occupations.map(\.id)
            #expect(ids == careers.map(\.id), "\(random)")
            let keys = titles.titles.map { OccupationTitles.folded($0.text) }
            #expect(Set(keys) == Set(expected.keys) && keys.count == expected.count, "\(random)")
            #expect(zip(keys, keys.dropFirst()).allSatisfy { $0.utf8.lexicographicallyPrecedes($1.utf8) }, "\(random)")
            for (key, title) in zip(keys, titles.titles) {
                #expect(Set(title.occupations.map { ids[$0] }) == expected[key], "\(key) \(random)")
                #expect(title.occupations == Set(title.occupations).sorted(), "\(key) \(random)")
            }
        }
    }

    @Test func `more occupations than there is room for are thinned out evenly`() {
        let careers = (0..<3_000).map { Jobs.career("id-\(10_000 + $0)", "Title \($0)") }
        let titles = OccupationTitles(of: careers)
        #expect(titles.occupations.count == 2_048 && titles.titles.count == 2_048)
        let places = titles.occupations.compactMap { Int($0.id.dropFirst(3)).map { $0 - 10_000 } }
        #expect(places.first == 0 && places == places.sorted() && Set(places).count == 2_048)
        for (a, b) in zip(places, places.dropFirst() + [3_000]) { #expect(b - a <= 2) }
        #expect(OccupationTitles(of: Array(careers.prefix(2_048))).occupations.count == 2_048)
    }

    @Test func `more titles than there is room for are thinned out, and no occupation is left without`() {
        var careers = (0..<700).map { number in
            Jobs.career("id-\(1_000 + number)", "Name \(number)", (0..<100).map { "alias \($0) of \(number)" })
        }
        careers.append(Jobs.career("id-9999", "The last", ["of few"]))
        let titles = OccupationTitles(of: careers)
        #expect(titles.occupations.count == 701)
        #expect(titles.titles.count <= 65_536 && titles.titles.count > 60_000)
        var counts = [Int](repeating: 0, count: 701)
        for title in titles.titles { for occupation in title.occupations { counts[occupation] += 1 } }
        #expect(counts.last == 2 && counts.dropLast().allSatisfy { $0 == counts[0] })
        let texts = Set(titles.titles.map(\.text))
        #expect((0..<700).allSatisfy { texts.contains("Name \($0)") })
        // One fewer than too many: all of them.
        #expect(OccupationTitles(of: Array(careers.prefix(600))).titles.count == 60_600)
    }

    @Test func `the hash tells them apart`() {
        let changes: [[Career]] = [
            Array(Jobs.few.dropLast()), Jobs.few + [Jobs.career("zoologist", "Zoologist")],
            Jobs.few.map { $0.id == "cook" ? Jobs.career("cook", "Kitchen Cook", ["Oven Operator"]) : $0 },
            Jobs.few.map { $0.id == "cook" ? Jobs.career("cooks", $0.name, $0.aliases) : $0 },
            Jobs.few.map { $0.id == "cook" ? Jobs.career("cook", "Kitchen cook", $0.aliases) : $0 },
            Jobs.few.map { Jobs.career($0.id, $0.name, $0.aliases + ["Worker"]) },
        ]
        let hashes = changes.map { OccupationTitles(of: $0).hash } + [Jobs.titles().hash]
        #expect(Set(hashes).count == changes.count + 1)
        #expect(OccupationTitles(of: Jobs.few.reversed()).hash == Jobs.titles().hash)
    }
}
