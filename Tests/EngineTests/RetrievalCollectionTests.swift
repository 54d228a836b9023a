import Engine
import Foundation
import TestSupport
import Testing

@Suite struct `Retrieval files` {
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func problems(_ error: (any Error)?) -> [String] {
        guard case .malformed(let problems, _)? = error as? RetrievalError else { return [] }
        return problems.map(\.description)
    }

    @Test func `are read with a byte order mark, CRLF, blank lines and tabs in texts`() throws {
        let texts = try RetrievalCollection.texts(
            Self.bytes("\u{FEFF}q1\tone\r\n\r\n   \nq2\ttwo\tand more\nq3\té \u{2028} end"), named: "q.tsv")
        #expect(
            texts == [
                RetrievalText(id: "q1", text: "one"), RetrievalText(id: "q2", text: "two\tand more"),
                RetrievalText(id: "q3", text: "é \u{2028} end"),
            ])
    }

    @Test func `are refused with every bad line`() throws {
        let bytes =
            Self.bytes("a\tone\nno tab\n\n\tno id\na\ttwo\nb c\tspace\nd\t \n") + [0x65, 0x09, 0xFF, 0x0A]
            + Self.bytes("f\tfine\n")
        let error = #expect(throws: RetrievalError.self) { try RetrievalCollection.texts(bytes, named: "q.tsv") }
        #expect(
            Self.problems(error) == [
                "q.tsv:2: there is no tab between an id and a text", "q.tsv:4: the id is empty",
                "q.tsv:5: the id “a” is already on line 1", "q.tsv:6: the id “b c” has white space in it",
                "q.tsv:7: “d” has no text", "q.tsv:8: it is not UTF-8",
            ])
    }

    @Test func `of something else are refused without repeating all of it`() {
        let bytes = Self.bytes(String(repeating: "nothing here\n", count: 10_000))
        let error = #expect(throws: RetrievalError.self) { try RetrievalCollection.texts(bytes, named: "q.tsv") }
        guard case .malformed(let problems, 10_000)? = error else { return #expect(Bool(false), "\(error as Any)") }
        #expect(problems.count == 50)
        #expect("\(RetrievalError.malformed(problems: problems, count: 10_000))".hasSuffix("and 9950 more"))
        #expect(throws: RetrievalError.empty(file: "q.tsv")) { try RetrievalCollection.texts([], named: "q.tsv") }
        #expect(throws: RetrievalError.empty(file: "q.tsv")) {
            try RetrievalCollection.texts(Self.bytes("\u{FEFF} \r\n\n"), named: "q.tsv")
        }
    }

    private static let collection = RetrievalCollection(
        queries: [RetrievalText(id: "q1", text: "one"), RetrievalText(id: "q2", text: "two")],
        documents: [RetrievalText(id: "d1", text: "one"), RetrievalText(id: "d2", text: "two")])

    @Test func `of judgements are read between any white space`() throws {
        let judgements = try RetrievalJudgements(
            Self.bytes("\u{FEFF}q1\t0\td1\t3\r\nq1 Q0   d2 0\n\n\t\n q2 0 d1 1 \n"), named: "r.tsv",
            for: Self.collection)
        #expect(judgements.grades(of: "q1") == ["d1": 3, "d2": 0] && judgements.grades(of: "q2") == ["d1": 1])
        #expect(judgements.count == 3 && judgements.grades(of: "q3").isEmpty)
    }

    @Test func `of judgements are refused with every bad line`() throws {
        let text = """
            q1 0 d1 1
            q1 0 d1
            q3 0 d1 1
            q1 0 d3 1
            q1 0 d1 2
            q1 0 d2 -1
            q2 0 d1 1.5
            q2 0 d2 99999999999999999999
            q2 0 d2 +1
            """
        let error = #expect(throws: RetrievalError.self) {
            try RetrievalJudgements(Self.bytes(text), named: "r.tsv", for: Self.collection)
        }
        #expect(
            Self.problems(error) == [
                "r.tsv:2: it has 3 columns instead of query, 0, document and grade",
                "r.tsv:3: there is no query “q3”", "r.tsv:4: there is no document “d3”",
                "r.tsv:5: “d1” is already judged for “q1”",
            ]
                + zip(6...9, ["-1", "1.5", "99999999999999999999", "+1"]).map {
                    "r.tsv:\($0): the grade “\($1)” is not a whole number from 0 to 1000000"
                })
    }

    /// Good files with bytes changed, cut, doubled and put in: read or refused, never a trap, and what is read is whole.
    @Test func `that were damaged at random are read or refused`() {
        var random = SeededGenerator(seed: 5_000)
        let good = [
            Self.bytes("\u{FEFF}q1\tone\r\nq2\ttwo ä\u{301}\n\nq3\tthree\t3\n"),
            Self.bytes("q1 0 d1 1\r\nq2\t0\td2\t2\nq1 0 d2 0\n"),
        ]
        let odd: [UInt8] = [0, 9, 10, 13, 32, 0x2D, 0x30, 0x39, 0x71, 0x80, 0xBF, 0xC2, 0xCC, 0xE2, 0xEF, 0xF0, 0xFF]
        var read = 0
        for _ in 0..<5_000 {
            let kind = Int.random(in: 0..<2, using: &random)
            var bytes = good[kind]
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0...bytes.count, using: &random)
                let byte = odd.randomElement(using: &random) ?? 0
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.insert(byte, at: place)
                case 1: bytes.insert(contentsOf: bytes[..<place], at: place)
                case 2: bytes.removeLast(Int.random(in: 0...min(4, bytes.count), using: &random))
                default: if place < bytes.count { bytes[place] = byte }
                }
            }
            do throws(RetrievalError) {
                if kind == 0 {
                    let texts = try RetrievalCollection.texts(bytes, named: "q.tsv")
                    #expect(texts.allSatisfy { !$0.id.isEmpty && !$0.text.isEmpty }, "\(random)")
                    #expect(Set(texts.map(\.id)).count == texts.count && !texts.isEmpty, "\(random)")
                } else {
                    let judgements = try RetrievalJudgements(bytes, named: "r.tsv", for: Self.collection)
                    #expect((1...4).contains(judgements.count), "\(random)")
                }
                read += 1
            } catch {
                let lines = bytes.count { $0 == 10 } + 1
                if case .malformed(let problems, let count) = error {
                    #expect(count >= problems.count && !problems.isEmpty, "\(random)")
                    #expect(problems.allSatisfy { (1...lines).contains($0.line) }, "\(random)")
                }
            }
        }
        // Both happen, or the damage is too mild or too wild to show anything.
        #expect(read > 500 && read < 4_500, "\(read) \(random)")
    }
}

@Suite(.enabled(if: SharedData.has("retrieval/onet_related"), "\(SharedData.skipReason)"))
struct `The reference collections` {
    private static func bytes(_ path: String) throws -> [UInt8] {
        try Array(Data(contentsOf: SharedData.url("retrieval/\(path)")))
    }

    @Test(arguments: [("onet_titles_dev", 4_021, 1_016, 4_924), ("onet_related", 923, 923, 18_460)])
    func `are read whole`(name: String, queries: Int, documents: Int, judged: Int) throws {
        let collection = RetrievalCollection(
            queries: try RetrievalCollection.texts(Self.bytes("\(name)/queries.tsv"), named: "queries.tsv"),
            documents: try RetrievalCollection.texts(Self.bytes("\(name)/corpus.tsv"), named: "corpus.tsv"))
        let judgements = try RetrievalJudgements(Self.bytes("\(name)/qrels.tsv"), named: "qrels.tsv", for: collection)
        #expect(collection.queries.count == queries && collection.documents.count == documents)
        #expect(judgements.count == judged)
        // Where every occupation is asked for its neighbours, each query's own row is found, and nothing else.
        let own = collection.ownDocuments(judgements)
        let expected = name == "onet_related" ? collection.queries.map { [String($0.id.dropFirst(2))] as Set } : []
        #expect(collection.queries.compactMap { own[$0.id] } == expected)
    }
}
