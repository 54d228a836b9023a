import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The fields of a form as browsers send it (`application/x-www-form-urlencoded`).
struct Form {
    static let maximumFields = 64
    private static let mediaType = "application/x-www-form-urlencoded"

    private let fields: [String: String]

    /// - Throws: `HTTPProblem` (`bad_request`) for what is no such form.
    init(_ body: ByteBuffer) throws(HTTPProblem) {
        guard let text = String(validating: body.readableBytesView, as: UTF8.self) else { throw Self.malformed }
        var fields: [String: String] = [:]
        for pair in text.split(separator: "&", omittingEmptySubsequences: true) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0]), let value = Self.decoded(parts.count > 1 ? parts[1] : ""),
                fields.count < Self.maximumFields, fields.updateValue(value, forKey: name) == nil
            else { throw Self.malformed }
        }
        self.fields = fields
    }

    /// Reads a request's form.
    ///
    /// - Throws: `HTTPProblem`: `unsupported_media_type`, `body_too_large`, `bad_request`.
    init(_ request: Request, in scope: RequestScope) async throws {
        guard Self.isForm(request) else {
            throw HTTPProblem(
                .unsupportedMediaType, "The body must be a form, `\(Self.mediaType)`.",
                headers: [.accept: Self.mediaType])
        }
        try self.init(try await request.collectBody(in: scope))
    }

    static func isForm(_ request: Request) -> Bool { type(of: request) == mediaType }

    /// Whether a page of any site may make a browser send such a body without asking first (the Fetch standard's
    /// CORS-safelisted types).
    static func crossesSites(_ request: Request) -> Bool {
        [mediaType, "multipart/form-data", "text/plain"].contains(type(of: request))
    }

    private static func type(of request: Request) -> String {
        let given = request.headers[.contentType]?.split(separator: ";").first ?? ""
        return given.filter { $0 != " " && $0 != "\t" }.lowercased()
    }

    /// A field's value; nil where the form has none of that name or an empty one.
    subscript(name: String) -> String? { fields[name].flatMap { $0.isEmpty ? nil : $0 } }

    private static let malformed = HTTPProblem(
        .badRequest, "The form's fields are not percent-encoded UTF-8, come twice or are too many.")

    private static func decoded(_ text: Substring) -> String? {
        let decoded = text.replacing("+", with: " ").removingPercentEncoding
        return decoded.flatMap { $0.utf8.contains(0) ? nil : $0 }
    }
}
