/// A parsed JSON document or a part of one.
///
/// Integers keep their own case so that `9007199254740993` is not silently rounded and so that a
/// field that wants a whole number can tell `3` from `3.5`.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number written without fraction and exponent that fits 64 bits.
    case integer(Int64)
    /// Any other number; always finite.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The JSON name of the value's type, for messages.
    package var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

/// The members of a JSON object in the order of the text, each name once.
///
/// Names are compared as Swift strings, that is by canonical equivalence: two spellings of "é" count as the
/// same name. That is stricter than RFC 8259 and keeps a look-up from depending on which one came first.
package struct JSONObject: Sendable {
    package typealias Member = (name: String, value: JSONValue)

    /// Up to this many members a linear look-up beats hashing; beyond it an index keeps hostile objects linear.
    private static let linearLimit = 16

    package private(set) var members: [Member] = []
    private var index: [String: Int] = [:]

    package init() {}

    package var count: Int { members.count }

    /// The value of `name`, if the object has it.
    package subscript(name: String) -> JSONValue? {
        position(of: name).map { members[$0].value }
    }

    /// Adds a member and says whether its name was new.
    package mutating func insert(_ name: String, _ value: JSONValue) -> Bool {
        guard position(of: name) == nil else { return false }
        members.append((name, value))
        if members.count == Self.linearLimit + 1 {
            index.reserveCapacity(4 * Self.linearLimit)
            for (offset, member) in members.enumerated() { index[member.name] = offset }
        } else if members.count > Self.linearLimit {
            index[name] = members.count - 1
        }
        return true
    }

    private func position(of name: String) -> Int? {
        if members.count > Self.linearLimit { return index[name] }
        return members.firstIndex { $0.name == name }
    }
}

extension JSONObject: Equatable {
    /// Equal members in any order: the order of an object's members carries no meaning.
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.name] == $0.value }
    }
}
