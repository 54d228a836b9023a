internal import Embedder
internal import Engine
internal import Foundation
internal import Hummingbird
internal import NIOCore

/// `POST /v1/embeddings`: OpenAI's request and reply, answered by the model on board, in float32.
struct EmbeddingRoutes {
    static let maximumInputs = 2_048
    /// What costs no more than a few single texts do.
    private static let smallList = 8

    private enum Input {
        case texts([String])
        case tokens([[Int32]])

        var count: Int {
            switch self {
            case .texts(let texts): texts.count
            case .tokens(let lists): lists.count
            }
        }
    }

    private enum Encoding: String, CaseIterable {
        case float, base64
    }

    private struct Wanted {
        var input = Input.texts([])
        var model: String?
        var encoding = Encoding.float
        var dimensions: Int?
    }

    let pathways: Pathways

    func add(to router: GuardedRouter) {
        router.post("/v1/embeddings", .embeddings) { request, scope in try await embed(request, scope) }
    }

    private func embed(_ request: Request, _ scope: RequestScope) async throws -> Response {
        let wanted = try await request.readFields(in: scope) { fields in read(fields, limits: scope.limits) }
        let model = pathways.catalogue.model
        guard let embedder = model.embedder, let references = model.references else {
            // A model outside is asked for people's own words alone, not for whatever somebody sends.
            let isOutside = model.remote != nil
            throw HTTPProblem(
                .modelUnavailable,
                isOutside
                    ? "This service's model, \(model.id), runs outside; only models that run here answer this route."
                    : model.degradation?.detail ?? "There is no usable model.")
        }
        guard let reference = references.model(named: wanted.model) else {
            let name = excerpt(of: wanted.model ?? "")
            throw HTTPProblem(
                .modelNotFound, "The model “\(name)” is not loaded; this service has \(references.names).")
        }
        if let dimensions = wanted.dimensions, dimensions != embedder.dimension {
            throw HTTPProblem(
                .invalidFields, "dimensions: must be \(embedder.dimension), as the model gives",
                errors: [FieldError(path: "dimensions", message: "must be \(embedder.dimension), as the model gives")])
        }
        let tokens: [[Int32]]
        switch wanted.input {
        case .texts(let texts): tokens = texts.map { embedder.tokenIDs(of: $0) }
        case .tokens(let lists): tokens = lists
        }
        // Long lists take turns with others in the queue, which has a bound of its own.
        if tokens.count > Self.smallList { scope.giveUpPlace() }
        let exact = try await reference.ready()
        let start = ContinuousClock.now
        let vectors = try await scope.watchingClient { try await computed(tokens, exact.embedder, exact.queue) }
        let count = tokens.reduce(0) { $0 + $1.count }
        RequestTrace.current?.embedded(texts: tokens.count, tokens: count, since: start)
        return .json(capacity: vectors.count * 4_096) { json in
            json.object { json in
                json.field("object", "list")
                json.field("data", arrayOf: vectors.enumerated()) { json, item in
                    json.object { json in
                        json.field("object", "embedding")
                        json.field("index", item.offset)
                        switch wanted.encoding {
                        case .float: json.field("embedding", item.element)
                        case .base64: json.field("embedding", Self.base64(item.element))
                        }
                    }
                }
                json.field("model", reference.id)
                json.field("usage") { json in
                    json.field("prompt_tokens", count)
                    json.field("total_tokens", count)
                }
            }
        }
    }

    private func computed(
        _ tokens: [[Int32]], _ embedder: TextEmbedder, _ queue: EmbeddingQueue
    ) async throws -> [[Float]] {
        do {
            return try await embedder.embed(tokenIDs: tokens, in: queue)
        } catch let error as EmbedderError {
            switch error {
            case .noTokens, .invalidTokenID, .tooManyTokens:
                throw HTTPProblem(
                    .invalidFields, "input: \(error)", errors: [FieldError(path: "input", message: "\(error)")])
            default: throw error
            }
        }
    }

    private func read(_ fields: FieldReader, limits: FieldLimits) -> Wanted {
        var wanted = Wanted()
        if let input = fields.requiredField("input") { wanted.input = read(input, limits: limits) ?? .texts([]) }
        wanted.model = fields.string("model", maxBytes: 200)
        wanted.encoding = fields.choice("encoding_format", of: Encoding.self) ?? .float
        wanted.dimensions = fields.integer("dimensions", in: 1...65_536)
        _ = fields.string("user", maxBytes: 1_024)
        return wanted
    }

    /// A text, texts, token ids, or lists of token ids.
    private func read(_ field: Field, limits: FieldLimits) -> Input? {
        if case .string(let text) = field.value {
            guard !text.isEmpty else {
                field.fail("must not be empty")
                return nil
            }
            return field.text().map { .texts([$0]) }
        }
        guard let list = field.list(maxCount: Self.maximumInputs), let first = list.first else {
            if case .array = field.value { field.fail("must have at least one text") }
            return nil
        }
        switch first.value {
        case .integer, .number: return .tokens([tokens(list)])
        case .array: return .tokens(list.map { tokens($0.list(maxCount: limits.listCount) ?? []) })
        default: return .texts(list.compactMap(nonEmptyText))
        }
    }

    private func nonEmptyText(_ field: Field) -> String? {
        guard let text = field.text() else { return nil }
        if text.isEmpty { field.fail("must not be empty") }
        return text
    }

    private func tokens(_ list: [Field]) -> [Int32] {
        list.compactMap { $0.integer(in: 0...Int(Int32.max)).map(Int32.init) }
    }

    /// Little-endian float32, as OpenAI's clients expect.
    private static func base64(_ vector: [Float]) -> String {
        var bytes = Data(capacity: vector.count * 4)
        for value in vector {
            let bits = value.bitPattern
            for shift in stride(from: 0, to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(shift)))
            }
        }
        return bytes.base64EncodedString()
    }
}
