internal import Store

/// What a server said to ask by the next time, so that what has not changed is not sent again (RFC 9110, 13).
package struct OutboundValidators: Sendable, Equatable, Codable {
    package let entityTag: String?
    package let lastModified: String?

    package init(entityTag: String?, lastModified: String?) {
        self.entityTag = entityTag
        self.lastModified = lastModified
    }

    /// Those of an answer, or nil where it has none that could be sent back.
    init?(_ headers: OutboundHeaders) {
        entityTag = Self.usable(headers["etag"])
        lastModified = Self.usable(headers["last-modified"])
        guard entityTag != nil || lastModified != nil else { return nil }
    }

    var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        if let entityTag { fields.append(("If-None-Match", entityTag)) }
        if let lastModified { fields.append(("If-Modified-Since", lastModified)) }
        return fields
    }

    private static func usable(_ value: String?) -> String? {
        guard let value, !value.isEmpty, value.utf8.count <= 1024, FieldRules.isValue(value) else { return nil }
        return value
    }
}

package enum ConditionalReply: Sendable {
    /// The server has nothing newer than what the validators stand for.
    case notModified
    /// Any other answer, with the validators to be remembered once its body is where it belongs.
    case modified(OutboundResponse, OutboundValidators?)
}

/// Asks for a resource only if it has changed since its validators were remembered.
///
/// `fetch` remembers nothing: if the program ended between an answer and its use, the next answer would be “not
/// modified”, and the body lost. Who has used the body calls `remember`.
package final class ConditionalCache: Sendable {
    private struct Known {
        var validators: [String: OutboundValidators] = [:]
        /// Least recently remembered first.
        var order: [String] = []
    }

    private let transport: any OutboundTransport
    private let maximumResources: Int
    private let known = Guarded(Known())

    package init(_ transport: any OutboundTransport, maximumResources: Int = 10_000) {
        precondition(maximumResources > 0, "a cache holds something")
        self.transport = transport
        self.maximumResources = maximumResources
    }

    /// Sends `request`, a GET or HEAD, with what is remembered for its address.
    package func fetch(_ request: OutboundRequest) async throws(OutboundError) -> ConditionalReply {
        let validators = known.withLock { $0.validators[request.url] }
        var conditional = request
        conditional.headers.removeAll {
            OutboundHeaders.isSame($0.name, "if-none-match") || OutboundHeaders.isSame($0.name, "if-modified-since")
        }
        conditional.headers += validators?.fields ?? []
        let response = try await transport.send(conditional)
        guard response.status == 304 else {
            return .modified(response, response.status == 200 ? OutboundValidators(response.headers) : nil)
        }
        guard validators != nil else {
            throw OutboundError(.protocolViolation, "the server answered “not modified” to a request without condition")
        }
        return .notModified
    }

    /// Remembers `validators` for an address; nil forgets what was.
    package func remember(_ validators: OutboundValidators?, for url: String) {
        known.withLock { known in
            if known.validators.removeValue(forKey: url) != nil { known.order.removeAll { $0 == url } }
            guard let validators else { return }
            known.validators[url] = validators
            known.order.append(url)
            if known.order.count > maximumResources { known.validators[known.order.removeFirst()] = nil }
        }
    }

    /// What is remembered for an address, for keeping it beyond the program's end.
    package func validators(for url: String) -> OutboundValidators? { known.withLock { $0.validators[url] } }
}
