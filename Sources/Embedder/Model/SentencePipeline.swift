import Foundation

// modules.json and the small files beside it: how sentence-transformers goes from tokens to one vector.

/// How the vectors of a text's tokens become the text's vector.
package enum Pooling: String, Sendable, CaseIterable {
    case mean
    case cls
}

/// What surrounds the encoder in a sentence-transformers folder.
struct SentencePipeline: Equatable, Sendable {
    /// Subfolder of the encoder's own files; empty in nearly every model.
    var encoderFolder = ""
    var pooling = Pooling.mean
    /// Tokens of a text at most, if the folder says so.
    var maximumTokens: Int?
    /// Lower-cases texts whatever the tokenizer does.
    var lowercases = false
    /// Text put before queries and documents, where the model was trained with some.
    var queryPrefix = ""
    var documentPrefix = ""

    /// Reads the pipeline of `folder`; a bare Transformers folder has mean pooling.
    ///
    /// - Throws: `EmbedderError.malformedFile`, or `.unsupported` for a module or pooling that is not built in.
    init(folder: URL) throws(EmbedderError) {
        let modules = ModelFile(folder, "modules.json")
        var poolingFolder = "1_Pooling"
        if modules.exists {
            let file = try modules.json()
            guard let elements = file.value.elements else { throw file.malformed("it is no array of modules") }
            for element in elements {
                let module = ModelSettings(path: file.path, value: element)
                let type = try module.string("type") ?? ""
                let path = try Self.subfolder(module)
                // Its class's package has moved between releases; the class's name has not.
                switch type.split(separator: ".").last {
                case "Transformer": encoderFolder = path
                case "Pooling": poolingFolder = path
                case "Normalize": break
                default: throw file.unsupported("module", type, supported: "Transformer, Pooling, Normalize")
                }
            }
        }
        let poolingFile = ModelFile(folder, poolingFolder + "/config.json")
        if poolingFile.exists { pooling = try Self.pooling(poolingFile.json()) }
        try readEncoderSettings(encoderFolder(in: folder))
        try readPrompts(folder)
    }

    /// The encoder's own files, where `folder` is the model's.
    func encoderFolder(in folder: URL) -> URL {
        encoderFolder.isEmpty ? folder : folder.appendingPathComponent(encoderFolder)
    }

    private mutating func readEncoderSettings(_ folder: URL) throws(EmbedderError) {
        let settings = ModelFile(folder, "sentence_bert_config.json")
        if settings.exists {
            let file = try settings.json()
            maximumTokens = try file.integer("max_seq_length", in: 2...1_000_000)
            lowercases = try file.bool("do_lower_case") ?? false
        }
        let tokenizer = ModelFile(folder, "tokenizer_config.json")
        if maximumTokens == nil, tokenizer.exists, let length = try tokenizer.json().real("model_max_length") {
            // "No limit" is written as 1e30.
            maximumTokens = length >= 2 && length <= 1e6 ? Int(length) : nil
        }
    }

    private mutating func readPrompts(_ folder: URL) throws(EmbedderError) {
        let settings = ModelFile(folder, "config_sentence_transformers.json")
        guard settings.exists, let prompts = try settings.json().member("prompts") else { return }
        queryPrefix = try prompts.string("query") ?? ""
        let document = try prompts.string("document")
        let passage = try prompts.string("passage")
        documentPrefix = document ?? passage ?? ""
    }

    private static func subfolder(_ module: ModelSettings) throws(EmbedderError) -> String {
        let path = try module.string("path") ?? ""
        guard !path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
            throw module.malformed("a module's path '\(path)' leads out of the folder")
        }
        return path
    }

    private static func pooling(_ file: ModelSettings) throws(EmbedderError) -> Pooling {
        if let name = try file.string("pooling_mode") {
            guard let pooling = Pooling(rawValue: name) else {
                throw file.unsupported("pooling", name, supported: "mean, cls")
            }
            return pooling
        }
        var chosen: [String] = []
        for member in file.value.members ?? [] where member.key.hasPrefix("pooling_mode_") {
            if member.value.bool == true { chosen.append(String(member.key.dropFirst("pooling_mode_".count))) }
        }
        switch chosen {
        case ["mean_tokens"]: return .mean
        case ["cls_token"]: return .cls
        default:
            throw file.unsupported("pooling", chosen.joined(separator: " with "), supported: "mean, cls")
        }
    }
}
