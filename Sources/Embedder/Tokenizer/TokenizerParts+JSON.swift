// tokenizer.json, as far as BERT-style WordPiece tokenizers use it. Every setting is honoured or refused by name.

extension TokenizerParts {
    /// Reads a `tokenizer.json`.
    ///
    /// - Throws: `EmbedderError.malformedFile`, or `.unsupported` for a kind that is not BERT's.
    init(tokenizerJSON file: ModelSettings) throws(EmbedderError) {
        guard let model = file.member("model"), model.value.members != nil else {
            throw file.malformed("it has no 'model'")
        }
        let kind = try model.string("type") ?? "WordPiece"
        guard kind == "WordPiece" else { throw file.unsupported("model type", kind, supported: "WordPiece") }
        let continuingPrefix = try model.string("continuing_subword_prefix") ?? "##"
        let vocabulary = Vocabulary(tokens: try Self.tokens(of: model), continuingPrefix: continuingPrefix)
        let unknown = try model.string("unk_token") ?? "[UNK]"
        guard let unknownID = vocabulary.id(of: unknown) else {
            throw file.malformed("its vocabulary has no '\(unknown)'")
        }
        try Self.checkPreTokenizer(file)
        let frame = try Self.frame(file)
        self.init(
            normalizer: try Self.normalizer(file),
            vocabulary: vocabulary,
            settings: WordPieceSink.Settings(
                unknownID: unknownID,
                maximumWordScalars: try model.integer("max_input_chars_per_word", in: 0...1_000_000) ?? 100),
            prefix: frame.prefix,
            suffix: frame.suffix,
            addedTokens: try Self.addedTokens(file, vocabulary))
    }

    private static func tokens(of model: ModelSettings) throws(EmbedderError) -> [(text: String, id: Int32)] {
        guard let members = model["vocab"]?.members else {
            throw model.malformed("its model has no 'vocab' object")
        }
        var tokens: [(text: String, id: Int32)] = []
        tokens.reserveCapacity(members.count)
        for member in members {
            guard let id = member.value.integer.flatMap(Int32.init(exactly:)), id >= 0 else {
                throw model.malformed("the id of vocabulary entry '\(member.key)' is no whole number")
            }
            tokens.append((member.key, id))
        }
        return tokens
    }

    private static func normalizer(_ file: ModelSettings) throws(EmbedderError) -> BertNormalizer {
        guard let settings = file.member("normalizer") else { return .none }
        let kind = try settings.string("type") ?? ""
        guard kind == "BertNormalizer" else {
            throw file.unsupported("normalizer", kind, supported: "BertNormalizer")
        }
        let lowercases = try settings.bool("lowercase") ?? true
        return BertNormalizer(
            cleansText: try settings.bool("clean_text") ?? true,
            handlesChineseCharacters: try settings.bool("handle_chinese_chars") ?? true,
            stripsAccents: try settings.bool("strip_accents") ?? lowercases,
            lowercases: lowercases)
    }

    private static func checkPreTokenizer(_ file: ModelSettings) throws(EmbedderError) {
        let kind = try file.member("pre_tokenizer")?.string("type") ?? "none"
        guard kind == "BertPreTokenizer" else {
            throw file.unsupported("pre_tokenizer", kind, supported: "BertPreTokenizer")
        }
    }

    private static func addedTokens(
        _ file: ModelSettings, _ vocabulary: Vocabulary
    ) throws(EmbedderError) -> [AddedToken] {
        guard let member = file["added_tokens"] else { return [] }
        guard let elements = member.elements else { throw file.wrong("added_tokens", member, "an array") }
        var tokens: [AddedToken] = []
        for element in elements {
            let settings = ModelSettings(path: file.path, value: element)
            guard let content = try settings.string("content"),
                let id = try settings.integer("id", in: 0...Int(Int32.max))
            else { throw file.malformed("an added token lacks 'content' or 'id'") }
            let isSpecial = try settings.bool("special") ?? false
            tokens.append(
                AddedToken(
                    // A token that the vocabulary has keeps the vocabulary's id, whatever is written here.
                    content: content, id: vocabulary.id(of: content) ?? Int32(id),
                    isSingleWord: try settings.bool("single_word") ?? false,
                    stripsLeft: try settings.bool("lstrip") ?? false,
                    stripsRight: try settings.bool("rstrip") ?? false,
                    isNormalized: try settings.bool("normalized") ?? !isSpecial))
        }
        return tokens
    }

    /// The special tokens around a single text.
    private static func frame(_ file: ModelSettings) throws(EmbedderError) -> (prefix: [Int32], suffix: [Int32]) {
        let supported = "TemplateProcessing, BertProcessing, RobertaProcessing"
        guard let settings = file.member("post_processor") else {
            throw file.unsupported("post_processor", "none", supported: supported)
        }
        let kind = try settings.string("type") ?? ""
        switch kind {
        case "TemplateProcessing":
            return try template(settings)
        case "BertProcessing", "RobertaProcessing":
            guard let first = pairID(settings["cls"]), let last = pairID(settings["sep"]) else {
                throw file.malformed("its post_processor lacks 'cls' or 'sep'")
            }
            return ([first], [last])
        default:
            throw file.unsupported("post_processor", kind, supported: supported)
        }
    }

    /// The id in `["[CLS]", 101]`.
    private static func pairID(_ value: JSONValue?) -> Int32? {
        guard let elements = value?.elements, elements.count == 2, let id = elements[1].integer, id >= 0 else {
            return nil
        }
        return Int32(exactly: id)
    }

    private static func template(
        _ settings: ModelSettings
    ) throws(EmbedderError) -> (prefix: [Int32], suffix: [Int32]) {
        guard let pieces = settings["single"]?.elements else {
            throw settings.malformed("its post_processor has no 'single' template")
        }
        var prefix: [Int32] = []
        var suffix: [Int32] = []
        var texts = 0
        for piece in pieces {
            let part = piece["SpecialToken"] ?? piece["Sequence"]
            guard let name = part?["id"]?.string else { throw settings.malformed("its post_processor is misspelt") }
            guard part?["type_id"]?.integer ?? 0 == 0 else {
                throw settings.unsupported("post_processor", "type_id other than 0", supported: "type_id 0")
            }
            if piece["Sequence"] != nil {
                texts += 1
                continue
            }
            // Compared by bytes, as everything that names a token.
            let special = settings["special_tokens"]?.members?.last { $0.key.utf8.elementsEqual(name.utf8) }
            guard let ids = special?.value["ids"]?.elements else {
                throw settings.malformed("its post_processor names the unknown token '\(name)'")
            }
            for id in ids {
                guard let id = id.integer.flatMap(Int32.init(exactly:)), id >= 0 else {
                    throw settings.malformed("the id of '\(name)' is no whole number")
                }
                if texts == 0 { prefix.append(id) } else { suffix.append(id) }
            }
        }
        guard texts == 1, !prefix.isEmpty || !suffix.isEmpty else {
            throw settings.unsupported(
                "post_processor", "a template without special tokens", supported: "special tokens around one text")
        }
        return (prefix, suffix)
    }
}

extension ModelSettings {
    /// A member as settings of the same file, unless it is absent or null.
    func member(_ key: StaticString) -> ModelSettings? {
        self[key].map { ModelSettings(path: path, value: $0) }
    }
}
