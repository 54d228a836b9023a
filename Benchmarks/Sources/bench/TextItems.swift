import Embedder
import Foundation
import VectorIndex
import VectorMath

/// Items with the shape of real embeddings: O*NET's alternate titles and tasks, embedded, as the two views of a row.
///
/// An item is one title and one task of the same occupation, each moved a little in a random direction, so that a million
/// items come of some ten thousand texts without two being equal.
struct TextItems: Sendable {
    /// How far a view is moved: the length of the random vector that is added to it.
    private static let jitter: Float = 0.1
    /// Of the space of two views (design: what the work is, what it takes).
    private static let weights: [Float] = [0.7, 0.3]
    private static let titleCount = 12_000
    private static let taskCount = 8_000
    /// Texts that no item is made of.
    private static let queryCount = 256

    private let layout: RowLayout
    private let titles: [Embedded]
    /// Tasks by occupation.
    private let tasks: [String: [[Float]]]
    private let anyTasks: [[Float]]
    private let queries: [[Float]]

    private struct Embedded: Sendable {
        let occupation: String
        let vector: [Float]
    }

    /// - Parameters:
    ///   - release: a folder with O*NET's text files.
    ///   - model: of 384 dimensions.
    ///   - cache: a folder where the vectors of the texts are kept.
    init(release: URL, model: URL, cache: URL, layout: RowLayout) throws {
        self.layout = layout
        let allTitles = try Self.lines(of: release, "Alternate Titles.txt", column: 1)
        let allTasks = try Self.lines(of: release, "Task Statements.txt", column: 2)
        let titleTexts = Self.spread(allTitles, Self.titleCount + Self.queryCount / 2)
        let taskTexts = Self.spread(allTasks, Self.taskCount + Self.queryCount / 2)
        let embedder = try TextEmbedder(folder: model, options: .init(cacheEntries: 0))
        let texts = titleTexts + taskTexts
        let vectors = try Self.embed(texts.map(\.text), embedder, cache: cache)
        guard let dimension = vectors.first?.count, dimension * 2 == layout.embeddingCount else {
            throw TextItemsError.dimension(vectors.first?.count ?? 0, wanted: layout.embeddingCount / 2)
        }
        var titles: [Embedded] = []
        var tasks: [String: [[Float]]] = [:]
        var anyTasks: [[Float]] = []
        var queries: [[Float]] = []
        for (i, text) in texts.enumerated() {
            let isTitle = i < titleTexts.count
            let position = isTitle ? i : i - titleTexts.count
            let apart = isTitle ? titleTexts.count / (Self.queryCount / 2) : taskTexts.count / (Self.queryCount / 2)
            if position % apart == 0, queries.count < (isTitle ? Self.queryCount / 2 : Self.queryCount) {
                queries.append(vectors[i])
            } else if isTitle {
                titles.append(Embedded(occupation: text.occupation, vector: vectors[i]))
            } else {
                tasks[text.occupation, default: []].append(vectors[i])
                anyTasks.append(vectors[i])
            }
        }
        self.titles = titles
        self.tasks = tasks
        self.anyTasks = anyTasks
        self.queries = queries
    }

    func item(_ number: Int) -> IndexItem {
        var random = SplitMix64(state: UInt64(number) &* 0xA076_1D64_78BD_642F &+ 1)
        let title = titles[Int(random.next() % UInt64(titles.count))]
        let own = tasks[title.occupation] ?? anyTasks
        let task = own[Int(random.next() % UInt64(own.count))]
        return IndexItem(
            id: ItemID("i\(number)"), embedding: Self.row([title.vector, task], jitter: &random),
            abilities: random.unitVector(layout.abilityCount), cluster: title.occupation)
    }

    /// - Parameter number: any; as many different queries as there are texts set aside.
    func query(_ number: Int, alpha: Float) throws -> FusedQuery {
        var random = SplitMix64(state: UInt64(number) &+ 77)
        let text = queries[number % queries.count]
        let row = Self.normalised(
            [text, text].enumerated().flatMap { view, vector in
                vector.map { $0 * Self.weights[view].squareRoot() }
            })
        return try FusedQuery(
            embedding: row, abilities: random.unitVector(layout.abilityCount), alpha: alpha, lambda: 0.3,
            layout: layout)
    }

    private static func row(_ views: [[Float]], jitter random: inout SplitMix64) -> [Float] {
        var row: [Float] = []
        row.reserveCapacity(views.reduce(0) { $0 + $1.count })
        for (view, vector) in views.enumerated() {
            let move = random.unitVector(vector.count)
            var moved = vector
            for i in moved.indices { moved[i] += Self.jitter * move[i] }
            let scale = Self.weights[view].squareRoot() / Float(RowScan.norm(moved.span))
            row += moved.map { $0 * scale }
        }
        return normalised(row)
    }

    private static func normalised(_ vector: [Float]) -> [Float] {
        let scale = Float(1 / RowScan.norm(vector.span))
        return vector.map { $0 * scale }
    }

    // MARK: Texts

    private static func lines(
        of release: URL, _ name: String, column: Int
    ) throws -> [(occupation: String, text: String)] {
        let path = release.appendingPathComponent(name)
        guard let whole = try? String(contentsOf: path, encoding: .utf8) else {
            throw TextItemsError.missing(path.path)
        }
        return whole.split(whereSeparator: \.isNewline).dropFirst().compactMap { line in
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false)
            return cells.count > column ? (String(cells[0]), String(cells[column])) : nil
        }
    }

    /// `count` of all, evenly spread: all occupations have some.
    private static func spread<Element>(_ all: [Element], _ count: Int) -> [Element] {
        guard all.count > count else { return all }
        return (0..<count).map { all[$0 * all.count / count] }
    }

    /// Vectors of the texts, from the cache where it has just these.
    private static func embed(_ texts: [String], _ embedder: TextEmbedder, cache: URL) throws -> [[Float]] {
        let key = SHA256.hash(Array((embedder.modelID + "\n" + texts.joined(separator: "\n")).utf8))
        let file = cache.appendingPathComponent("texts-\(key.prefix(16)).f32")
        if let bytes = try? Data(contentsOf: file), !texts.isEmpty, bytes.count % (texts.count * 4) == 0 {
            let dimension = bytes.count / texts.count / 4
            // SAFETY: any four bytes are a float.
            let floats = unsafe bytes.withUnsafeBytes { unsafe Array($0.bindMemory(to: Float.self)) }
            return texts.indices.map { Array(floats[$0 * dimension..<($0 + 1) * dimension]) }
        }
        Progress.say("embedding \(texts.count) texts; they are kept in \(file.path)")
        var vectors: [[Float]] = []
        for start in stride(from: 0, to: texts.count, by: 512) {
            vectors += try embedder.embed(Array(texts[start..<min(start + 512, texts.count)]), isCached: false)
        }
        try FileManager.default.createDirectory(at: cache, withIntermediateDirectories: true)
        // SAFETY: the bytes are copied while the array lives.
        let data = unsafe vectors.flatMap { $0 }.withUnsafeBytes { unsafe Data($0) }
        try data.write(to: file, options: .atomic)
        return vectors
    }
}

enum TextItemsError: Error, CustomStringConvertible {
    case missing(String)
    case dimension(Int, wanted: Int)

    var description: String {
        switch self {
        case .missing(let path): "\(path) is missing: DATA=text needs an O*NET text release (ONET=FOLDER)"
        case .dimension(let found, let wanted): "the model has \(found) dimensions, not \(wanted)"
        }
    }
}
