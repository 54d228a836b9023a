internal import Engine

/// Reads the named fields of a JSON object, collecting every mistake instead of stopping at the first.
///
/// A method asks for a field by name and so makes the name known; what nobody asked for is refused when the
/// reading ends, with the nearest known name. A field that is absent or `null` reads as nil. The `required…`
/// methods return a placeholder after a mistake: it never leaves `read`, which throws at the end.
package final class FieldReader {
    let object: JSONObject
    /// Where the object is in the body; empty for the body itself.
    package let path: String
    let limits: FieldLimits
    let errors: FieldErrors
    /// Whether numbers and flags are given as text, as in a query.
    let readsText: Bool
    private var known: [String] = []
    private var children: [FieldReader] = []

    init(_ object: JSONObject, path: String, limits: FieldLimits, errors: FieldErrors, readsText: Bool = false) {
        self.object = object
        self.path = path
        self.limits = limits
        self.errors = errors
        self.readsText = readsText
    }

    /// Reads `body`'s fields with `build`.
    ///
    /// - Throws: `HTTPProblem` (`invalid_fields`) that lists every mistake, or what `build` throws.
    package static func read<Value>(
        _ body: JSONValue, limits: FieldLimits = FieldLimits(), _ build: (FieldReader) throws -> Value
    ) throws -> Value {
        let errors = FieldErrors()
        guard case .object(let object) = body else {
            errors.add("", "the body must be an object, not \(body.typeName)")
            throw errors.problem ?? HTTPProblem(.invalidFields, "")
        }
        return try read(object, limits: limits, errors: errors, readsText: false, build)
    }

    static func read<Value>(
        _ object: JSONObject, limits: FieldLimits, errors: FieldErrors, readsText: Bool,
        _ build: (FieldReader) throws -> Value
    ) throws -> Value {
        let reader = FieldReader(object, path: "", limits: limits, errors: errors, readsText: readsText)
        let value = try build(reader)
        reader.refuseUnknown()
        if let problem = errors.problem { throw problem }
        return value
    }

    /// Names that were never asked for, here and below.
    private func refuseUnknown() {
        for (name, _) in object.members where !known.contains(name) {
            let hint = NearestName.hint(for: name, among: known)
            errors.add(path(of: name), "unknown field `\(excerpt(of: name))`\(hint)")
        }
        for child in children { child.refuseUnknown() }
    }

    func path(of name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// Records a mistake of a field that only the caller can see, such as an id that does not exist.
    package func fail(_ name: String, _ message: String) {
        errors.add(path(of: name), message)
    }

    /// Whether the field is there and not `null`.
    package func has(_ name: String) -> Bool { field(name) != nil }

    /// The field as it is, or nil where it is absent or `null`.
    package func field(_ name: String) -> Field? {
        if !known.contains(name) { known.append(name) }
        guard let value = object[name], value != .null else { return nil }
        return Field(value: value, path: path(of: name), reader: self)
    }

    /// The field, or nil after recording that it is missing.
    package func requiredField(_ name: String) -> Field? {
        let field = field(name)
        if field == nil { fail(name, object[name] == nil ? "is required" : "must not be null") }
        return field
    }

    func child(_ object: JSONObject, path: String) -> FieldReader {
        let child = FieldReader(object, path: path, limits: limits, errors: errors, readsText: readsText)
        children.append(child)
        return child
    }

    // MARK: Scalars

    package func string(_ name: String, maxBytes: Int? = nil, allowEmpty: Bool = true) -> String? {
        field(name)?.string(maxBytes: maxBytes, allowEmpty: allowEmpty)
    }

    package func requiredString(_ name: String, maxBytes: Int? = nil, allowEmpty: Bool = false) -> String {
        requiredField(name)?.string(maxBytes: maxBytes, allowEmpty: allowEmpty) ?? ""
    }

    /// Free text, as `Field.text` reads it.
    package func text(_ name: String, maxBytes: Int? = nil) -> String? { field(name)?.text(maxBytes: maxBytes) }

    package func requiredText(_ name: String, maxBytes: Int? = nil) -> String {
        requiredField(name)?.text(maxBytes: maxBytes) ?? ""
    }

    package func bool(_ name: String) -> Bool? { field(name)?.bool() }

    package func integer(_ name: String, in range: ClosedRange<Int>) -> Int? { field(name)?.integer(in: range) }

    package func requiredInteger(_ name: String, in range: ClosedRange<Int>) -> Int {
        requiredField(name)?.integer(in: range) ?? range.lowerBound
    }

    package func number(_ name: String, in range: ClosedRange<Double>) -> Double? { field(name)?.number(in: range) }

    package func requiredNumber(_ name: String, in range: ClosedRange<Double>) -> Double {
        requiredField(name)?.number(in: range) ?? range.lowerBound
    }

    /// A string that is one of the cases of `type`.
    package func choice<Choice>(_ name: String, of type: Choice.Type) -> Choice?
    where Choice: RawRepresentable<String> & CaseIterable {
        guard let field = field(name), let text = field.string(maxBytes: nil, allowEmpty: true) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let names = Choice.allCases.map(\.rawValue)
        let list = names.map { "`\($0)`" }.joined(separator: ", ")
        field.fail("must be one of \(list), not `\(excerpt(of: text))`\(NearestName.hint(for: text, among: names))")
        return nil
    }

    // MARK: Lists and objects

    package func strings(_ name: String, maxCount: Int? = nil, maxBytes: Int? = nil) -> [String]? {
        field(name)?.list(maxCount: maxCount)?.compactMap { $0.string(maxBytes: maxBytes, allowEmpty: true) }
    }

    /// A list of numbers, each in `range`, as many as `count` says.
    package func numbers(_ name: String, count: ClosedRange<Int>, in range: ClosedRange<Double>) -> [Double]? {
        guard let field = field(name), let elements = field.list(maxCount: count.upperBound) else { return nil }
        guard elements.count >= count.lowerBound else {
            let wanted = count.lowerBound == count.upperBound ? "exactly" : "at least"
            field.fail("must have \(wanted) \(count.lowerBound) numbers, not \(elements.count)")
            return nil
        }
        let numbers = elements.compactMap { $0.number(in: range) }
        return numbers.count == elements.count ? numbers : nil
    }

    /// An object with known fields of its own.
    package func object(_ name: String) -> FieldReader? { field(name)?.object() }

    /// A list of objects with known fields of their own.
    package func objects(_ name: String, maxCount: Int? = nil) -> [FieldReader]? {
        field(name)?.list(maxCount: maxCount)?.compactMap { $0.object() }
    }

    /// The members of an object whose names are data, such as answers by question.
    package func entries(_ name: String, maxCount: Int? = nil) -> [(name: String, field: Field)]? {
        field(name)?.entries(maxCount: maxCount)
    }
}
