internal import Foundation

/// What a token says, of any form.
struct TokenClaims: Decodable, Sendable {
    /// One claim's value.
    enum Value: Decodable, Sendable, Equatable {
        case null
        case bool(Bool)
        case integer(Int64)
        case number(Double)
        case text(String)
        case list([Value])
        case object([String: Value])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let truth = try? container.decode(Bool.self) {
                self = .bool(truth)
            } else if let integer = try? container.decode(Int64.self) {
                self = .integer(integer)
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else if let list = try? container.decode([Value].self) {
                self = .list(list)
            } else {
                self = .object(try container.decode([String: Value].self))
            }
        }

        /// Seconds since 1970 (RFC 7519, section 2, NumericDate).
        var seconds: Double? {
            switch self {
            case .integer(let integer): Double(integer)
            case .number(let number) where number.isFinite: number
            default: nil
            }
        }

        /// The text, or the texts of a list.
        var texts: [String]? {
            switch self {
            case .text(let text): [text]
            case .list(let list): list.compactMap { if case .text(let text) = $0 { text } else { nil } }
            default: nil
            }
        }
    }

    let values: [String: Value]

    init(from decoder: any Decoder) throws {
        values = try decoder.singleValueContainer().decode([String: Value].self)
    }

    /// A claim by its name, or by the path to it where no claim has that very name; null counts as absent.
    subscript(name: String) -> Value? {
        if let value = values[name] { return value == .null ? nil : value }
        var current = Value.object(values)
        for step in name.split(separator: ".", omittingEmptySubsequences: false) {
            guard case .object(let members) = current, let next = members[String(step)] else { return nil }
            current = next
        }
        return current == .null ? nil : current
    }
}

/// The part of a token that says how it is signed.
struct TokenHeader: Decodable, Sendable {
    let algorithm: String
    let keyID: String?
    let type: String?
    /// Whether the token demands extensions, of which none are known here (RFC 7515, section 4.1.11).
    let isCritical: Bool

    private enum Keys: String, CodingKey {
        case alg, kid, typ, crit
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        algorithm = try container.decode(String.self, forKey: .alg)
        keyID = try container.decodeIfPresent(String.self, forKey: .kid)
        type = try container.decodeIfPresent(String.self, forKey: .typ)
        isCritical = container.contains(.crit)
    }
}
