extension JSONSchema {
    /// One way in which a value does not fit.
    package struct Violation: Sendable, Equatable, CustomStringConvertible {
        /// `$`, `$.items[2].score`
        package let path: String
        package let message: String

        package var description: String { "\(path): \(message)" }
    }

    /// More than this many help no model.
    package static let maximumViolations = 20

    /// What is wrong with `value`, at most `maximumViolations`; nothing where it fits.
    ///
    /// - Complexity: O(size of `value`).
    package func violations(in value: JSONTree) -> [Violation] {
        var found: [Violation] = []
        check(value, path: "$", &found)
        return found
    }

    private func check(_ value: JSONTree, path: String, _ found: inout [Violation]) {
        guard found.count < Self.maximumViolations else { return }
        if value == .null {
            if !isNullable { found.append(Violation(path: path, message: "must be \(noun), not null")) }
            return
        }
        switch (kind, value) {
        case (.object(let properties, let allowsOthers), .object(let members)):
            Self.check(members, properties, allowsOthers: allowsOthers, path: path, &found)
        case (.array(let items, let minItems, let maxItems), .array(let elements)):
            if let minItems, elements.count < minItems {
                found.append(
                    Violation(path: path, message: "must have at least \(minItems) items, not \(elements.count)"))
            }
            if let maxItems, elements.count > maxItems {
                found.append(
                    Violation(path: path, message: "must have at most \(maxItems) items, not \(elements.count)"))
            }
            for (offset, element) in elements.enumerated() {
                guard found.count < Self.maximumViolations else { return }
                items.check(element, path: "\(path)[\(offset)]", &found)
            }
        case (.string(let minLength, let maxLength), .string(let text)):
            let length = text.unicodeScalars.count
            if let minLength, length < minLength {
                found.append(
                    Violation(path: path, message: "must have at least \(minLength) characters, not \(length)"))
            }
            if let maxLength, length > maxLength {
                found.append(
                    Violation(path: path, message: "must have at most \(maxLength) characters, not \(length)"))
            }
        case (.choice(let values), .string(let text)):
            guard !values.contains(where: { $0.unicodeScalars.elementsEqual(text.unicodeScalars) }) else { return }
            let list = values.prefix(20).joined(separator: ", ")
            found.append(Violation(path: path, message: "must be one of: \(list)"))
        case (.integer(let minimum, let maximum), .integer), (.integer(let minimum, let maximum), .number):
            if let number = value.int {
                Self.check(number, minimum, maximum, path: path, &found)
            } else if let number = value.double, number == number.rounded() {
                // Whole, and beyond 64 bits.
                Self.check(number, minimum.map { Double($0) }, maximum.map { Double($0) }, path: path, &found)
            } else {
                found.append(Violation(path: path, message: "must be a whole number"))
            }
        case (.number(let minimum, let maximum), .integer), (.number(let minimum, let maximum), .number):
            guard let number = value.double else { return }
            Self.check(number, minimum, maximum, path: path, &found)
        case (.boolean, .bool): return
        default: found.append(Violation(path: path, message: "must be \(noun), not \(value.kind)"))
        }
    }

    private static func check(
        _ members: [JSONTree.Member], _ properties: [Property], allowsOthers: Bool, path: String,
        _ found: inout [Violation]
    ) {
        let values = Dictionary(members.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        for property in properties {
            if let value = values[property.name] {
                property.schema.check(value, path: "\(path).\(property.name)", &found)
            } else if property.isRequired, found.count < maximumViolations {
                found.append(Violation(path: "\(path).\(property.name)", message: "is missing"))
            }
        }
        guard !allowsOthers else { return }
        let known = Set(properties.map(\.name))
        for member in members where !known.contains(member.name) {
            guard found.count < maximumViolations else { return }
            // The name is the model's: cut, and without what could look like more than a name.
            let name = member.name.prefix(40).filter { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
            found.append(Violation(path: "\(path).\(name)", message: "is not a known property"))
        }
    }

    private static func check<Number: Comparable>(
        _ number: Number, _ minimum: Number?, _ maximum: Number?, path: String, _ found: inout [Violation]
    ) {
        if let minimum, number < minimum {
            found.append(Violation(path: path, message: "must be at least \(minimum), not \(number)"))
        }
        if let maximum, number > maximum {
            found.append(Violation(path: path, message: "must be at most \(maximum), not \(number)"))
        }
    }

    /// What a value must be, in words.
    private var noun: String {
        switch kind {
        case .object: "an object"
        case .array: "a list"
        case .string, .choice: "a string"
        case .integer: "a whole number"
        case .number: "a number"
        case .boolean: "true or false"
        }
    }
}
