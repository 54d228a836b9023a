import Engine
import Foundation
import Store
import TestSupport
import Testing

struct GroundedVectorizerTests {
    private static let texts = [
        "Bread Baker", "Night Driver", "someone who teaches music", "Ward Nurse", "Oven", "Coach",
    ]

    @Test func `a text's vector is its own, and then the grounded half`() async throws {
        let made = try await GroundedWords()
        let vectorizer = try made.vectorizer()
        let own = try made.words.vectors(of: Self.texts, role: .query)
        let grounded = made.grounding.vectors(of: own)
        let expected = zip(own, grounded).map { $0 + $1 }
        #expect(try vectorizer.vectors(of: Self.texts, role: .query) == expected)
        #expect(expected.allSatisfy { $0.count == vectorizer.space.textDimension })
        // Few texts and many take other ways, to the same numbers.
        for count in [0, 1, 4, 5, 6] {
            let some = Array(Self.texts.prefix(count))
            for isAwaited in [true, false] {
                let vectors = try await vectorizer.vectors(of: some, role: .query, isAwaited: isAwaited)
                #expect(vectors == Array(expected.prefix(count)))
            }
            let queued = try await EncodingQueue(vectorizer).vectors(of: some, role: .query)
            #expect(queued == Array(expected.prefix(count)))
        }
    }

    @Test func `a text that begins with a title is read by that as well`() async throws {
        let made = try await GroundedWords(words: QueuedWords(isCached: true))
        let vectorizer = try made.vectorizer()
        let body = "who teaches music at a school and bakes bread in the night"
        let texts = ["Ward Nurse\n\n\(body)", "Oven", "Ward Nurse \(body)", "# Coach Driver #\r\n\(body) \(body)"]
        let own = try made.words.vectors(of: texts + ["Ward Nurse", "Coach Driver"], role: .query)
        let shares = made.grounding.shares(of: own)
        let mixed = [
            OccupationShares([(0.65, shares[0]), (0.35, shares[4])]), shares[1], shares[2],
            OccupationShares([(0.65, shares[3]), (0.35, shares[5])]),
        ]
        let expected = zip(own, mixed).map { $0 + (made.grounding.projection.vector(of: $1) ?? []) }
        // First as nobody knows them, then out of the cache: the third has the vector of the first and no title.
        for role in [TextRole.document, .query, .query] {
            #expect(try vectorizer.vectors(of: texts, role: role) == expected)
            #expect(try await vectorizer.vectors(of: texts, role: role, isAwaited: true) == expected)
        }
        #expect(vectorizer.cachedVectors(of: texts, role: .query) == expected)
        #expect(own[0] == own[2] && expected[0] != expected[2])
    }

    @Test func `what is cached is grounded, and nothing else is`() async throws {
        let fresh = try await GroundedWords()
        #expect(try fresh.vectorizer().cachedVectors(of: Self.texts, role: .query) == nil)
        let cached = try await GroundedWords(words: QueuedWords(isCached: true))
        let vectorizer = try cached.vectorizer()
        let vectors = try vectorizer.vectors(of: Self.texts, role: .query)
        #expect(vectorizer.cachedVectors(of: Self.texts, role: .query) == vectors)
    }

    @Test func `a text of no direction has no grounded half`() async throws {
        let made = try await GroundedWords()
        let vectors = try made.vectorizer().vectors(of: ["Oven", QueuedWords.silence], role: .query)
        #expect(vectors[1] == [Float](repeating: 0, count: 768))
        #expect(vectors[0][384...].contains { $0 != 0 })
    }

    @Test func `its space has a view for each half`() async throws {
        let vectorizer = try await GroundedWords().vectorizer(weight: 0.6)
        let space = vectorizer.space
        #expect(space.dimension == 384 && space.textDimension == 768)
        #expect(space.views.map(\.name) == ["what the work is and takes", "the occupations it reads like"])
        #expect(space.views.map(\.part) == [0..<384, 384..<768])
        #expect(space.views.allSatisfy { $0.content == .both })
        #expect(space.views.map(\.weight) == [Float(0.4), Float(0.6)])
        #expect(space.modelID == "words" && space.weightsSHA256 == "")
    }

    @Test func `another knowledge base, weight or text space is another space`() async throws {
        let made = try await GroundedWords()
        let first = try made.vectorizer()
        #expect(try made.vectorizer().space == first.space)
        #expect(try await GroundedWords().vectorizer().space == first.space)
        let spaces = [
            first.space, try made.vectorizer(weight: 0.5).space, try made.vectorizer(weight: 0.6.nextUp).space,
            try await GroundedWords(titles: Jobs.titles(leavingOut: ["ward nurse"])).vectorizer().space,
            try await GroundedWords(rule: .init(neighbours: 4, temperature: 0.11)).vectorizer().space,
            try await GroundedWords(words: QueuedWords(WordVectorizer(id: "words@2"))).vectorizer().space,
            made.words.space,
        ]
        #expect(Set(spaces.map(\.id)).count == spaces.count)
        #expect(first.space.id.hasPrefix("words+grounded@"))
    }

    @Test func `its space tells what it is grounded by`() async throws {
        let made = try await GroundedWords()
        let record = try made.vectorizer().space.record
        #expect(record.knowledgeBase == made.base.checksum)
        #expect(made.words.space.record.knowledgeBase == nil)
        struct Described: Decodable {
            let neighbours: Int
            let temperature: Double
            let textSpace: String
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let described = try decoder.decode(Described.self, from: Data(record.description.utf8))
        #expect(described.neighbours == 4 && described.temperature == 0.1 && described.textSpace == "words@1")
    }

    @Test func `vectors that fill a row by themselves cannot be grounded`() async throws {
        let made = try await GroundedWords()
        #expect(throws: GroundingError.unsupportedDimension(768)) {
            try GroundedVectorizer(
                QueuedWords(WordVectorizer(views: 1)), base: made.base, grounding: made.grounding, weight: 0.5)
        }
    }

    @Test func `a cosine of rows is that of both halves, by their weights`() async throws {
        let made = try await GroundedWords()
        let vectorizer = try made.vectorizer(weight: 0.6)
        let vectors = try vectorizer.vectors(of: Self.texts, role: .document)
        let queue = EncodingQueue(vectorizer)
        let documents = Self.texts.enumerated().map { RetrievalText(id: "d\($0.offset)", text: $0.element) }
        let search = try await RetrievalSearch.plain(documents, encoder: queue)
        let rankings = try await search.rank(documents[...])
        func product(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
            zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        for (query, ranking) in zip(vectors, rankings) {
            let scores = vectors.map { document in
                0.4 * product(query[..<384], document[..<384]) + 0.6 * product(query[384...], document[384...])
            }
            #expect(Set(ranking) == Set(documents.map(\.id)))
            let ordered = ranking.compactMap { Int($0.dropFirst()) }.map { scores[$0] }
            // Equal up to the rounding of float32.
            for (a, b) in zip(ordered, ordered.dropFirst()) { #expect(a >= b - 1e-5) }
        }
    }
}
