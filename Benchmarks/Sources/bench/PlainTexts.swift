import Embedder

/// Texts of a known number of tokens, of which no two are equal.
struct PlainTexts {
    /// Words of one token each.
    private let words: [String]
    private let tokenCount: (String) -> Int
    private var random: SplitMix64
    private var given: Set<String> = []

    init(_ embedder: TextEmbedder, seed: UInt64 = 1) throws {
        tokenCount = { embedder.tokenIDs(of: $0).count }
        // A text of one word has three tokens: the word's and the two that frame it.
        words = Self.candidates.filter { embedder.tokenIDs(of: $0).count == 3 }
        random = SplitMix64(state: seed)
        guard words.count > 10 else { throw PlainTextsError.fewPlainWords(model: embedder.modelID) }
    }

    /// A text that was not given before.
    ///
    /// - Parameter tokens: of the text, special tokens included.
    mutating func next(tokens: Int) throws -> String {
        for _ in 0..<100 {
            let text = (0..<tokens - 2).map { _ in words[Int(random.next() % UInt64(words.count))] }
                .joined(separator: " ")
            guard given.insert(text).inserted else { continue }
            let found = tokenCount(text)
            guard found == tokens else { throw PlainTextsError.wrongLength(wanted: tokens, found: found) }
            return text
        }
        throw PlainTextsError.usedUp(tokens: tokens, count: given.count)
    }

    private static let candidates = """
        i like to work with people and animals help children learn at school build houses repair cars write stories \
        draw pictures play music cook food plan trips grow plants sell things solve hard problems count money speak \
        in public care for old persons read books about history nature health law art sport science design web pages \
        manage a small team travel by train or ship use my hands tools computers numbers
        """.split(separator: " ").map(String.init)
}

enum PlainTextsError: Error, CustomStringConvertible {
    case fewPlainWords(model: String)
    case wrongLength(wanted: Int, found: Int)
    case usedUp(tokens: Int, count: Int)

    var description: String {
        switch self {
        case .fewPlainWords(let model):
            "the vocabulary of \(model) has few English words, so no text has a known length"
        case .wrongLength(let wanted, let found): "a text meant to have \(wanted) tokens has \(found)"
        case .usedUp(let tokens, let count):
            "\(count) texts of \(tokens) tokens were given, and hardly another is left: ask for longer ones"
        }
    }
}
