// What can go wrong between a model's name and a vector, as typed values that say how to mend it.

/// A mistake in what the embedder was given: a model folder, a file in it, or vectors that do not belong together.
package enum EmbedderError: Error, Equatable {
    /// No folder of that id under the models directory.
    case modelNotFound(id: String, directory: String)
    /// A model id that is not a plain folder name.
    case invalidModelID(String)
    case fileMissing(path: String)
    case fileUnreadable(path: String, reason: String)
    /// A file that is not what its name says.
    case malformedFile(path: String, problem: String)
    /// A tensor that contradicts its file.
    case malformedTensor(path: String, tensor: String, problem: TensorProblem)
    case tensorMissing(path: String, tensor: String)
    /// A setting of a model file with a kind that this build does not implement.
    case unsupported(path: String, setting: String, value: String, supported: String)
    /// The tokenizer can produce ids for which the model has no embedding.
    case vocabularyTooLarge(path: String, largestID: Int, rows: Int)
    /// A token id outside the model's embedding table.
    case invalidTokenID(Int32, vocabulary: Int)
    /// A text of no tokens, which has no vector.
    case noTokens
    /// More tokens than the model has positions for.
    case tooManyTokens(Int, maximum: Int)
    /// The encoder gave a number that is not finite, which only damaged weights explain.
    case notFinite
    /// An embedding space cannot be built on vectors of this many dimensions.
    case unsupportedDimension(Int, supported: [Int])
    /// A vector whose length is not the space's.
    case wrongDimension(Int, expected: Int)
    /// Views that a space does not have, or weights that are not positive.
    case invalidViews(String)
    /// Two vectors of different embedding spaces were compared or mixed.
    case differentSpaces(String, String)
}

/// How a tensor's description contradicts the file it is in.
package enum TensorProblem: Equatable, Sendable {
    case unknownType(String)
    /// A known type that holds no weights (integers, booleans, …).
    case notFloatingPoint(String)
    case invalidShape
    case invalidOffsets
    /// Bytes between the offsets against what shape and type need.
    case sizeMismatch(bytes: Int, needed: Int)
    case outsideFile(end: Int, available: Int)
    case overlaps(String)
    /// Bytes before this tensor that belong to none, which the format forbids.
    case gap(bytes: Int)
    case duplicate
    case unexpectedShape([Int], expected: [Int])
    case notFinite
}

extension EmbedderError {
    /// A short, bounded name of the kind of error, fit for a metric label.
    package var code: String {
        switch self {
        case .modelNotFound: "model_not_found"
        case .invalidModelID: "invalid_model_id"
        case .fileMissing: "file_missing"
        case .fileUnreadable: "file_unreadable"
        case .malformedFile: "malformed_file"
        case .malformedTensor: "malformed_tensor"
        case .tensorMissing: "tensor_missing"
        case .unsupported: "unsupported_model"
        case .vocabularyTooLarge: "vocabulary_too_large"
        case .invalidTokenID: "invalid_token_id"
        case .noTokens: "no_tokens"
        case .tooManyTokens: "too_many_tokens"
        case .notFinite: "not_finite"
        case .unsupportedDimension: "unsupported_dimension"
        case .wrongDimension: "wrong_dimension"
        case .invalidViews: "invalid_views"
        case .differentSpaces: "different_spaces"
        }
    }
}

extension EmbedderError: CustomStringConvertible {
    private static let fetch = "'pathlight models fetch' gets it anew"

    package var description: String {
        switch self {
        case .modelNotFound(let id, let directory):
            "there is no model '\(id)' in \(directory): 'pathlight models fetch \(id)' gets a known one; "
                + "any sentence-transformers folder may be put there as well"
        case .invalidModelID(let id):
            "'\(id)' is no model id: it must be the plain name of a folder"
        case .fileMissing(let path):
            "\(path) is missing: \(Self.fetch)"
        case .fileUnreadable(let path, let reason):
            "\(path) cannot be read: \(reason)"
        case .malformedFile(let path, let problem):
            "\(path) is damaged: \(problem); \(Self.fetch)"
        case .malformedTensor(let path, let tensor, let problem):
            "\(path) is damaged: tensor '\(tensor)' \(problem); \(Self.fetch)"
        case .tensorMissing(let path, let tensor):
            "\(path) has no tensor '\(tensor)': it is not the weights of the model that config.json describes"
        case .unsupported(let path, let setting, let value, let supported):
            "\(path): \(setting) '\(value)' is not supported (supported: \(supported)); choose another model"
        case .vocabularyTooLarge(let path, let largestID, let rows):
            "\(path) has token ids up to \(largestID), but the model's embedding table has \(rows) rows: "
                + "the tokenizer belongs to another model"
        case .invalidTokenID(let id, let vocabulary):
            "token id \(id) is outside the model's vocabulary of \(vocabulary)"
        case .noTokens:
            "a list of token ids is empty: it needs at least the special tokens"
        case .tooManyTokens(let count, let maximum):
            "\(count) tokens are more than the model's \(maximum) positions"
        case .notFinite:
            "the model gave numbers that are not finite: its weights are damaged; \(Self.fetch)"
        case .unsupportedDimension(let dimension, let supported):
            "an embedding space needs vectors of \(Self.list(supported)) dimensions, the model gives \(dimension)"
        case .wrongDimension(let dimension, let expected):
            "a vector has \(dimension) dimensions where \(expected) are needed"
        case .invalidViews(let problem):
            "the views of an embedding space are wrong: \(problem)"
        case .differentSpaces(let one, let other):
            "vectors of the spaces \(one) and \(other) cannot be compared: embed one of them again"
        }
    }

    private static func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: " or ") }
}

extension TensorProblem: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownType(let type): "has the unknown type '\(type)'"
        case .notFloatingPoint(let type): "is of type \(type), not F32, F16 or BF16"
        case .invalidShape: "has a shape that is no list of whole numbers, or too large"
        case .invalidOffsets: "has data_offsets that are no ascending pair of whole numbers"
        case .sizeMismatch(let bytes, let needed): "spans \(bytes) bytes where its shape and type need \(needed)"
        case .outsideFile(let end, let available):
            "ends at byte \(end) of the data, but the file has only \(available): it was cut off"
        case .overlaps(let other): "overlaps tensor '\(other)'"
        case .gap(let bytes): "follows \(bytes) bytes that belong to no tensor"
        case .duplicate: "is described twice"
        case .unexpectedShape(let shape, let expected): "has shape \(shape) where config.json needs \(expected)"
        case .notFinite: "holds a number that is not finite"
        }
    }
}
