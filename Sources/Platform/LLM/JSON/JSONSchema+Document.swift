/// A schema as a document, and back.
extension JSONSchema {
    /// Why a document is not a schema of the part that is understood.
    package struct DocumentProblem: Error, Sendable, Equatable, CustomStringConvertible {
        package let path: String
        package let message: String

        package var description: String { "\(path): \(message)" }
    }

    package static let maximumDepth = 16

    /// JSON Schema (2020-12).
    package var document: JSONTree { document(lengths: true) }

    /// - Parameter lengths: whether the lengths of strings are said. OpenAI's strict mode refuses a schema that has
    ///   them; they are checked here in any case.
    package func document(lengths: Bool) -> JSONTree {
        var members: [JSONTree.Member] = []
        let name = typeName
        members.append(.init("type", isNullable ? .array([.string(name), .string("null")]) : .string(name)))
        if let meaning { members.append(.init("description", .string(meaning))) }
        func add(_ name: String, _ value: JSONTree?) { if let value { members.append(.init(name, value)) } }
        switch kind {
        case .object(let properties, let allowsOthers):
            add("properties", .object(properties.map { .init($0.name, $0.schema.document(lengths: lengths)) }))
            add("required", .array(properties.filter(\.isRequired).map { .string($0.name) }))
            add("additionalProperties", .bool(allowsOthers))
        case .array(let items, _, _):
            add("items", items.document(lengths: lengths))
        case .choice(let values):
            add("enum", .array(values.map(JSONTree.string) + (isNullable ? [.null] : [])))
        case .string, .integer, .number, .boolean: break
        }
        return .object(members + bounds(lengths: lengths))
    }

    /// How little and how much it may be, in the words that both dialects share.
    private func bounds(lengths: Bool) -> [JSONTree.Member] {
        let pairs: [(String, JSONTree?)] =
            switch kind {
            case .array(_, let minItems, let maxItems):
                [("minItems", minItems.map(JSONTree.int)), ("maxItems", maxItems.map(JSONTree.int))]
            case .string(let minLength, let maxLength):
                lengths
                    ? [("minLength", minLength.map(JSONTree.int)), ("maxLength", maxLength.map(JSONTree.int))] : []
            case .integer(let minimum, let maximum):
                [("minimum", minimum.map(JSONTree.int)), ("maximum", maximum.map(JSONTree.int))]
            case .number(let minimum, let maximum):
                [("minimum", minimum.map(JSONTree.number)), ("maximum", maximum.map(JSONTree.number))]
            case .object, .choice, .boolean: []
            }
        return pairs.compactMap { name, value in value.map { .init(name, $0) } }
    }

    /// Gemini's `Schema`, which is OpenAPI's: types in capitals, `nullable`, no `additionalProperties`, and an order.
    package var geminiDocument: JSONTree {
        var members: [JSONTree.Member] = [.init("type", .string(typeName.uppercased()))]
        func add(_ name: String, _ value: JSONTree?) { if let value { members.append(.init(name, value)) } }
        if isNullable { add("nullable", .bool(true)) }
        add("description", meaning.map(JSONTree.string))
        switch kind {
        case .object(let properties, _):
            add("properties", .object(properties.map { .init($0.name, $0.schema.geminiDocument) }))
            let required = properties.filter(\.isRequired)
            if !required.isEmpty { add("required", .array(required.map { .string($0.name) })) }
            if !properties.isEmpty { add("propertyOrdering", .array(properties.map { .string($0.name) })) }
        case .array(let items, _, _):
            add("items", items.geminiDocument)
        case .choice(let values):
            add("format", .string("enum"))
            add("enum", .array(values.map(JSONTree.string)))
        case .string, .integer, .number, .boolean: break
        }
        return .object(members + bounds(lengths: true))
    }

    /// Whether OpenAI's strict mode takes it: every property required, no others allowed.
    package var isStrict: Bool {
        switch kind {
        case .object(let properties, let allowsOthers):
            !allowsOthers && properties.allSatisfy { $0.isRequired && $0.schema.isStrict }
        case .array(let items, _, _): items.isStrict
        default: true
        }
    }

    private var typeName: String {
        switch kind {
        case .object: "object"
        case .array: "array"
        case .string, .choice: "string"
        case .integer: "integer"
        case .number: "number"
        case .boolean: "boolean"
        }
    }
}
