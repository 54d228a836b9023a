import Foundation
package import Hummingbird

extension Request {
    /// Reads the query's parameters as `FieldReader.read` reads a body: numbers and flags are parsed from their
    /// text, unknown and repeated names are refused.
    ///
    /// - Parameters:
    ///   - repeatable: names that may come more than once; they read as lists, even with one value.
    ///   - only: names beside which others are passed over, whatever they are; nil where others are refused.
    /// - Throws: `HTTPProblem` (`invalid_fields`).
    package func readQuery<Value>(
        limits: FieldLimits = FieldLimits(), repeatable: Set<String> = [], only: Set<String>? = nil,
        _ build: (FieldReader) throws -> Value
    ) throws -> Value {
        var object = JSONObject()
        let errors = FieldErrors()
        var lists: [String: [JSONValue]] = [:]
        for pair in (uri.query ?? "").split(separator: "&", omittingEmptySubsequences: true) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let decodedName = Self.decoded(parts[0])
            if let only, decodedName.map({ only.contains($0) }) != true { continue }
            guard let name = decodedName, let value = Self.decoded(parts.count > 1 ? parts[1] : "") else {
                errors.add(excerpt(of: parts[0]), "is not percent-encoded UTF-8")
                continue
            }
            if repeatable.contains(name) {
                if !value.isEmpty { lists[name, default: []].append(.string(value)) }
                continue
            }
            // An empty parameter is how a form says "not given".
            let isNew = object.insert(name, value.isEmpty ? .null : .string(value))
            if !isNew { errors.add(name, "is given twice") }
        }
        for (name, values) in lists { _ = object.insert(name, .array(values)) }
        return try FieldReader.read(object, limits: limits, errors: errors, readsText: true, build)
    }

    /// A parameter's text; `+` is a space as in forms.
    private static func decoded(_ text: Substring) -> String? {
        text.replacing("+", with: " ").removingPercentEncoding
    }
}
