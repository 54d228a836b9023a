// vocab.txt with the settings around it: how tokenizers were stored before tokenizer.json.

extension TokenizerParts {
    /// The names of special tokens that a family has unless its files say otherwise.
    struct SpecialNames {
        var unknown = "[UNK]"
        var pad = "[PAD]"
        var first = "[CLS]"
        var last = "[SEP]"
        var mask = "[MASK]"
        /// Whether the mask takes the white space before it along.
        var maskStripsLeft = false

        static let bert = SpecialNames()
        static let mpnet = SpecialNames(
            pad: "<pad>", first: "<s>", last: "</s>", mask: "<mask>", maskStripsLeft: true)
    }

    /// Reads a `vocab.txt`: one token a line, the line's number from 0 being its id.
    ///
    /// - Parameters:
    ///   - path: of the vocabulary, for messages.
    ///   - settings: `special_tokens_map.json` and `tokenizer_config.json` where present; the later one counts.
    /// - Throws: `EmbedderError.malformedFile`, with the missing special token if it is that.
    init(
        vocabulary bytes: [UInt8], path: String, defaults: SpecialNames, settings: [ModelSettings]
    ) throws(EmbedderError) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .malformedFile(path: path, problem: "it is not UTF-8")
        }
        var tokens: [(text: String, id: Int32)] = []
        // Split at bytes: as Characters, a carriage return and a line feed are one.
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            let isCRLF = line.last == UInt8(ascii: "\r")
            tokens.append((String(Substring(isCRLF ? line.dropLast() : line)), Int32(clamping: tokens.count)))
        }
        if tokens.last?.text.isEmpty == true { tokens.removeLast() }

        var names = defaults
        var normalizer = BertNormalizer()
        var stripsAccents: Bool?
        for file in settings {
            names.unknown = try file.tokenName("unk_token") ?? names.unknown
            names.pad = try file.tokenName("pad_token") ?? names.pad
            names.first = try file.tokenName("cls_token") ?? names.first
            names.last = try file.tokenName("sep_token") ?? names.last
            names.mask = try file.tokenName("mask_token") ?? names.mask
            normalizer.lowercases = try file.bool("do_lower_case") ?? normalizer.lowercases
            stripsAccents = try file.bool("strip_accents") ?? stripsAccents
            normalizer.handlesChineseCharacters =
                try file.bool("tokenize_chinese_chars") ?? normalizer.handlesChineseCharacters
        }
        normalizer.stripsAccents = stripsAccents ?? normalizer.lowercases

        let vocabulary = Vocabulary(tokens: tokens, continuingPrefix: "##")
        func id(_ name: String) throws(EmbedderError) -> Int32 {
            guard let id = vocabulary.id(of: name) else {
                throw .malformedFile(path: path, problem: "it has no token '\(name)'")
            }
            return id
        }
        var added: [AddedToken] = []
        for name in [names.unknown, names.pad, names.first, names.last] {
            added.append(AddedToken(content: name, id: try id(name)))
        }
        if let mask = vocabulary.id(of: names.mask) {
            added.append(AddedToken(content: names.mask, id: mask, stripsLeft: names.maskStripsLeft))
        }
        self.init(
            normalizer: normalizer, vocabulary: vocabulary,
            settings: WordPieceSink.Settings(unknownID: try id(names.unknown)),
            prefix: [try id(names.first)], suffix: [try id(names.last)], addedTokens: added)
    }
}

extension ModelSettings {
    /// A token's name, written as a string or as an object with `content`.
    fileprivate func tokenName(_ key: StaticString) throws(EmbedderError) -> String? {
        guard let member = self[key] else { return nil }
        guard let name = member.string ?? member["content"]?.string else {
            throw wrong(key, member, "a token")
        }
        return name
    }
}
