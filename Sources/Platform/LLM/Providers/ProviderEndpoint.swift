internal import Foundation

/// Where a provider is and how it is talked to; what both providers share.
package struct ProviderEndpoint: Sendable {
    package let baseURL: String
    package let model: String
    package let embeddingModel: String
    package let key: OutboundSecret?
    /// An operator named the server, which may then be on this machine or network.
    package let allowsPrivateAddresses: Bool
    package let maximumReplyBytes: Int
    let transport: any OutboundTransport
    let time: LLMTime

    package init(
        baseURL: String, model: String, embeddingModel: String, key: OutboundSecret?, allowsPrivateAddresses: Bool,
        maximumReplyBytes: Int, transport: any OutboundTransport, time: LLMTime
    ) {
        var base = baseURL
        while base.hasSuffix("/") { base.removeLast() }
        self.baseURL = base
        self.model = model
        self.embeddingModel = embeddingModel
        self.key = key
        self.allowsPrivateAddresses = allowsPrivateAddresses
        self.maximumReplyBytes = maximumReplyBytes
        self.transport = transport
        self.time = time
    }

    /// Posts a document and returns the answer, whatever its status.
    func post(
        _ path: String, _ document: JSONTree, headers: [(name: String, value: String)], maximumBytes: Int? = nil,
        timeout: Duration
    ) async throws(ProviderFailure) -> OutboundResponse {
        let limit = maximumBytes ?? maximumReplyBytes
        let request = OutboundRequest(
            method: "POST", url: baseURL + path,
            headers: [("Content-Type", "application/json"), ("Accept", "application/json")] + headers,
            body: Array(document.json.utf8), timeout: timeout, maximumBytes: limit,
            // No such API redirects; a redirect would take the key and what people said elsewhere.
            maximumRedirects: 0, allowsPrivateAddresses: allowsPrivateAddresses)
        do {
            return try await transport.send(request)
        } catch {
            throw Self.failure(error, maximumBytes: limit)
        }
    }

    /// Reads an answer of status 200.
    func decode<Value: Decodable>(
        _ type: Value.Type, _ response: OutboundResponse
    ) throws(ProviderFailure) -> Value {
        do {
            // The transport has cut at its limit already.
            return try JSONReply.decode(type, from: response.body, maximumBytes: .max)
        } catch {
            // A proxy's page or half an answer: the next one may be whole.
            throw ProviderFailure(.badReply("the provider's envelope: \(error)"), isRetryable: true, usage: nil)
        }
    }

    /// What a status other than 200 means.
    ///
    /// - Parameter code: the provider's own word for it. Its message is left out: it may repeat keys and texts.
    func failure(_ response: OutboundResponse, code: String?) -> ProviderFailure {
        let status = response.status
        let isRetryable = status == 429 || status == 408 || (500...599).contains(status) && status != 501
        return ProviderFailure(
            .rejected(status: status, code: code.flatMap(Self.word)), isRetryable: isRetryable,
            retryAfter: response.headers["Retry-After"].flatMap { RetryAfter.duration($0, now: time.date()) })
    }

    /// A code of a provider, if it looks like one and not like a key or a sentence.
    static func word(_ code: String) -> String? {
        let isWord =
            (1...64).contains(code.utf8.count)
            && code.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) || $0 == 0x5F }
        return isWord ? code.lowercased() : nil
    }

    private static func failure(_ error: OutboundError, maximumBytes: Int) -> ProviderFailure {
        switch error.code {
        // Nobody knows what the provider did before the answer broke off.
        case .timedOut: ProviderFailure(.timedOut, isRetryable: true, usage: nil)
        case .cutOff, .protocolViolation: ProviderFailure(.unreachable(error.code), isRetryable: true, usage: nil)
        case .cancelled: ProviderFailure(.cancelled, isRetryable: false, usage: nil)
        case .tooLarge: ProviderFailure(.tooLarge(maximumBytes: maximumBytes), isRetryable: false, usage: nil)
        // Nor what it had done by then, where the service stops or curl gives up.
        case .closed, .other: ProviderFailure(.unreachable(error.code), isRetryable: false, usage: nil)
        default: ProviderFailure(.unreachable(error.code), isRetryable: error.isTransient)
        }
    }

    /// Vectors as texts' neighbours need them.
    ///
    /// - Returns: each of unit length; nil where one has another dimension, is not finite or is zero.
    static func normalised(_ vectors: [[Float]], count: Int) -> Result<[[Float]], LLMError> {
        guard vectors.count == count else {
            return .failure(.badReply("\(vectors.count) vectors for \(count) texts"))
        }
        var result: [[Float]] = []
        for vector in vectors {
            guard vector.count == LLMEmbeddings.dimension else {
                return .failure(
                    .badReply("a vector of \(vector.count) numbers, where \(LLMEmbeddings.dimension) were asked for"))
            }
            guard vector.allSatisfy(\.isFinite) else { return .failure(.badReply("a vector with what is no number")) }
            // In doubles: squares of large floats pass the largest one.
            let length = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            guard length > 0 else { return .failure(.badReply("a vector of zeros")) }
            result.append(vector.map { Float(Double($0) / length) })
        }
        return .success(result)
    }
}
