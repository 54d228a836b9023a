package import Engine
package import Platform

/// The gateway to a model outside, as the engine sees it.
package struct GatewayTextSource: TextVectorSource {
    private let gateway: LLMGateway

    package init(gateway: LLMGateway) { self.gateway = gateway }

    package func vectors(of texts: [String], role: TextRole, within limit: Duration) async throws -> [[Float]] {
        do throws(LLMError) {
            switch role {
            case .query:
                return try await gateway.embeddings(of: texts, for: .query, feature: "search", deadline: limit).vectors
            case .document:
                return try await gateway.embeddings(of: texts, for: .document, feature: "reembed", deadline: limit)
                    .vectors
            }
        } catch {
            if error == .cancelled { throw CancellationError() }
            throw VectorsUnavailable(error)
        }
    }
}

extension VectorsUnavailable {
    package init(_ error: LLMError) {
        self.init(
            reason: error.reason, description: "\(error)", isTransient: error.isTransient, retryAfter: error.retryAfter,
            isAboutTexts: Self.isAboutTexts(error))
    }

    /// What a provider answers to a text that it does not take; some say the same of a key.
    private static func isAboutTexts(_ error: LLMError) -> Bool {
        switch error {
        case .badRequest, .blocked: true
        case .rejected(let status, _): [400, 413, 422].contains(status)
        default: false
        }
    }
}
