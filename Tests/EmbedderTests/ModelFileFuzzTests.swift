import Foundation
import TestSupport
import Testing

@testable import Embedder

/// A small whole model folder with every file that a model may have.
private struct FuzzedFolder {
    let folder: TemporaryDirectory
    let files: [String: [UInt8]]

    init(_ family: TinyModel.Family, hasTokenizerJSON: Bool) throws {
        var model = TinyModel(family: family)
        model.hidden = 12
        model.layers = 1
        model.intermediate = 16
        if family == .mpnet { model.vocabulary += ["<pad>", "<s>", "</s>", "<mask>"] }
        folder = try model.write()
        try folder.write(
            """
            [{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},\
            {"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"},\
            {"idx":2,"name":"2","path":"2_Normalize","type":"sentence_transformers.models.Normalize"}]
            """, to: "modules.json")
        try folder.write(
            """
            {"word_embedding_dimension":12,"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":true,\
            "pooling_mode_max_tokens":false}
            """, to: "1_Pooling/config.json")
        try folder.write(#"{"max_seq_length":20,"do_lower_case":false}"#, to: "sentence_bert_config.json")
        try folder.write(
            #"{"do_lower_case":true,"model_max_length":512,"strip_accents":null,"unk_token":"[UNK]"}"#,
            to: "tokenizer_config.json")
        try folder.write(
            #"{"prompts":{"query":"a ","document":"","passage":"b"}}"#, to: "config_sentence_transformers.json")
        if hasTokenizerJSON { try folder.write(Self.tokenizer(model.vocabulary), to: "tokenizer.json") }
        var files: [String: [UInt8]] = [:]
        let names = [
            "config.json", "vocab.txt", "special_tokens_map.json", "model.safetensors", "modules.json",
            "1_Pooling/config.json", "sentence_bert_config.json", "tokenizer_config.json",
            "config_sentence_transformers.json",
        ]
        for name in names + (hasTokenizerJSON ? ["tokenizer.json"] : []) {
            files[name] = Array(try Data(contentsOf: folder.file(name)))
        }
        self.files = files
    }

    private static func tokenizer(_ vocabulary: [String]) -> String {
        let entries = vocabulary.enumerated().map { "\"\($1)\":\($0)" }.joined(separator: ",")
        let added = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].enumerated().map {
            """
            {"id":\($0),"content":"\($1)","single_word":false,"lstrip":\($0 == 4),"rstrip":false,\
            "normalized":\($0 == 3),"special":true}
            """
        }.joined(separator: ",")
        return """
            {"version":"1.0","truncation":null,"padding":null,"added_tokens":[\(added)],\
            "normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,\
            "lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},\
            "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},\
            {"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"[SEP]","type_id":0}}],"pair":[],\
            "special_tokens":{"[CLS]":{"id":"[CLS]","ids":[2],"tokens":["[CLS]"]},\
            "[SEP]":{"id":"[SEP]","ids":[3],"tokens":["[SEP]"]}}},\
            "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",\
            "max_input_chars_per_word":100,"vocab":{\(entries)}}}
            """
    }

    static let texts = [
        "", "unaffable, running!", "a [SEP] b[MASK] W\u{301}a\u{300} 工 \u{0}\u{FFFD}\u{200D}", "[CLS][CLS]  [PAD]",
        String(repeating: "want lowest ", count: 60),
    ]

    /// What became of loading and using the folder as it is.
    enum Outcome: Equatable {
        case works
        case refused(String)
        /// What should never be.
        case wrong(String)
    }

    func outcome() -> Outcome {
        do {
            let embedder = try TextEmbedder(folder: folder.url)
            let vectors = try embedder.embed(Self.texts)
            for vector in vectors {
                let norm = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
                guard vector.count == embedder.dimension, abs(norm - 1) < 1e-4 else {
                    return .wrong("a vector of \(vector.count) numbers has length \(norm)")
                }
            }
            guard Self.texts.allSatisfy({ embedder.tokenIDs(of: $0).count <= embedder.maximumTokens }) else {
                return .wrong("more tokens than the model reads")
            }
            return .works
        } catch {
            return error.description.isEmpty ? .wrong("an error says nothing") : .refused(error.code)
        }
    }
}

/// Whatever bytes a model folder has: a clear error, or an embedder that works.
@Suite(.serialized) struct ModelFileFuzzTests {
    struct Target: CustomTestStringConvertible, Sendable {
        let file: String
        let isMPNet: Bool
        let hasTokenizerJSON: Bool
        let inputs: Int
        var testDescription: String { "\(file)\(isMPNet ? " of MPNet" : "")" }

        init(_ file: String, isMPNet: Bool = false, hasTokenizerJSON: Bool = false, inputs: Int = 3_000) {
            self.file = file
            self.isMPNet = isMPNet
            self.hasTokenizerJSON = hasTokenizerJSON
            self.inputs = inputs
        }
    }

    static let targets = [
        Target("model.safetensors"), Target("model.safetensors", isMPNet: true), Target("config.json"),
        Target("config.json", isMPNet: true), Target("vocab.txt"), Target("tokenizer.json", hasTokenizerJSON: true),
        Target("special_tokens_map.json"), Target("tokenizer_config.json"), Target("modules.json"),
        Target("1_Pooling/config.json"), Target("sentence_bert_config.json"),
        Target("config_sentence_transformers.json"),
    ]

    @Test(arguments: targets)
    func `a damaged file is refused, or does no harm`(target: Target) throws {
        let fuzzed = try FuzzedFolder(target.isMPNet ? .mpnet : .bert, hasTokenizerJSON: target.hasTokenizerJSON)
        try #require(fuzzed.outcome() == .works)
        let whole = try #require(fuzzed.files[target.file])
        let url = fuzzed.folder.file(target.file)
        let seed = target.file.utf8.reduce(UInt64(target.isMPNet ? 2 : 1)) { $0 &* 31 &+ UInt64($1) }
        var mutator = FileMutator(random: SeededGenerator(seed: seed))
        var counts: [String: Int] = [:]
        var slowest = Duration.zero
        for input in 0..<target.inputs {
            let bytes = mutator.mutate(whole)
            // Written in place: the folder is the test's own, and a new file each time costs more than the test.
            try Data(bytes).write(to: url)
            let start = ContinuousClock.now
            let outcome = fuzzed.outcome()
            slowest = max(slowest, ContinuousClock.now - start)
            switch outcome {
            case .works: counts["works", default: 0] += 1
            case .refused(let code): counts[code, default: 0] += 1
            case .wrong(let problem):
                Issue.record("\(problem): input \(input) of \(target.testDescription), \(mutator.random)")
                return
            }
        }
        #expect(slowest < .seconds(10), "\(target.testDescription)")
        // Both happen, or the damage was of one kind only.
        #expect(counts.count >= 2 && counts["works"] != target.inputs, "\(counts)")
    }

    @Test func `an outright wrong header is refused whatever it claims`() throws {
        let fuzzed = try FuzzedFolder(.bert, hasTokenizerJSON: false)
        let whole = try #require(fuzzed.files["model.safetensors"])
        let url = fuzzed.folder.file("model.safetensors")
        var random = SeededGenerator(seed: 77)
        for bit in 0..<64 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            try Data(bytes).write(to: url)
            guard case .refused = fuzzed.outcome() else {
                Issue.record("bit \(bit) of the header's length is not missed")
                continue
            }
        }
        for length in [0, 1, 7, 8, 9] + (0..<200).map({ _ in Int.random(in: 0..<whole.count, using: &random) }) {
            try Data(whole.prefix(length)).write(to: url)
            guard case .refused = fuzzed.outcome() else {
                Issue.record("cut off after \(length) bytes, it is not refused")
                continue
            }
        }
    }

    @Test func `weights that are all zero are refused, not used`() throws {
        let fuzzed = try FuzzedFolder(.bert, hasTokenizerJSON: false)
        let whole = try #require(fuzzed.files["model.safetensors"])
        let headerLength = Int(whole[0]) | Int(whole[1]) << 8 | Int(whole[2]) << 16
        let start = 8 + headerLength
        let bytes = Array(whole[..<start]) + Array(repeating: 0, count: whole.count - start)
        try Data(bytes).write(to: fuzzed.folder.file("model.safetensors"))
        #expect(fuzzed.outcome() == .refused("not_finite"))
    }

    @Test(arguments: [
        #"[{"path":"\u0000","type":"Transformer"}]"#, #"[{"path":"a\u0000b","type":"Transformer"}]"#,
        #"[{"path":"..","type":"Transformer"}]"#, #"[{"path":"/etc","type":"Pooling"}]"#,
        #"[{"path":"a/../../b","type":"Pooling"}]"#, #"[{"path":"\ud83d\ude00","type":"Transformer"}]"#,
        #"[{"path":"~","type":"Transformer"}]"#, #"[{"path":".","type":"Transformer"}]"#,
        #"[{"path":"%2e%2e","type":"Transformer"}]"#, #"[{"path":"?","type":"Transformer"}]"#,
        "[{\"path\":\"#\",\"type\":\"Transformer\"}]", #"[{"type":""}]"#, #"[1]"#, #"[null]"#, #"{}"#, "",
    ])
    func `a strange place of a module is refused or not found`(modules: String) throws {
        let fuzzed = try FuzzedFolder(.bert, hasTokenizerJSON: false)
        try fuzzed.folder.write(modules, to: "modules.json")
        if case .wrong(let problem) = fuzzed.outcome() { Issue.record("\(problem)") }
    }

    @Test func `a module's long path is refused or not found`() throws {
        let fuzzed = try FuzzedFolder(.bert, hasTokenizerJSON: false)
        let long = String(repeating: "a/", count: 100_000)
        try fuzzed.folder.write(#"[{"path":"\#(long)","type":"Transformer"}]"#, to: "modules.json")
        guard case .refused = fuzzed.outcome() else {
            Issue.record("\(fuzzed.outcome())")
            return
        }
    }
}
