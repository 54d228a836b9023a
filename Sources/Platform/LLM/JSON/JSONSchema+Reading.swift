extension JSONSchema {
    /// Reads a document of JSON Schema; what is not understood is refused, since it would not be checked.
    package init(document: JSONTree) throws(DocumentProblem) {
        self = try Self.read(document, path: "$", depth: 1)
    }

    private static func read(_ document: JSONTree, path: String, depth: Int) throws(DocumentProblem) -> JSONSchema {
        guard depth <= maximumDepth else {
            throw DocumentProblem(path: path, message: "nests deeper than \(maximumDepth) levels")
        }
        guard let members = document.members else {
            throw DocumentProblem(path: path, message: "must be an object, not \(document.kind)")
        }
        let (type, isNullable) = try typeName(of: document, path: path)
        let reader = Reader(document: document, path: path)
        let kind: Kind
        var known: Set<String> = ["type", "description"]
        switch type {
        case "object":
            known.formUnion(["properties", "required", "additionalProperties"])
            kind = try object(document, path: path, depth: depth)
        case "array":
            known.formUnion(["items", "minItems", "maxItems"])
            guard let items = document["items"] else { throw DocumentProblem(path: path, message: "lacks `items`") }
            kind = .array(
                try read(items, path: path + ".items", depth: depth + 1), minItems: try reader.count("minItems"),
                maxItems: try reader.count("maxItems"))
        case "string":
            known.formUnion(["enum", "minLength", "maxLength"])
            kind = try string(reader)
        case "integer":
            known.formUnion(["minimum", "maximum"])
            kind = .integer(minimum: try reader.int("minimum"), maximum: try reader.int("maximum"))
        case "number":
            known.formUnion(["minimum", "maximum"])
            kind = .number(minimum: try reader.number("minimum"), maximum: try reader.number("maximum"))
        case "boolean": kind = .boolean
        default: throw DocumentProblem(path: path + ".type", message: "is not a type that is understood")
        }
        if let unknown = members.first(where: { !known.contains($0.name) }) {
            throw DocumentProblem(
                path: path, message: "has `\(unknown.name.prefix(40))`, which is not understood for this type")
        }
        return JSONSchema(kind, isNullable: isNullable, meaning: document["description"]?.text)
    }

    private static func typeName(
        of document: JSONTree, path: String
    ) throws(DocumentProblem) -> (name: String, isNullable: Bool) {
        switch document["type"] {
        case .string(let name): return (name, false)
        case .array(let names):
            let texts = names.compactMap(\.text)
            let others = texts.filter { $0 != "null" }
            if texts.count == 2, names.count == 2, others.count == 1, let name = others.first { return (name, true) }
            throw DocumentProblem(path: path + ".type", message: "must be one type, or one type and null")
        default: throw DocumentProblem(path: path, message: "lacks `type`")
        }
    }

    private static func object(_ document: JSONTree, path: String, depth: Int) throws(DocumentProblem) -> Kind {
        guard let members = (document["properties"] ?? .object([])).members else {
            throw DocumentProblem(path: path + ".properties", message: "must be an object")
        }
        let listed = (document["required"] ?? .array([])).elements ?? []
        let required = Set(listed.compactMap(\.text))
        guard required.count == listed.count, required.isSubset(of: members.map(\.name)) else {
            throw DocumentProblem(path: path + ".required", message: "must list names of `properties`, each once")
        }
        let allowsOthers: Bool
        switch document["additionalProperties"] {
        case nil: allowsOthers = true
        case .bool(let flag): allowsOthers = flag
        default: throw DocumentProblem(path: path + ".additionalProperties", message: "must be true or false")
        }
        var properties: [Property] = []
        for member in members {
            let schema = try read(member.value, path: "\(path).properties.\(member.name.prefix(40))", depth: depth + 1)
            properties.append(Property(member.name, schema, isRequired: required.contains(member.name)))
        }
        return .object(properties, allowsOthers: allowsOthers)
    }

    private static func string(_ reader: Reader) throws(DocumentProblem) -> Kind {
        guard let values = reader.document["enum"] else {
            return .string(minLength: try reader.count("minLength"), maxLength: try reader.count("maxLength"))
        }
        let given = (values.elements ?? []).filter { $0 != .null }
        let texts = given.compactMap(\.text)
        guard !texts.isEmpty, texts.count == given.count else {
            throw DocumentProblem(path: reader.path + ".enum", message: "must be a list of strings that is not empty")
        }
        return .choice(texts)
    }

    private struct Reader {
        let document: JSONTree
        let path: String

        func int(_ name: String) throws(DocumentProblem) -> Int? {
            guard let value = document[name] else { return nil }
            guard let int = value.int else {
                throw DocumentProblem(path: "\(path).\(name)", message: "must be a whole number")
            }
            return int
        }

        func count(_ name: String) throws(DocumentProblem) -> Int? {
            guard let int = try int(name) else { return nil }
            guard int >= 0 else { throw DocumentProblem(path: "\(path).\(name)", message: "must not be negative") }
            return int
        }

        func number(_ name: String) throws(DocumentProblem) -> Double? {
            guard let value = document[name] else { return nil }
            guard let number = value.double else {
                throw DocumentProblem(path: "\(path).\(name)", message: "must be a number")
            }
            return number
        }
    }
}
