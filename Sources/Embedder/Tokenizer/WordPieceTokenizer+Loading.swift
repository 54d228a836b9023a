import Foundation

extension WordPieceTokenizer {
    /// Loads the tokenizer of a model folder: `tokenizer.json`, or else `vocab.txt` and the settings beside it.
    ///
    /// - Throws: `EmbedderError` naming the file and what is wrong with it.
    init(
        folder: URL, family: ModelConfiguration.Family, pipeline: SentencePipeline, positions: Int
    ) throws(EmbedderError) {
        var parts = try Self.parts(folder: folder, family: family)
        if pipeline.lowercases { parts.normalizer.lowercases = true }
        self.init(parts: parts, maximumTokens: min(pipeline.maximumTokens ?? positions, positions))
    }

    private static func parts(
        folder: URL, family: ModelConfiguration.Family
    ) throws(EmbedderError) -> TokenizerParts {
        let whole = ModelFile(folder, "tokenizer.json")
        if whole.exists { return try TokenizerParts(tokenizerJSON: whole.json()) }
        let vocabulary = ModelFile(folder, "vocab.txt")
        guard vocabulary.exists else { throw .fileMissing(path: whole.path) }
        var settings: [ModelSettings] = []
        for name in ["special_tokens_map.json", "tokenizer_config.json"] {
            let file = ModelFile(folder, name)
            if file.exists { settings.append(try file.json()) }
        }
        return try TokenizerParts(
            vocabulary: vocabulary.bytes(), path: vocabulary.path, defaults: family == .bert ? .bert : .mpnet,
            settings: settings)
    }

    /// The file that `folder` has its tokenizer in, for messages.
    static func path(in folder: URL) -> String {
        let whole = ModelFile(folder, "tokenizer.json")
        return whole.exists ? whole.path : ModelFile(folder, "vocab.txt").path
    }
}
