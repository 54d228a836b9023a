internal import Foundation
package import Platform

/// The OTLP collector that the operator named, reached by HTTP.
package struct TraceCollector: Sendable {
    /// What came of a batch.
    package enum Outcome: Sendable, Equatable {
        /// Taken, but for `rejected` of its spans, for a reason in the collector's words.
        case taken(rejected: Int, reason: String?)
        case refused(Refusal)
    }

    /// Why a batch was not taken.
    package struct Refusal: Sendable, Equatable {
        /// Of a bounded set: `timed_out`, `status_503`.
        package let name: String
        /// In words, without what the collector answered.
        package let detail: String
        /// Whether the same batch may be taken a moment later.
        package let mayPass: Bool
    }

    /// The statuses after which OTLP wants a batch sent again; all others mean that it never will be taken.
    private static let passingStatuses = [429, 502, 503, 504]
    /// A collector answers with a few bytes.
    private static let maximumReplyBytes = 64 << 10

    /// Where batches are sent, without secrets.
    package let url: String
    private let headers: [(name: String, value: String)]
    private let transport: any OutboundTransport

    /// - Throws: `SettingsError` where the header cannot be read, or would go over a network in the clear.
    package init(_ settings: TracingSettings, transport: any OutboundTransport) throws(SettingsError) {
        let parsed: OutboundURL
        do throws(OutboundError) {
            parsed = try OutboundURL(settings.url ?? "")
        } catch {
            throw .unusable("`tracing.url`: \(error)")
        }
        url = Self.endpoint(parsed.text)
        let secret = try settings.headerFile.map(Self.header)
        if secret != nil, parsed.scheme == "http", !ServiceSettings.isLoopback(parsed.host) {
            throw .unusable(
                "`tracing.header_file` would go to \(parsed.host) for all to read; name an https address in `tracing.url`"
            )
        }
        headers = [("Content-Type", "application/json"), ("Accept", "application/json")] + (secret.map { [$0] } ?? [])
        self.transport = transport
    }

    /// Posts a batch and returns what came of it; never later than `timeout` allows.
    package func send(_ body: [UInt8], timeout: Duration) async -> Outcome {
        let request = OutboundRequest(
            method: "POST", url: url, headers: headers, body: body, timeout: timeout,
            maximumBytes: Self.maximumReplyBytes,
            // A redirect would take the header elsewhere.
            maximumRedirects: 0,
            // The operator named it, and it is near as a rule.
            allowsPrivateAddresses: true)
        let response: OutboundResponse
        do throws(OutboundError) {
            response = try await transport.send(request)
        } catch {
            return .refused(Refusal(name: error.code.rawValue, detail: "\(error)", mayPass: error.isTransient))
        }
        guard (200...299).contains(response.status) else {
            return .refused(
                Refusal(
                    name: "status_\(response.status)", detail: "it answered with the status \(response.status)",
                    mayPass: Self.passingStatuses.contains(response.status)))
        }
        let (rejected, reason) = OTLPTraces.rejection(in: response.body)
        return .taken(rejected: rejected, reason: reason)
    }

    /// An address without a path is a collector's; what takes traces there is fixed by OTLP.
    private static func endpoint(_ url: String) -> String {
        let isBare = url.hasSuffix("/") && url.count(where: { $0 == "/" }) == 3
        return isBare ? url + "v1/traces" : url
    }

    /// The header that a file holds: its one line `name=value`.
    private static func header(_ path: String) throws(SettingsError) -> (name: String, value: String) {
        func objection(_ problem: String) -> SettingsError {
            .unusable("\(path), which `tracing.header_file` names, \(problem)")
        }
        let bytes: [UInt8]
        do throws(SecretFile.Problem) {
            bytes = try SecretFile.read(path)
        } catch {
            throw objection(error.reason)
        }
        // No word of what stands there: it is a secret.
        guard let text = String(validating: bytes, as: UTF8.self) else { throw objection("is not UTF-8") }
        let lines = text.split(whereSeparator: \.isNewline)
        guard lines.count == 1, let line = lines.first, let equals = line.firstIndex(of: "=") else {
            throw objection("does not hold one line `name=value`")
        }
        let name = line[..<equals].trimmingCharacters(in: .whitespaces)
        let value = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
        guard !value.isEmpty else { throw objection("has no value behind the name of the header") }
        do throws(OutboundError) {
            try FieldRules.check([(name, value)])
        } catch {
            throw objection("holds no header: \(error.message)")
        }
        return (name, value)
    }
}

extension TraceCollector: CustomStringConvertible, CustomReflectable {
    package var description: String { url }

    /// The header is a secret.
    package var customMirror: Mirror { Mirror(self, children: ["url": url]) }
}
