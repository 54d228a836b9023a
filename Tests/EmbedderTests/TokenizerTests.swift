import Foundation
import TestSupport
import Testing

@testable import Embedder

/// The tokenizer over a vocabulary small enough to check by hand.
struct TokenizerTests {
    private static let tokens = TinyModel().vocabulary

    private static func tokenizer(
        _ normalizer: BertNormalizer = BertNormalizer(), added: [AddedToken] = [], maximum: Int = 64
    ) -> WordPieceTokenizer {
        let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].enumerated().map {
            AddedToken(content: $1, id: Int32($0))
        }
        let parts = TokenizerParts(
            normalizer: normalizer,
            vocabulary: Vocabulary(
                tokens: tokens.enumerated().map { ($1, Int32($0)) }, continuingPrefix: "##"),
            settings: .init(unknownID: 1), prefix: [2], suffix: [3], addedTokens: special + added)
        return WordPieceTokenizer(parts: parts, maximumTokens: maximum)
    }

    /// The pieces of a text, without the special tokens around it.
    private static func pieces(_ text: String, _ tokenizer: WordPieceTokenizer = tokenizer()) -> [String] {
        tokenizer.tokenIDs(of: text).dropFirst().dropLast().map {
            tokens.indices.contains(Int($0)) ? tokens[Int($0)] : "\($0)"
        }
    }

    @Test(arguments: [
        ("", []),
        (" \n\t", []),
        ("UNwanted,running", ["un", "##want", "##ed", ",", "runn", "##ing"]),
        ("unaffable", ["un", "##aff", "##able"]),
        ("unaffablex", ["[UNK]"]),
        ("lowest!!", ["low", "##est", "!", "!"]),
        ("a\u{0}b\u{FFFD}b\u{200B}", ["a", "##b", "##b"]),
        ("a\u{AD}bb", ["a", "##b", "##b"]),
        ("b\u{200D}b a\u{A0}a", ["b", "##b", "a", "a"]),
        ("a工b", ["a", "工", "b"]),
        ("a [SEP]b [sep]", ["a", "[SEP]", "b", "[UNK]", "[UNK]", "[UNK]"]),
        ("[CLS][MASK]", ["[CLS]", "[MASK]"]),
        ("[PAD", ["[UNK]", "[UNK]"]),
        ("W\u{301}a\u{300}", ["wa"]),
        ("Wà", ["wa"]),
        ("\u{212B}", ["a"]),
    ])
    func `splits like the reference`(text: String, expected: [String]) {
        #expect(Self.pieces(text) == expected)
    }

    @Test func `frames every text`() {
        #expect(Self.tokenizer().tokenIDs(of: "") == [2, 3])
        #expect(Self.tokenizer().tokenIDs(of: "a") == [2, 17, 3])
    }

    @Test(arguments: [2, 3, 5, 8])
    func `cuts long texts between the special tokens`(maximum: Int) {
        let ids = Self.tokenizer(maximum: maximum).tokenIDs(of: String(repeating: "unwanted ", count: 50))
        let whole = Self.tokenizer(maximum: 1000).tokenIDs(of: String(repeating: "unwanted ", count: 50))
        #expect(ids == whole.prefix(maximum - 1) + [3])
    }

    @Test(arguments: [(100, ["b"] + Array(repeating: "##b", count: 99)), (101, ["[UNK]"])])
    func `takes a word of more than 100 scalars for unknown`(length: Int, expected: [String]) {
        let pieces = Self.pieces(String(repeating: "b", count: length), Self.tokenizer(maximum: 1000))
        #expect(pieces == expected)
    }

    @Test func `keeps composed and decomposed tokens apart where accents stay`() {
        let plain = BertNormalizer(stripsAccents: false, lowercases: true)
        #expect(Self.pieces("É", Self.tokenizer(plain)) == ["é"])
        #expect(Self.pieces("E\u{301}", Self.tokenizer(plain)) == ["[UNK]"])
        #expect(Self.pieces("é") == ["[UNK]"], "stripped to an e, which this vocabulary lacks")
    }

    @Test func `honours the switches of added tokens`() {
        let added = [
            AddedToken(content: "<m>", id: 90, stripsLeft: true, stripsRight: true),
            AddedToken(content: "wa", id: 91, isSingleWord: true),
            AddedToken(content: "Low É", id: 92, isNormalized: true),
        ]
        let tokenizer = Self.tokenizer(added: added)
        #expect(Self.pieces("a  <m>  a", tokenizer) == ["a", "90", "a"])
        #expect(Self.pieces("wa, waed", tokenizer) == ["91", ",", "wa", "##ed"])
        #expect(Self.pieces("a LOW e a", tokenizer) == ["a", "92", "a"])
    }

    @Test func `orders marks that accent stripping keeps as Unicode does`() {
        // U+302E has class 224, U+1D165 has 216: ascending, whatever marks between them are dropped.
        var sink = ByteSink()
        let text = Array("a\u{302E}\u{301}\u{1D165}b".utf8)
        BertNormalizer().normalize(text.span, 0..<text.count, into: &sink)
        #expect(
            String(decoding: sink.bytes, as: UTF8.self).unicodeScalars.map(\.value) == [0x61, 0x1D165, 0x302E, 0x62])
    }

    @Test func `knows every canonical decomposition of the reference`() {
        // 2,060 scalars without the Hangul syllables: as many as Unicode 12 has. A change means that the toolchain's
        // Unicode changed inside the blocks that are asked for.
        #expect(CanonicalDecomposition.shared.count == 2060)
    }

    @Test func `survives any text`() {
        var random = SeededGenerator(seed: 11)
        let tokenizer = Self.tokenizer(maximum: 32)
        for _ in 0..<3000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...40, using: &random) {
                let limit: UInt32 = [0x80, 0x300, 0x3100, 0x110000].randomElement(using: &random) ?? 0x80
                if let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &random)) { text.append(scalar) }
            }
            let ids = tokenizer.tokenIDs(of: String(text))
            #expect(ids.first == 2 && ids.last == 3 && ids.count <= 32, "\(random)")
        }
    }
}

/// Tokenizer files, right and wrong.
struct TokenizerFileTests {
    /// A tokenizer.json in which a test replaces parts.
    private static func document(_ replaced: [String: String] = [:]) -> String {
        var parts = [
            "added_tokens": #"[{"id":1,"content":"[UNK]","special":true}]"#,
            "normalizer": #"{"type":"BertNormalizer","lowercase":true,"strip_accents":null}"#,
            "pre_tokenizer": #"{"type":"BertPreTokenizer"}"#,
            "post_processor": #"{"type":"BertProcessing","cls":["[CLS]",2],"sep":["[SEP]",3]}"#,
            "model":
                #"{"type":"WordPiece","unk_token":"[UNK]","vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"a":4,"\u0023\u0023b":5}}"#,
        ]
        parts.merge(replaced) { $1 }
        return "{" + parts.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
    }

    private static func load(_ document: String) throws -> WordPieceTokenizer {
        let value = try JSONReader.parse(Array(document.utf8))
        let parts = try TokenizerParts(tokenizerJSON: ModelSettings(path: "tokenizer.json", value: value))
        return WordPieceTokenizer(parts: parts, maximumTokens: 16)
    }

    @Test func `reads tokenizer.json`() throws {
        #expect(try Self.load(Self.document()).tokenIDs(of: "Áb [UNK] x") == [2, 4, 5, 1, 1, 3])
    }

    @Test func `reads a template`() throws {
        let template = #"""
            {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},
            {"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"[SEP]","type_id":0}}],
            "special_tokens":{"[CLS]":{"ids":[2]},"[SEP]":{"ids":[3,3]}}}
            """#
        #expect(try Self.load(Self.document(["post_processor": template])).tokenIDs(of: "a") == [2, 4, 3, 3])
    }

    @Test(arguments: [
        ("normalizer", #"{"type":"NFKC"}"#, "NFKC"),
        ("pre_tokenizer", #"{"type":"ByteLevel"}"#, "ByteLevel"),
        ("pre_tokenizer", "null", "none"),
        ("post_processor", #"{"type":"ByteLevel"}"#, "ByteLevel"),
        ("post_processor", "null", "none"),
        ("model", #"{"type":"BPE","vocab":{}}"#, "BPE"),
    ])
    func `refuses what it does not implement, by name`(part: String, value: String, named: String) {
        #expect {
            try Self.load(Self.document([part: value]))
        } throws: { error in
            guard case EmbedderError.unsupported(_, _, let value, _) = error else { return false }
            return value == named
        }
    }

    @Test(arguments: [
        ("model", #"{"type":"WordPiece","vocab":{"[UNK]":-1}}"#),
        ("model", #"{"type":"WordPiece","vocab":{"[UNK]":"1"}}"#),
        ("model", #"{"type":"WordPiece","vocab":[]}"#),
        ("model", #"{"type":"WordPiece","vocab":{"a":0}}"#),
        ("model", #"{"type":"WordPiece","max_input_chars_per_word":-4,"vocab":{"[UNK]":0}}"#),
        ("model", "3"),
        ("normalizer", #"{"type":"BertNormalizer","lowercase":"yes"}"#),
        ("added_tokens", #"[{"content":"x"}]"#),
        ("added_tokens", #"[{"content":"x","id":99999999999}]"#),
        ("added_tokens", "{}"),
        ("post_processor", #"{"type":"BertProcessing","cls":["[CLS]"],"sep":[]}"#),
        ("post_processor", #"{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]"}}]}"#),
    ])
    func `reports a damaged file`(part: String, value: String) {
        #expect {
            try Self.load(Self.document([part: value]))
        } throws: { error in
            (error as? EmbedderError)?.code == "malformed_file"
        }
    }

    @Test func `reads vocab.txt with any line ends`() throws {
        for separator in ["\n", "\r\n"] {
            let text = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "É", "a"].joined(separator: separator) + separator
            let settings = try JSONReader.parse(
                Array(#"{"do_lower_case": false, "unk_token": {"content": "[UNK]"}}"#.utf8))
            let parts = try TokenizerParts(
                vocabulary: Array(text.utf8), path: "vocab.txt", defaults: .bert,
                settings: [ModelSettings(path: "tokenizer_config.json", value: settings)])
            let tokenizer = WordPieceTokenizer(parts: parts, maximumTokens: 9)
            #expect(tokenizer.tokenIDs(of: "a É A") == [2, 5, 4, 1, 3])
            #expect(tokenizer.largestID == 5)
        }
    }

    @Test(arguments: ["[UNK]\n[CLS]\n[SEP]\n", "", "[PAD]\u{0}"])
    func `names the special token that vocab.txt lacks`(text: String) {
        #expect(throws: EmbedderError.self) {
            try TokenizerParts(vocabulary: Array(text.utf8), path: "vocab.txt", defaults: .bert, settings: [])
        }
    }
}
