/// The part of JSON Schema that providers understand alike: what a model's answer must look like.
///
/// One type a value, with or without null; no references, no alternatives. What a schema does not say is not checked,
/// but an object has no other properties than its own unless it allows them.
package struct JSONSchema: Sendable, Equatable {
    package struct Property: Sendable, Equatable {
        package let name: String
        package let schema: JSONSchema
        package let isRequired: Bool

        package init(_ name: String, _ schema: JSONSchema, isRequired: Bool) {
            self.name = name
            self.schema = schema
            self.isRequired = isRequired
        }

        package static func required(_ name: String, _ schema: JSONSchema) -> Property {
            Property(name, schema, isRequired: true)
        }

        package static func optional(_ name: String, _ schema: JSONSchema) -> Property {
            Property(name, schema, isRequired: false)
        }
    }

    package indirect enum Kind: Sendable, Equatable {
        /// In the order in which a model shall write them: what it reasons about comes before what it concludes.
        case object([Property], allowsOthers: Bool)
        case array(JSONSchema, minItems: Int?, maxItems: Int?)
        /// Lengths in Unicode scalars.
        case string(minLength: Int?, maxLength: Int?)
        case choice([String])
        case integer(minimum: Int?, maximum: Int?)
        case number(minimum: Double?, maximum: Double?)
        case boolean
    }

    package var kind: Kind
    package var isNullable: Bool
    /// What the value means, for the model.
    package var meaning: String?

    package init(_ kind: Kind, isNullable: Bool = false, meaning: String? = nil) {
        self.kind = kind
        self.isNullable = isNullable
        self.meaning = meaning
    }

    // MARK: Short forms

    package static func object(_ properties: [Property]) -> JSONSchema {
        JSONSchema(.object(properties, allowsOthers: false))
    }

    package static func list(of items: JSONSchema, count: ClosedRange<Int>? = nil) -> JSONSchema {
        JSONSchema(.array(items, minItems: count?.lowerBound, maxItems: count?.upperBound))
    }

    package static func string(maxLength: Int? = nil, minLength: Int? = nil) -> JSONSchema {
        JSONSchema(.string(minLength: minLength, maxLength: maxLength))
    }

    package static func choice(_ values: [String]) -> JSONSchema { JSONSchema(.choice(values)) }

    package static func integer(_ range: ClosedRange<Int>? = nil) -> JSONSchema {
        JSONSchema(.integer(minimum: range?.lowerBound, maximum: range?.upperBound))
    }

    package static func number(_ range: ClosedRange<Double>? = nil) -> JSONSchema {
        JSONSchema(.number(minimum: range?.lowerBound, maximum: range?.upperBound))
    }

    package static let boolean = JSONSchema(.boolean)

    package var orNull: JSONSchema { JSONSchema(kind, isNullable: true, meaning: meaning) }

    package func meaning(_ text: String) -> JSONSchema { JSONSchema(kind, isNullable: isNullable, meaning: text) }
}
