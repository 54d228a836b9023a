internal import Foundation

/// A value of an imported file before anybody knows what it should be. `JSONDecoder` straight into `Career` would stop
/// at the first mistake and name it in words of its own.
enum ImportedValue: Decodable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([ImportedValue])
    case object([String: ImportedValue])
    /// A number that no double holds, or a text that is none.
    case unreadable

    /// Brackets within brackets that a career may have; a valid one has two.
    static let maximumDepth = 16

    init(from decoder: any Decoder) throws {
        // The kinds in the order of their frequency: each miss costs a thrown error.
        if let container = try? decoder.singleValueContainer() {
            if let text = try? container.decode(String.self) {
                self = .text(text)
                return
            }
            if container.decodeNil() {
                self = .null
                return
            }
            if let number = try? container.decode(Double.self) {
                self = .number(number)
                return
            }
            if let flag = try? container.decode(Bool.self) {
                self = .bool(flag)
                return
            }
        }
        if let members = try? decoder.container(keyedBy: Name.self) {
            var object: [String: ImportedValue] = [:]
            for name in members.allKeys {
                object[name.stringValue] = try members.decode(ImportedValue.self, forKey: name)
            }
            self = .object(object)
        } else if var elements = try? decoder.unkeyedContainer() {
            var list: [ImportedValue] = []
            while !elements.isAtEnd { list.append(try elements.decode(ImportedValue.self)) }
            self = .list(list)
        } else {
            self = .unreadable
        }
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// “a list”, “the number 3”: what a message calls it.
    var words: String {
        switch self {
        case .null: "null"
        case .bool(let flag): "\(flag)"
        case .number(let number): "the number \(number)"
        case .text(let text): "the text “\(ImportText.excerpt(text))”"
        case .list: "a list"
        case .object: "an object"
        case .unreadable: "a number out of range or a broken text"
        }
    }
}
