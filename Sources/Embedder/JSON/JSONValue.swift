// JSON as the model files need it: exact keys, exact integers, and limits that hold on hostile input.
//
// Foundation's decoders put keys into dictionaries of String, where canonically equivalent keys are one key;
// a vocabulary may hold "é" composed and decomposed as two tokens. So model files have a reader of their own.

/// A parsed JSON value; object members keep their order and any duplicates.
indirect enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// A number written without fraction or exponent that fits an Int.
    case integer(Int)
    case real(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    struct Member: Sendable {
        let key: String
        let value: JSONValue
    }

    /// The last member named `key`, compared scalar by scalar; nil for anything but an object that has one.
    subscript(key: StaticString) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        let wanted = key.description.utf8
        return members.last { $0.key.utf8.elementsEqual(wanted) }?.value
    }

    var members: [Member]? { if case .object(let members) = self { members } else { nil } }
    var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    var string: String? { if case .string(let string) = self { string } else { nil } }
    var integer: Int? { if case .integer(let integer) = self { integer } else { nil } }
    var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
    var isNull: Bool { if case .null = self { true } else { false } }
    var real: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .real(let real): real
        default: nil
        }
    }

    /// What this value is, for messages: "a string", "an object", …
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer: "an integer"
        case .real: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
