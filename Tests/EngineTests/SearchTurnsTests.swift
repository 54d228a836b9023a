import Engine
import TestSupport
import Testing
import VectorIndex

// A test waits for the others' threads as well.
@Suite(.timeLimit(.minutes(15)))
struct SearchTurnsTests {
    private static let layout = RowLayout(embeddingCount: 24, abilityCount: 5)

    private static func unit(_ count: Int, _ random: inout SeededGenerator) -> [Float] {
        let values = (0..<count).map { _ in random.nextGaussian() }
        let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return values.map { Float($0 / norm) }
    }

    private static func index(rows: Int, _ random: inout SeededGenerator) throws -> Generation {
        let index = LiveIndex(layout: layout)
        try index.apply(
            upserting: (0..<rows).map { number in
                IndexItem(
                    id: ItemID("item-\(number)"), embedding: unit(layout.embeddingCount, &random),
                    abilities: unit(layout.abilityCount, &random), cluster: "c\(number % 40)",
                    attributes: ["pay": .number(Double(number % 100))])
            })
        return index.current
    }

    private static func request(_ random: inout SeededGenerator) throws -> SearchRequest {
        let filters: [Filter?] = [
            nil, nil, .range("pay", 10...60), .range("pay", 200...300), .range("size", 0...1),
        ]
        return SearchRequest(
            query: try FusedQuery(
                embedding: unit(layout.embeddingCount, &random), abilities: unit(layout.abilityCount, &random),
                alpha: Float.random(in: 0...1, using: &random), lambda: 0.4, layout: layout),
            limit: Int.random(in: 0...400, using: &random),
            maxPerCluster: Bool.random(using: &random) ? Int.random(in: 1...3, using: &random) : nil,
            filter: filters.randomElement(using: &random) ?? nil,
            excluded: Set((0..<3).map { _ in ItemID("item-\(Int.random(in: 0..<300, using: &random))") }),
            wantsRankBeforeCap: Bool.random(using: &random))
    }

    @Test func `finds for everybody what a search of their own finds`() async throws {
        var random = SeededGenerator(seed: 41)
        let turns = SearchTurns(leastRows: 0)
        // Two indexes at a time, as while the careers change.
        let indexes = [try Self.index(rows: 3_000, &random), try Self.index(rows: 500, &random)]
        var rounds = 0
        while turns.joinedCount == 0 || rounds < 3 {
            rounds += 1
            try #require(rounds < 200, "no two searches ever shared a pass")
            let asked = try (0..<300).map { _ in (try Self.request(&random), Int.random(in: 0..<2, using: &random)) }
            await withTaskGroup(of: Void.self) { group in
                for (request, place) in asked {
                    group.addTask { [random] in
                        let index = indexes[place]
                        do throws(IndexError) {
                            let found = try await turns.search(request, in: index)
                            let alone = try index.search(request)
                            #expect(found.hits == alone.hits && found.matched == alone.matched, "\(random)")
                            #expect(found.exact && found.complete && found.scanned == alone.scanned, "\(random)")
                        } catch {
                            #expect(throws: error) { try index.search(request) }
                        }
                    }
                }
            }
        }
    }

    @Test func `joins those who wait where they are enough, and not too many`() {
        #expect((0..<16).map(SearchTurns.together) == [0] + Array(repeating: 1, count: 15))
        #expect([16, 17, 63, 64, 65, 1_000].map(SearchTurns.together) == [16, 17, 63, 64, 64, 64])
    }

    /// Fifteen who wait are answered one by one, the sixteenth brings them together: seen from outside by who has joined.
    @Test func `lets few who wait search one by one`() async throws {
        var random = SeededGenerator(seed: 43)
        let turns = SearchTurns(leastRows: 0)
        let index = try Self.index(rows: 2_000, &random)
        let requests = try (0..<SearchTurns.leastJoined).map { _ in try Self.request(&random) }
        for _ in 0..<20 {
            await withTaskGroup(of: Void.self) { group in
                // One searches, so that fewer than sixteen wait.
                for request in requests { group.addTask { _ = try? await turns.search(request, in: index) } }
            }
        }
        #expect(turns.joinedCount == 0)
    }

    @Test func `lets nobody wait over few rows`() async throws {
        var random = SeededGenerator(seed: 42)
        let turns = SearchTurns()
        let index = try Self.index(rows: 200, &random)
        let query = try FusedQuery(
            embedding: Self.unit(24, &random), abilities: [], alpha: 1, lambda: 0.4, layout: Self.layout)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    let found = try? await turns.search(SearchRequest(query: query, limit: 5), in: index)
                    #expect(found?.hits.count == 5)
                }
            }
        }
        #expect(turns.joinedCount == 0)
    }
}
